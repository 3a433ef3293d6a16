"""What is shown of a partner's counts: the newest while it is fresh, else nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.domain.lots.models import Lot
from app.domain.partners import actions as partners
from app.domain.partners.queries import FreshCount, fresh_counts
from app.domain.partners.rules import Count
from app.domain.policies.models import PolicyNumber
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.spans import span
from tests.partners.stand import partner_of
from tests.world import staff

At = Callable[[datetime], None]


def told(partner_id: int, lot: Lot, free: int, at: datetime) -> str:
    count = Count(free, 5, None, at)
    return partners.take_counts(partner_id, [partners.CountRecord({}, lot.key, count)])[0].outcome


def shown(lot: Lot) -> FreshCount | None:
    return fresh_counts([lot.id], clock.now()).get(lot.id)


def test_the_newest_count_is_shown_while_it_is_fresh(lot: Lot, evening: datetime, at: At) -> None:
    partner = partner_of(lot.unit_id)
    told(partner.id, lot, 3, evening - timedelta(minutes=2))
    told(partner.id, lot, 2, evening)
    assert shown(lot) == FreshCount(2, 5, None, evening)
    at(evening + timedelta(minutes=9))
    assert shown(lot) == FreshCount(2, 5, None, evening)


def test_an_old_count_is_unknown_and_not_the_last_number(lot: Lot, evening: datetime, at: At) -> None:
    told(partner_of(lot.unit_id).id, lot, 3, evening)
    at(evening + timedelta(minutes=10, seconds=1))
    assert shown(lot) is None


@pytest.mark.parametrize(("scope", "limit", "known"), [("lot", 60, False), ("unit", 60, False), ("lot", 900, True)])
def test_how_long_a_count_is_fresh_is_a_policy_number(
    lot: Lot, evening: datetime, at: At, scope: str, limit: int, known: bool
) -> None:
    told(partner_of(lot.unit_id).id, lot, 3, evening)
    place = {"lot": lot.id, "unit": lot.unit_id}[scope]
    with transaction() as session:
        session.add(
            PolicyNumber(
                name="partner_count_fresh_seconds", scope=scope, scope_id=place, value=limit, valid=span(evening, None)
            )
        )
    at(evening + timedelta(minutes=5 if limit < 600 else 12))
    assert (shown(lot) is not None) == known


def test_what_a_revoked_partner_told_is_not_shown(lot: Lot, evening: datetime) -> None:
    partner = partner_of(lot.unit_id)
    told(partner.id, lot, 3, evening)
    partners.revoke(staff("administrator"), partner.key, "示例")
    assert shown(lot) is None


def test_of_two_partners_the_newer_count_is_shown(lot: Lot, evening: datetime) -> None:
    told(partner_of(lot.unit_id).id, lot, 3, evening - timedelta(minutes=1))
    told(partner_of(lot.unit_id).id, lot, 4, evening)
    assert shown(lot) == FreshCount(4, 5, None, evening)


def test_a_lot_of_which_nobody_told_is_unknown(lot: Lot) -> None:
    assert shown(lot) is None
