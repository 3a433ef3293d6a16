"""A lot with five shared bays on a Wednesday evening, and the signing hand of its unit's own system."""

from datetime import datetime

import pytest
from flask.testing import FlaskClient

from app.domain.lots.models import Lot
from tests.partners.stand import Hand, partner_of
from tests.world import open_lot


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot(bays=5)


@pytest.fixture
def hand(client: FlaskClient, lot: Lot) -> Hand:
    return Hand(client, partner_of(lot.unit_id))
