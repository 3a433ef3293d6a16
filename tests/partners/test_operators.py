"""An operator's own system speaks for the lots of its agreements, as long as they are in force (N4.8)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.domain.lots.models import Lot
from app.domain.partners.queries import fresh_counts
from app.domain.units import actions as units
from app.kernel import clock
from tests.partners.stand import Hand, count, partner_of
from tests.units.stand import terms, unit_of
from tests.world import open_lot, paper, registered_operator, staff

At = Callable[[datetime], None]


@pytest.fixture
def operated(client: FlaskClient, lot: Lot, evening: datetime) -> Hand:
    """The system of the operator who runs the lot for ten days."""
    operator, by = registered_operator(), staff("unit", unit_id=lot.unit_id)
    units.sign_agreement(by, unit_of(lot).key, operator.key, terms([lot], evening, days=10), paper())
    return Hand(client, partner_of(operator_id=operator.id))


def test_an_operators_system_speaks_for_the_lots_of_its_agreement_alone(operated: Hand, lot: Lot) -> None:
    other = open_lot(bays=5)
    assert [own["lot"] for own in operated.ask("GET", "/lots")["lots"]] == [str(lot.key)]
    assert operated.verdicts("counts", count(lot), count(other)) == ["recorded", "lot_not_found"]


def test_with_the_agreement_ends_what_it_may_say_and_what_is_shown_of_it(
    operated: Hand, lot: Lot, evening: datetime, at: At
) -> None:
    at(evening + timedelta(days=10) - timedelta(minutes=1))
    assert operated.verdicts("counts", count(lot)) == ["recorded"]
    assert lot.id in fresh_counts([lot.id], clock.now())
    at(evening + timedelta(days=10))
    assert operated.verdicts("counts", count(lot)) == ["lot_not_found"]
    assert operated.ask("GET", "/lots")["lots"] == []
    assert fresh_counts([lot.id], clock.now()) == {}


def test_another_operators_system_finds_nothing(client: FlaskClient, operated: Hand, lot: Lot) -> None:
    stranger = Hand(client, partner_of(operator_id=registered_operator().id))
    assert stranger.verdicts("counts", count(lot)) == ["lot_not_found"]


def test_the_unit_and_its_operator_may_both_tell(hand: Hand, operated: Hand, lot: Lot, evening: datetime) -> None:
    assert hand.verdicts("counts", count(lot, 4, evening - timedelta(minutes=2))) == ["recorded"]
    assert operated.verdicts("counts", count(lot, 2, evening - timedelta(minutes=3))) == ["recorded"]
    assert fresh_counts([lot.id], clock.now())[lot.id].free == 4
