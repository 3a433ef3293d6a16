"""One row for each supply clause of the notice 杭政办函〔2025〕68号: what the platform does about it, in a few lines.

A row is a clause, a sentence, and a check: a function of one argument, the moment at which the test stands (a Wednesday
evening, lots are open). To add a row, write its check below and name it in `ROWS`; each clause of SUPPLY needs one.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import func, select

from app.domain.adjustments import actions as adjustments
from app.domain.adjustments.rules import CloseLot
from app.domain.city_feed.actions import find_lots
from app.domain.city_feed.models import CityUpload
from app.domain.lots import actions as lots
from app.domain.lots.models import Lot, OpenWindow
from app.domain.lots.queries import IS_PUBLIC, Point, place_of
from app.domain.lots.queries.history import coverage, standing_of
from app.domain.lots.queries.plans import contacts_of, plan_in_force
from app.domain.lots.queries.standing import facts_of, shortfalls_of
from app.domain.lots.rules.shortfalls import IN_FORCE, blocking, shortfalls
from app.domain.policies.rules import CITY_DEFAULTS
from app.domain.pricing import actions as pricing
from app.domain.pricing.queries import fee_of_span, price_words
from app.domain.pricing.queries.shown import coming_changes, shown_prices
from app.domain.search.queries import Asked, find_open, lot_page
from app.domain.units.models import Unit
from app.domain.units.queries import is_run
from app.domain.units.rules import GROUNDS
from app.kernel import clock
from app.kernel.db import transaction
from tests.adjustments.scene import EVENT, booked, hours, state, told
from tests.prices.scene import bounded_lot, charged, drafted, open_tasks, published
from tests.world import (
    CONTACTS,
    OwnLot,
    ask,
    bound,
    draft_lot,
    gate,
    hourly,
    lots_regulator,
    new_plan,
    open_lot,
    open_own_lot,
    planned_lot,
    price_officers,
    reference,
    shanghai,
    some_plate,
    staff,
)

SUPPLY: Final = {
    "N2.1", "N2.2.1", "N2.2.2", "N2.2.3", "N2.2.4", "N2.2.5", "N3.1", "N3.2", "N3.3", "N4.7", "N5.4", "N5.6", "N6",
}  # fmt: skip
"""The clauses of supply, and that of prices."""


def unit_of(own: OwnLot) -> Unit:
    with transaction() as session:
        return session.get_one(Unit, own.lot.unit_id)


def codes(own: OwnLot) -> set[str]:
    return {each.code for each in blocking(shortfalls_of(own.lot.id))}


def each_ground_of_exception_keeps_a_unit_shut(_: datetime) -> None:
    for ground in GROUNDS:
        own = open_own_lot()
        lots.exclude(lots_regulator(), unit_of(own).key, ground, "示例", "示例文号")
        with pytest.raises(lots.LotFallsShort):
            lots.reopen(own.by, own.key, "示例")
        with transaction() as session:
            shown = session.scalar(select(Lot.id).where(Lot.id == own.lot.id, IS_PUBLIC))
        assert (shown is None) is (ground == "secret")


def windows_follow_office_hours_and_the_calendar(_: datetime) -> None:
    own = open_own_lot()
    with transaction() as session:
        rows = session.execute(
            select(func.lower(OpenWindow.during), func.upper(OpenWindow.during), OpenWindow.calendar_ids)
            .where(OpenWindow.lot_id == own.lot.id)
            .order_by(OpenWindow.during)
        ).all()
    assert (rows[1][0], rows[1][1]) == (shanghai("2026-06-10 18:30"), shanghai("2026-06-11 08:00"))
    friday = next(row for row in rows if row[0] == shanghai("2026-06-12 18:30"))
    assert friday[1] == shanghai("2026-06-15 08:00")
    assert friday[2]


def a_third_is_asked_for_and_less_needs_a_reason(_: datetime) -> None:
    own = draft_lot(1, total_bays=10)
    plan = lots.draft_plan(own.by, own.key, new_plan(1), CONTACTS)
    with pytest.raises(lots.ShorterNeedsReason):
        lots.submit_plan(own.by, plan.key)
    assert standing_of(own.by, unit_of(own).key).counts.bays_percent == 10
    centre = planned_lot(3, area="centre")
    assert "bays_below_encouraged" in {each.code for each in shortfalls_of(centre.lot.id)}


def a_car_without_reservation_is_let_in_while_a_bay_is_free(_: datetime) -> None:
    entrance = gate(open_lot(bays=1))
    assert ask(entrance, some_plate()).decision == "open"
    assert ask(entrance, some_plate()).reason == "full"


def nothing_is_published_before_its_facilities_were_found_sound(_: datetime) -> None:
    own = draft_lot()
    assert "facilities_never" in codes(own)
    lots.check_facilities(own.by, own.key, lots.Found(security=True, lighting=False, fire=True, note="示例"))
    assert "facilities_unsound" in codes(own)


def a_free_lot_is_published_and_counted_like_any_other(_: datetime) -> None:
    own = open_own_lot(3)
    assert "payee_missing" in {each.code for each in shortfalls_of(own.lot.id)}
    assert [each.open_bays for each in coverage(lots_regulator())] == [3]


def a_lot_is_run_by_its_unit_or_by_one_operator(evening: datetime) -> None:
    own = open_own_lot()
    assert is_run(own.lot.id, evening)
    assert place_of(own.lot.id).operator_ids == frozenset()
    lost = replace(facts_of(own.lot), operation="expired")
    assert "agreement_expired" in {each.code for each in shortfalls(lost, CITY_DEFAULTS, evening)}


def a_lot_opens_under_a_plan_that_another_approved(_: datetime) -> None:
    own = draft_lot()
    assert "plan_missing" in codes(own)
    plan = lots.draft_plan(own.by, own.key, new_plan(), CONTACTS)
    lots.submit_plan(own.by, plan.key)
    lots.approve_plan(lots_regulator(), plan.key)
    assert "plan_missing" not in codes(own)
    in_force = plan_in_force(own.lot.id)
    assert in_force is not None
    assert in_force.safety_rules
    assert in_force.emergency_plan
    assert in_force.decided_by != in_force.made_by


def somebody_answers_for_each_lot_and_can_be_reached(_: datetime) -> None:
    own = planned_lot()
    plan = plan_in_force(own.lot.id)
    assert plan is not None
    assert [(each.role, bool(each.phone), bool(each.duty_times)) for each in contacts_of(plan.id)] == [
        ("responsible", True, True),
        ("deputy", True, True),
    ]


def nothing_is_asked_for_before_the_notice_is_in_force(_: datetime) -> None:
    own = draft_lot()
    before = IN_FORCE - timedelta(seconds=1)
    assert shanghai("2026-03-31 00:00") == IN_FORCE
    assert shortfalls(facts_of(own.lot), CITY_DEFAULTS, before) == []
    assert coverage(staff("regulator"), before) == []


def each_public_lot_is_in_the_one_search_and_due_to_be_told_to_the_citys_system(evening: datetime) -> None:
    lot, unfinished = open_lot(), draft_lot()
    stay = Asked(evening, evening + timedelta(hours=1))
    found = find_open(Point(lot.latitude, lot.longitude), stay, 20_000, None, 20)
    assert {each.lot.id for each in found} == {lot.id}
    find_lots()
    with transaction() as session:
        assert session.scalars(select(CityUpload.lot_id).where(CityUpload.kind == "lot")).all() == [lot.id]
    assert unfinished.lot.id != lot.id


def an_adjustment_holds_at_once_and_nobody_is_left_without_a_bay_unnoticed(evening: datetime) -> None:
    lot = open_lot(bays=1)
    made = booked(lot, evening, 2, 3)
    adjustments.adjust(staff("regulator"), [lot.key], hours(evening, 1, 4), CloseLot(), EVENT)
    assert (state(made), told(made.motorist_id)) == ("displaced", ["reservation_displaced"])
    stay = Asked(evening + timedelta(hours=2), evening + timedelta(hours=3))
    assert lot_page(lot.key, stay).bays.for_any_car == 0


def a_unit_may_charge_nothing_and_then_needs_no_references(_: datetime) -> None:
    own = open_own_lot(kind="organ")
    assert published(own, 0).state == "published"
    assert price_words([own.lot.id], clock.now())[own.lot.id].is_free


def a_unit_sets_its_price_and_somebody_else_publishes_it_with_version_and_date(_: datetime) -> None:
    own = bounded_lot(600)
    price = published(own, 300)
    assert (price.version, price.made_by) == (1, own.by.account_id)
    assert price.published_by != price.made_by
    assert [row.valid.lower for row in charged(own)] == [price.effective_from]


def no_price_is_activated_without_a_proof_under_the_surrounding_lots(_: datetime) -> None:
    own = bounded_lot(300)
    assert not pricing.prove_price(price_officers()[0], drafted(own, 301).key).holds
    assert charged(own) == []


def a_price_is_proved_again_when_a_reference_changes_and_each_bill_is_capped(_: datetime) -> None:
    own = bounded_lot(600)
    published(own, 300)
    bound(own.lot, reference(hourly(200)))
    pricing.prove_outdated()
    assert [task.subject_id for task in open_tasks("price_above_cap")] == [own.lot.id]
    now = clock.now()
    assert fee_of_span(own.lot.id, now, now + timedelta(hours=1), "small").fee_fen == 200


def drivers_are_shown_the_basis_of_the_cap(_: datetime) -> None:
    own = bounded_lot(600)
    published(own, 300)
    shown = shown_prices(own.lot.id)
    assert shown.now is not None
    assert [each.approval for each in shown.references] == ["示例批复〔2026〕1号"]


def a_dearer_price_is_announced_before_it_holds(_: datetime) -> None:
    own = bounded_lot(600)
    published(own, 300)
    dearer = published(own, 400)
    assert dearer.effective_from is not None
    assert dearer.effective_from >= clock.now() + timedelta(days=6)
    assert [each.notice for each in coming_changes(None, 20)] == [dearer.notice]


Check = Callable[[datetime], None]
ROWS: Final[list[tuple[str, Check]]] = [
    ("N2.1", each_ground_of_exception_keeps_a_unit_shut),
    ("N2.2.1", windows_follow_office_hours_and_the_calendar),
    ("N2.2.2", a_third_is_asked_for_and_less_needs_a_reason),
    ("N2.2.3", a_car_without_reservation_is_let_in_while_a_bay_is_free),
    ("N2.2.4", nothing_is_published_before_its_facilities_were_found_sound),
    ("N2.2.5", a_free_lot_is_published_and_counted_like_any_other),
    ("N3.1", each_public_lot_is_in_the_one_search_and_due_to_be_told_to_the_citys_system),
    ("N3.2", a_lot_is_run_by_its_unit_or_by_one_operator),
    ("N3.3", a_unit_may_charge_nothing_and_then_needs_no_references),
    ("N3.3", a_unit_sets_its_price_and_somebody_else_publishes_it_with_version_and_date),
    ("N3.3", no_price_is_activated_without_a_proof_under_the_surrounding_lots),
    ("N3.3", a_price_is_proved_again_when_a_reference_changes_and_each_bill_is_capped),
    ("N3.3", drivers_are_shown_the_basis_of_the_cap),
    ("N3.3", a_dearer_price_is_announced_before_it_holds),
    ("N4.7", a_lot_opens_under_a_plan_that_another_approved),
    ("N5.4", somebody_answers_for_each_lot_and_can_be_reached),
    ("N5.6", an_adjustment_holds_at_once_and_nobody_is_left_without_a_bay_unnoticed),
    ("N6", nothing_is_asked_for_before_the_notice_is_in_force),
]


@pytest.mark.parametrize(("clause", "check"), ROWS, ids=[f"{clause} {check.__name__}" for clause, check in ROWS])
def test_a_clause_is_kept(clause: str, check: Check, evening: datetime) -> None:
    assert clause in SUPPLY
    check(evening)


def test_every_supply_clause_has_its_row() -> None:
    assert {clause for clause, _ in ROWS} == SUPPLY
