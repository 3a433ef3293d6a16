"""By which rule several references become one cap: dated, on a legal note, the narrowest place first."""

from datetime import datetime

import pytest

from app.domain.policies.actions import ChangeInThePast
from app.domain.pricing import actions as pricing
from app.domain.pricing.queries import prices_of
from app.domain.pricing.queries.register import cap_rules
from app.domain.search.queries import Asked, fresh, prices_for
from app.domain.staff.rules import NotPermitted
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.terms import ChangeOutOfOrder
from tests.ground import Run
from tests.prices.scene import DAY, HOUR, refusing
from tests.world import OwnLot, bound, charge_by, hourly, open_own_lot, price_officers, reference, staff, tariff

NOTE = "示例：价格主管部门答复"


@pytest.fixture
def own(evening: datetime) -> OwnLot:
    """A lot at 9 yuan an hour with references at 3, 4 and 6 yuan."""
    lot = open_own_lot()
    bound(lot.lot, *(reference(hourly(fen)) for fen in (300, 401, 600)))
    charge_by(lot.lot, tariff(hourly(900)), evening - DAY)
    return lot


def cap(own: OwnLot, at: datetime | None = None) -> int | None:
    """The cap of an hour's stay that begins at a moment, as a bill and as a search tell it."""
    begins_at = at or clock.now()
    with transaction():
        fee = prices_of(own.lot.id, begins_at, begins_at + HOUR).fee(begins_at, begins_at + HOUR, "small")
    found = fresh().by_key(own.key)
    assert found is not None
    assert prices_for(Asked(begins_at, begins_at + HOUR)).of(found).fee_fen == fee.fee_fen
    return fee.cap_fen


def test_the_lowest_counts_where_nobody_has_said_otherwise(own: OwnLot) -> None:
    assert cap(own) == 300
    assert cap_rules(price_officers()[0]) == []


@pytest.mark.parametrize(("rule", "fen"), [("lowest", 300), ("highest", 600), ("average", 433)])
def test_a_rule_combines_the_fees_of_the_very_stay(own: OwnLot, rule: str, fen: int) -> None:
    pricing.set_cap_rule(price_officers()[0], rule, NOTE)
    assert cap(own) == fen
    assert [(each.rule, each.legal_note) for each in cap_rules(own.by)] == [(rule, NOTE)]


def test_the_narrowest_place_wins(own: OwnLot) -> None:
    officer = price_officers()[0]
    pricing.set_cap_rule(officer, "highest", NOTE)
    pricing.set_cap_rule(officer, "average", NOTE, scope="unit", scope_id=own.lot.unit_id)
    assert cap(own) == 433
    pricing.set_cap_rule(officer, "lowest", NOTE, scope="lot", scope_id=own.lot.id)
    assert cap(own) == 300


def test_a_rule_holds_for_stays_that_begin_from_its_moment_on(own: OwnLot, evening: datetime) -> None:
    pricing.set_cap_rule(price_officers()[0], "highest", NOTE, evening + DAY)
    assert (cap(own), cap(own, evening + DAY)) == (300, 600)


def test_a_rule_needs_its_note_its_name_and_a_moment_to_come(own: OwnLot, evening: datetime) -> None:
    officer = price_officers()[0]
    with pytest.raises(pricing.WhyMissing):
        pricing.set_cap_rule(officer, "lowest", " ")
    with pytest.raises(pricing.UnknownCapRule):
        pricing.set_cap_rule(officer, "median", NOTE)
    with pytest.raises(ChangeInThePast):
        pricing.set_cap_rule(officer, "lowest", NOTE, evening - DAY)
    pricing.set_cap_rule(officer, "lowest", NOTE, evening + DAY)
    with pytest.raises(ChangeOutOfOrder):
        pricing.set_cap_rule(officer, "highest", NOTE, evening + HOUR)
    with pytest.raises(NotPermitted):
        pricing.set_cap_rule(staff("regulator"), "lowest", NOTE)


def test_a_rule_only_ends(own: OwnLot, run: Run) -> None:
    pricing.set_cap_rule(price_officers()[0], "lowest", NOTE)
    assert refusing(run, "UPDATE cap_rule SET rule = 'highest'") == "InsufficientPrivilege"
    assert refusing(run, "UPDATE cap_rule SET valid = tstzrange(NULL, NULL)") == "cap_rule_only_ends"
    assert refusing(run, "DELETE FROM cap_rule") == "InsufficientPrivilege"
    bad = """INSERT INTO cap_rule (scope, scope_id, rule, legal_note, valid, set_by, set_at)
             SELECT {}, tstzrange('2020-01-01', '2020-02-01'), set_by, now() FROM cap_rule"""
    assert refusing(run, bad.format("'city', 0, 'lowest', ''")) == "a_cap_rule_says_on_what_it_rests"
    assert refusing(run, bad.format("'city', 0, 'median', 'x'")) == "a_cap_rule_is_one_of_three"
    assert refusing(run, bad.format("'city', 1, 'lowest', 'x'")) == "the_citys_cap_rule_names_no_place"
