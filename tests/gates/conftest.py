"""Gates on the whole platform, on a Wednesday evening when lots are open."""

from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.domain.lots.models import Lot
from tests import world
from tests.conftest import MovableClock
from tests.gates.stand import Hand, installed


@pytest.fixture
def lot(evening: datetime) -> Lot:
    """A lot with two bays, open now."""
    assert evening.tzinfo
    return world.open_lot()


@pytest.fixture
def hand(client: FlaskClient, lot: Lot) -> Hand:
    """A gate that leads in."""
    return installed(client, lot)


@pytest.fixture
def exit_hand(client: FlaskClient, lot: Lot) -> Hand:
    """The gate that leads out of the same lot."""
    return installed(client, lot, "out")


@pytest.fixture
def clock_file(clock: MovableClock) -> Path:
    """The file that moves all clocks, those of the stand-in gates too."""
    return clock.file
