"""Which references bound a lot: proposed by the radius or a person, approved by another, dated."""

from datetime import datetime

import pytest
from flask import Flask

from app.domain.policies.actions import lay_down
from app.domain.pricing import actions as pricing
from app.domain.pricing.models import ReferenceSet
from app.domain.pricing.queries.register import around, references
from app.domain.pricing.rules.surroundings import Known, metres, surrounding
from app.domain.staff.rules import NotPermitted
from app.kernel import clock
from app.kernel.refusals import NotFound
from app.kernel.spans import span
from app.kernel.states import WrongState
from tests.ground import Run
from tests.prices.scene import DAY, refusing
from tests.races import at_once
from tests.world import OwnLot, bound, hourly, open_own_lot, paper, price_officers, reference, shanghai, staff, tariff

HERE = (30.25, 120.15)
NORTH_300 = (30.2527, 120.15)
NORTH_900 = (30.2581, 120.15)
SQUARE = ((30.2, 120.1), (30.3, 120.1), (30.3, 120.2), (30.2, 120.2))


def lot_here() -> OwnLot:
    return open_own_lot(latitude=HERE[0], longitude=HERE[1])


def members(row: ReferenceSet, own: OwnLot) -> dict[str, int | None]:
    found = next(each for each in around(price_officers()[0], own.key).sets if each.key == row.key)
    return dict(found.members)


def zone(name: str = "示例价区", outline: tuple[tuple[float, float], ...] = SQUARE) -> None:
    one, other = price_officers()
    valid = span(shanghai("2026-01-01 00:00"), None)
    told = pricing.NewReference(name, "示例价〔2026〕2号", tariff(hourly(500)), valid, None, outline)
    pricing.approve_reference(other, pricing.propose_reference(one, told, paper()).key)


def test_the_radius_proposes_what_lies_within_it_with_the_distance(evening: datetime) -> None:
    own = lot_here()
    reference(point=NORTH_300, name="近处")
    reference(point=NORTH_900, name="远处")
    made = pricing.propose_references(price_officers()[0], own.key)
    assert (made.radius_m, members(made, own)) == (500, {"近处": 300})


def test_the_radius_is_the_citys_number(evening: datetime) -> None:
    own = lot_here()
    reference(point=NORTH_300, name="近处")
    reference(point=NORTH_900, name="远处")
    lay_down("reference_radius_m", 1000, clock.now(), "test", scope="lot", scope_id=own.lot.id)
    assert members(pricing.propose_references(price_officers()[0], own.key), own) == {"近处": 300, "远处": 901}


def test_without_a_lot_near_by_the_smallest_zone_around_stands_in(evening: datetime) -> None:
    own = lot_here()
    zone("大区")
    zone("小区", ((30.24, 120.14), (30.26, 120.14), (30.26, 120.16), (30.24, 120.16)))
    zone("别处", ((30.4, 120.1), (30.5, 120.1), (30.5, 120.2)))
    reference(point=NORTH_900, name="远处")
    made = pricing.propose_references(price_officers()[0], own.key)
    assert members(made, own) == {"小区": None}


def test_a_reference_that_is_over_or_not_yet_approved_proposes_nothing(evening: datetime) -> None:
    own = lot_here()
    reference(point=NORTH_300, until=evening - DAY)
    told = pricing.NewReference("未批", "示例", tariff(), reference(point=NORTH_900).valid, NORTH_300)
    pricing.propose_reference(price_officers()[0], told, paper())
    with pytest.raises(pricing.NothingAround):
        pricing.propose_references(price_officers()[0], own.key)


def test_a_set_that_is_not_what_the_radius_proposes_needs_a_reason(evening: datetime) -> None:
    own = lot_here()
    near, far = reference(point=NORTH_300, name="近处"), reference(point=NORTH_900, name="远处")
    keys = {each.name: each.reference for each in references(price_officers()[0])}
    with pytest.raises(pricing.WhyMissing):
        pricing.propose_references(price_officers()[0], own.key, [keys["远处"]])
    made = pricing.propose_references(price_officers()[0], own.key, [keys["近处"], keys["远处"]], "同一街区")
    assert (members(made, own), made.why) == ({"近处": 300, "远处": 901}, "同一街区")
    assert near.id != far.id


def test_a_set_is_approved_by_another_officer_of_the_place(evening: datetime) -> None:
    own = lot_here()
    reference(point=NORTH_300)
    one, other = price_officers()
    made = pricing.propose_references(one, own.key)
    with pytest.raises(pricing.OwnSet):
        pricing.approve_references(one, made.key)
    with pytest.raises(NotPermitted):
        pricing.approve_references(own.by, made.key)
    with pytest.raises(NotFound):
        pricing.approve_references(staff("price_officer", district_code="330102"), made.key)
    with pytest.raises(pricing.SetInTheMaking):
        pricing.propose_references(other, own.key)
    assert pricing.approve_references(other, made.key).state == "approved"


def test_a_new_set_ends_the_one_before_and_both_stay_readable(evening: datetime) -> None:
    own = lot_here()
    first = bound(own.lot, reference(point=NORTH_300))
    second = bound(own.lot, reference(point=NORTH_900))
    sets = around(price_officers()[0], own.key).sets
    assert [(each.version, each.state) for each in sets] == [(2, "approved"), (1, "superseded")]
    assert sets[0].begins_at == sets[1].ends_at
    assert first.id != second.id


def test_who_proposed_a_set_may_take_it_back_with_a_reason(evening: datetime) -> None:
    own = lot_here()
    reference(point=NORTH_300)
    made = pricing.propose_references(price_officers()[0], own.key)
    with pytest.raises(pricing.WhyMissing):
        pricing.decline_references(price_officers()[0], made.key, "")
    pricing.decline_references(price_officers()[0], made.key, "遗漏一处")
    with pytest.raises(WrongState):
        pricing.approve_references(price_officers()[1], made.key)


def test_of_two_who_approve_a_set_at_once_one_has_an_effect(app: Flask, evening: datetime) -> None:
    own = lot_here()
    reference(point=NORTH_300)
    made = pricing.propose_references(price_officers()[0], own.key)
    third = staff("price_officer")
    deeds = [lambda by=by: pricing.approve_references(by, made.key) for by in (price_officers()[1], third)]
    assert at_once(app, *deeds) == ["WrongState", "done"]


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE reference_set SET lot_id = lot_id", "InsufficientPrivilege"),
        ("UPDATE reference_set SET decided_because = 'x'", "a_decided_set_stays_as_it_was"),
        ("UPDATE reference_set SET valid = tstzrange(lower(valid) - interval '1 day', NULL)",
         "a_decided_set_stays_as_it_was"),
        ("UPDATE reference_set SET valid = NULL", "a_decided_set_stays_as_it_was"),
        ("UPDATE reference_set SET state = 'superseded'", "reference_set_tells_each_move"),
        ("UPDATE reference_set SET state = 'declined', valid = NULL", "a_decided_set_stays_as_it_was"),
        ("DELETE FROM reference_set_member", "InsufficientPrivilege"),
        ("INSERT INTO reference_set_member SELECT id, (SELECT max(id) FROM reference_lot) FROM reference_set",
         "a_decided_set_keeps_its_members"),
    ],
)  # fmt: skip
def test_an_approved_set_stays_as_it_is(evening: datetime, run: Run, statement: str, guard: str) -> None:
    own = lot_here()
    bound(own.lot, reference(point=NORTH_300))
    reference(point=NORTH_900)
    assert refusing(run, statement) == guard


def test_a_set_is_approved_by_nobody_by_hand(evening: datetime, run: Run) -> None:
    own = lot_here()
    reference(point=NORTH_300)
    pricing.propose_references(price_officers()[0], own.key)
    approve = "UPDATE reference_set SET state = 'approved', valid = tstzrange(now(), NULL), decided_at = now()"
    assert refusing(run, approve) == "a_decided_set_says_who_and_when"
    assert refusing(run, f"{approve}, decided_by = proposed_by") == "nobody_approves_his_own_set"
    other = price_officers()[1].account_id
    assert refusing(run, f"{approve}, decided_by = %s", other) == "reference_set_tells_each_move"
    dateless = "UPDATE reference_set SET state = 'approved', decided_at = now(), decided_by = %s"
    assert refusing(run, dateless, other) == "an_approved_set_holds_for_some_time"


def test_an_empty_set_is_never_approved(evening: datetime, run: Run) -> None:
    own = lot_here()
    by = price_officers()[0].account_id
    empty = """WITH made AS (
        INSERT INTO reference_set (key, lot_id, version, why, state, proposed_by, proposed_at)
        VALUES (gen_random_uuid(), %s, 1, '', 'proposed', %s, now()) RETURNING id
    ) INSERT INTO state_event (machine, entity_id, from_state, event, to_state, cause, at)
      SELECT 'reference_set', id, '', 'propose', 'proposed', 'test', now() FROM made"""
    run(empty, own.lot.id, by)
    approve = """UPDATE reference_set SET state = 'approved', valid = tstzrange(now(), NULL), decided_at = now(),
                 decided_by = (SELECT max(id) FROM staff_account)"""
    assert refusing(run, approve) == "an_approved_set_names_somebody"


def test_a_distance_is_that_of_the_map_and_an_outline_holds_what_lies_inside() -> None:
    assert (metres(HERE, HERE), metres(HERE, NORTH_900)) == (0, 901)
    far = [Known(1, "远处", NORTH_900), Known(2, "价区", None, SQUARE)]
    assert [each.name for each in surrounding(HERE, far, 500)] == ["价区"]
    assert surrounding((30.4, 120.15), far, 500) == []
    assert [each.name for each in surrounding(HERE, far, 901)] == ["远处"]
