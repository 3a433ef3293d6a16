"""A lot in an evening, and a motorist who has been there."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.domain.lots.models import Lot
from tests.erasure.scene import Person, somebody
from tests.world import open_lot


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


@pytest.fixture
def person(lot: Lot, evening: datetime, at: Callable[[datetime], None]) -> Person:
    """Somebody who parked, paid and left, and left all that a motorist may leave here."""
    return somebody(lot, lambda minutes: at(evening + timedelta(minutes=minutes)))
