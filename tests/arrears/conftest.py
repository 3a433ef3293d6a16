"""A lot and a motorist in an evening."""

from datetime import datetime

import pytest

from app.domain.lots.models import Lot
from tests.world import Driver, driver, open_lot


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


@pytest.fixture
def who(lot: Lot) -> Driver:
    return driver()
