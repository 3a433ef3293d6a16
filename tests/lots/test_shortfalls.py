"""What falls short of the notice is told at once, and blocks only what must be blocked."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.lots import actions as lots
from app.domain.lots.queries.history import coverage, standing_of
from app.domain.lots.queries.standing import shortfalls_of
from app.domain.lots.rules.shortfalls import (
    IN_FORCE,
    Counts,
    LotFacts,
    PlanFacts,
    Shortfall,
    blocking,
    falls_below,
    shortfalls,
)
from app.domain.policies.rules import CITY_DEFAULTS
from app.domain.tasks.models import Task
from app.domain.units.models import Unit
from app.kernel.db import transaction
from tests.world import PHOTO, SOUND, approved_lot, draft_lot, lots_regulator, open_lot, open_own_lot, planned_lot

PLAN = PlanFacts(frozenset({"responsible", "deputy"}), is_shorter=False, reason=None)
GOOD = LotFacts(
    of_unit=Counts(100, 30, 10, 3), of_lot=Counts(100, 30, 10, 3), area="ordinary", plan=PLAN, facilities="sound",
    is_excluded=False, has_credit_code=True, operation="unit", has_payee=True,
)  # fmt: skip


def found(**otherwise: Any) -> list[Shortfall]:
    return shortfalls(replace(GOOD, **otherwise), CITY_DEFAULTS, IN_FORCE)


def test_a_lot_that_keeps_to_the_notice_lacks_nothing() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("otherwise", "code", "blocks"),
    [
        ({"is_excluded": True}, "unit_excluded", True),
        ({"has_credit_code": False}, "credit_code_missing", True),
        ({"operation": "expired"}, "agreement_expired", True),
        ({"plan": None}, "plan_missing", True),
        ({"plan": replace(PLAN, roles=frozenset({"deputy"}))}, "responsible_missing", True),
        ({"plan": replace(PLAN, roles=frozenset({"responsible"}))}, "deputy_missing", True),
        ({"facilities": "never"}, "facilities_never", True),
        ({"facilities": "unsound"}, "facilities_unsound", True),
        ({"facilities": "old"}, "facilities_old", True),
        ({"of_unit": Counts(101, 30, 10, 3)}, "bays_below_target", True),
        ({"of_unit": Counts(100, 30, 11, 3)}, "chargers_below_target", True),
        ({"plan": replace(PLAN, is_shorter=True)}, "hours_shorter", True),
        ({"plan": replace(PLAN, is_shorter=True, reason="值守")}, "hours_shorter", False),
        ({"of_unit": Counts(101, 30, 10, 3), "plan": replace(PLAN, reason="自用")}, "bays_below_target", False),
        ({"area": "centre", "of_unit": Counts(100, 39, 0, 0)}, "bays_below_encouraged", False),
        ({"area": "commercial"}, "bays_below_encouraged", False),
        ({"has_payee": False}, "payee_missing", False),
    ],
)
def test_each_thing_that_falls_short_is_named(otherwise: dict[str, Any], code: str, blocks: bool) -> None:
    (told,) = found(**otherwise)
    assert (told.code, told.blocking) == (code, blocks)
    assert told.message


def test_a_unit_without_chargers_lacks_none() -> None:
    assert found(of_unit=Counts(100, 30, 0, 0)) == []


def test_what_blocks_is_told_first() -> None:
    told = found(has_payee=False, is_excluded=True, facilities="old")
    assert [each.blocking for each in told] == [True, True, False]


def test_nothing_is_enforced_before_the_notice_is_in_force() -> None:
    before = IN_FORCE - timedelta(microseconds=1)
    assert shortfalls(replace(GOOD, is_excluded=True, plan=None), CITY_DEFAULTS, before) == []
    assert not falls_below(Counts(100, 0, 10, 0), CITY_DEFAULTS, before)
    assert falls_below(Counts(100, 0, 10, 0), CITY_DEFAULTS, IN_FORCE)


@given(st.integers(1, 500), st.integers(0, 500))
def test_thirty_percent_are_counted_without_rounding_up(total: int, shared: int) -> None:
    is_enough = shared * 100 >= 30 * total
    told = found(of_unit=Counts(total, shared, 0, 0))
    assert ("bays_below_target" in {each.code for each in told}) is not is_enough


def test_a_submission_tells_what_is_missing_and_approval_refuses_it(evening: datetime) -> None:
    own = draft_lot()
    lots.submit(own.by, own.key)
    assert {each.code for each in blocking(shortfalls_of(own.lot.id))} == {"plan_missing", "facilities_never"}
    with pytest.raises(lots.LotFallsShort):
        lots.approve(lots_regulator(), own.key)


def test_shares_are_counted_over_the_unit_and_shown_by_lot(evening: datetime) -> None:
    own = open_own_lot(2)
    with transaction() as session:
        unit = session.get_one(Unit, own.lot.unit_id)
    draft_lot(1, of_unit=unit, total_bays=6)
    found = standing_of(lots_regulator(), unit.key)
    assert [(each.counts.shared_bays, each.counts.total_bays) for each in found.lots] == [(2, 6), (1, 6)]
    assert (found.counts.shared_bays, found.counts.total_bays, found.counts.bays_percent) == (3, 12, 25)
    assert "bays_below_target" in {each.code for each in shortfalls_of(own.lot.id)}


def test_facilities_that_were_not_checked_for_a_year_keep_a_lot_from_being_published(evening: datetime) -> None:
    own = planned_lot()
    with pytest.raises(lots.CheckWrong):
        lots.check_facilities(own.by, own.key, SOUND, PHOTO, evening - timedelta(days=400))
    early = draft_lot()
    lots.check_facilities(early.by, early.key, SOUND, PHOTO, evening - timedelta(days=366))
    assert "facilities_old" in {each.code for each in shortfalls_of(early.lot.id)}


@pytest.mark.parametrize(
    "check", [lots.Found(security=True, lighting=True, fire=True), lots.Found(security=False, lighting=True, fire=True)]
)
def test_a_sound_check_shows_a_photo_and_an_unsound_one_says_why(evening: datetime, check: lots.Found) -> None:
    own = draft_lot()
    with pytest.raises(lots.CheckWrong):
        lots.check_facilities(own.by, own.key, check)


def test_old_contacts_and_facilities_open_a_task_once_and_a_check_closes_it(at: Any, evening: datetime) -> None:
    own = approved_lot()
    assert lots.remind_of_checks() == 0
    at(evening + timedelta(days=91))
    assert (lots.remind_of_checks(), lots.remind_of_checks()) == (1, 0)
    lots.check_contacts(own.by, own.key)
    at(evening + timedelta(days=91, hours=1))
    assert lots.remind_of_checks() == 0
    at(evening + timedelta(days=366))
    assert lots.remind_of_checks() == 2
    with transaction() as session:
        told = {(task.kind, task.closed_at is None, task.unit_id) for task in session.query(Task)}
    assert told == {
        ("lot_contacts_due", False, own.lot.unit_id),
        ("lot_contacts_due", True, own.lot.unit_id),
        ("lot_facilities_due", True, own.lot.unit_id),
    }


def test_coverage_counts_what_is_promised_and_what_is_open(evening: datetime, at: Any) -> None:
    open_lot(3)
    draft_lot(2)
    (xihu,) = [each for each in coverage(lots_regulator()) if each.district_code == "330106"]
    assert (xihu.units, xihu.opening_units, xihu.lots, xihu.open_lots) == (2, 1, 2, 1)
    assert (xihu.total_bays, xihu.promised_bays, xihu.open_bays) == (15, 3, 3)
    assert coverage(lots_regulator(), IN_FORCE - timedelta(days=1)) == []
