"""A car that does not leave: tasks, a list to call, and at last a tow by the word of two."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.domain.departures import actions
from app.domain.departures.actions import call, call_tow_off, escalate, order_tow, record_tow
from app.domain.departures.models import Tow
from app.domain.lots.models import Lot
from app.domain.messages.models import Message
from app.domain.motorists.models import Motorist
from app.domain.staff.rules import Actor, NotPermitted
from app.domain.stays.models import Stay
from app.domain.tasks.models import Task
from app.kernel.crypto import blind_index, seal
from app.kernel.db import transaction
from tests.commands import refused, told
from tests.prices.scene import refusing
from tests.races import at_once
from tests.world import Driver, drive, driver, gate, open_lot, parked_stay, shanghai, staff

At = Callable[[datetime], None]
PHONE = "+8613812345678"
WHERE = ("示例公司", "示例路2号", "P-17")


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


@pytest.fixture
def who(lot: Lot) -> Driver:
    """A motorist who gave a telephone number."""
    known = driver()
    with transaction() as session:
        motorist = session.get_one(Motorist, known.id)
        motorist.phone_bidx = blind_index("motorist.phone", PHONE)
        motorist.phone_enc = seal(PHONE, f"motorist.phone:{motorist.key}")
    return known


@pytest.fixture
def stay(who: Driver, lot: Lot) -> Stay:
    """Parked since 20:00; the lot closes at 08:00."""
    return parked_stay(who, gate(lot))


@pytest.fixture
def guard(lot: Lot) -> Actor:
    return staff("unit", unit_id=lot.unit_id)


def morning(clock: str) -> datetime:
    return shanghai(f"2026-06-11 {clock}")


def open_tasks() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Task.kind).where(Task.closed_at.is_(None)).order_by(Task.id)))


def ordered(guard: Actor, stay: Stay, at: At) -> Tow:
    """A tow that waits for its approval, at 11:10."""
    at(morning("10:00"))
    call(guard, stay.key, "no_answer")
    at(morning("11:10"))
    return order_tow(guard, stay.key, "占用公务车位")


def state(tow: Tow) -> str:
    with transaction() as session:
        return session.get_one(Tow, tow.id).state


def messages(who: Driver) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Message.kind).filter_by(motorist_id=who.id).order_by(Message.id)))


def test_trouble_is_handed_on_step_by_step_and_ends_when_the_car_leaves(
    stay: Stay, lot: Lot, who: Driver, at: At
) -> None:
    steps = ["car_overstays", "car_blocks_the_unit", "car_may_be_towed"]
    for clock, count in [("08:14", 0), ("08:16", 1), ("08:59", 1), ("09:01", 2), ("10:59", 2), ("11:01", 3)]:
        at(morning(clock))
        escalate()
        assert open_tasks() == steps[:count], clock
    assert escalate() == 0
    drive(gate(lot, "out"), who.plate)
    assert escalate() == 3
    assert not set(open_tasks()) & set(steps)


def test_the_guards_list_is_masked_and_each_look_at_a_number_is_written_down(
    app: Flask, stay: Stay, guard: Actor, who: Driver, at: At
) -> None:
    at(morning("08:10"))
    assert told(app, guard, "departures", "overstays") == []
    assert refused(app, guard, "departures", "number", stay.key) == "not_overstaying"
    at(morning("08:20"))
    (line,) = told(app, guard, "departures", "overstays")
    assert (line["stay"], line["phone"], line["plate"]) == (str(stay.key), "138****5678", who.plate.masked())
    assert told(app, guard, "departures", "number", stay.key)["number"] == "13812345678"
    assert told(app, guard, "departures", "call", stay.key, "promised")["result"] == "已联系，答应驶离"
    (line,) = told(app, guard, "departures", "overstays")
    assert (line["calls"], line["result_text"]) == (1, "已联系，答应驶离")
    with transaction() as session:
        looks = session.execute(text("SELECT action FROM audit_entry WHERE action LIKE 'departures.%' ORDER BY id"))
        told_of = [each.removeprefix("departures.") for (each,) in looks]
    assert told_of == ["look", "look", "reveal_number", "call", "look"]


def test_nobody_of_another_unit_calls_or_tows(stay: Stay, at: At) -> None:
    at(morning("11:10"))
    stranger = staff("unit", unit_id=open_lot().unit_id)
    for deed in (partial(call, result="no_answer"), partial(order_tow, why="示例")):
        with pytest.raises(Exception, match="not_found"):
            deed(stranger, stay.key)
    with pytest.raises(NotPermitted):
        order_tow(staff("price_officer"), stay.key, "示例")


def test_cars_that_were_raised_keep_none_behind_them_waiting(lot: Lot, at: At) -> None:
    device = gate(lot)
    for _ in range(2):
        parked_stay(driver(), device)
    at(morning("09:30"))
    assert [escalate(limit=1) for _ in range(3)] == [2, 2, 0]


def test_a_car_is_towed_hours_late_and_after_a_call_that_had_time_to_help(stay: Stay, guard: Actor, at: At) -> None:
    at(morning("10:50"))
    call(guard, stay.key, "refused")
    with pytest.raises(actions.TooEarlyToTow) as refusal:
        order_tow(guard, stay.key, "示例")
    assert refusal.value.details == {"minutes": 180}
    at(morning("11:10"))
    with pytest.raises(actions.TooEarlyToTow) as refusal:
        order_tow(guard, stay.key, "示例")
    assert refusal.value.details == {"minutes": 30}
    at(morning("11:21"))
    with pytest.raises(actions.TowUntold):
        order_tow(guard, stay.key, " ")
    assert order_tow(guard, stay.key, "占用公务车位").state == "ordered"
    with pytest.raises(actions.TowInTheMaking):
        order_tow(guard, stay.key, "占用公务车位")


def test_two_people_tow_a_car_and_its_motorist_learns_where_it_is(
    app: Flask, stay: Stay, guard: Actor, who: Driver, at: At
) -> None:
    tow = ordered(guard, stay, at)
    assert messages(who)[-1] == "tow_ordered"
    with pytest.raises(actions.OwnTow):
        actions.approve_tow(guard, tow.key)
    with pytest.raises(actions.TowNotOpen):
        record_tow(guard, tow.key, *WHERE)
    boss = staff("regulator")
    assert told(app, boss, "departures", "approve-tow", tow.key)["state"] == "approved"
    with pytest.raises(actions.TowUntold):
        record_tow(guard, tow.key, "示例公司", "", "P-17")
    assert record_tow(guard, tow.key, *WHERE).state == "towed"
    assert messages(who)[-1] == "towed"
    with pytest.raises(actions.TowNotOpen):
        call_tow_off(boss, tow.key, "示例")


def test_a_tow_is_off_when_the_car_leaves_or_a_person_says_so(
    stay: Stay, guard: Actor, lot: Lot, who: Driver, at: At
) -> None:
    first = ordered(guard, stay, at)
    assert call_tow_off(guard, first.key, "车主已到场").ended_because == "车主已到场"
    second = order_tow(guard, stay.key, "占用公务车位")
    drive(gate(lot, "out"), who.plate)
    with pytest.raises(actions.TowNotOpen):
        actions.approve_tow(staff("regulator"), second.key)
    escalate()
    assert state(second) == "off"
    with pytest.raises(actions.NotOverstaying):
        order_tow(guard, stay.key, "示例")


def test_of_two_orders_at_once_one_stands_and_of_approval_and_calling_off_one(
    app: Flask, stay: Stay, guard: Actor, at: At
) -> None:
    at(morning("10:00"))
    call(guard, stay.key, "no_answer")
    at(morning("11:10"))
    assert at_once(app, *[partial(order_tow, guard, stay.key, "示例")] * 2) == ["TowInTheMaking", "done"]
    with transaction() as session:
        key = session.scalars(select(Tow.key)).one()
    ends = at_once(
        app, partial(actions.approve_tow, staff("regulator"), key), partial(call_tow_off, guard, key, "示例")
    )
    assert ends in (["TowNotOpen", "done"], ["done", "done"])


OWN_APPROVAL = "UPDATE tow SET state = 'approved', approved_by = ordered_by, approved_at = now()"
TWICE = """INSERT INTO tow (key, stay_id, until, call_id, called_at, state, why, ordered_by, ordered_at)
           SELECT gen_random_uuid(), stay_id, until, call_id, called_at, 'ordered', why, ordered_by, ordered_at
           FROM tow"""


@pytest.mark.parametrize(
    ("statement", "guard_of_it"),
    [
        (OWN_APPROVAL, "nobody_approves_his_own_tow"),
        ("UPDATE tow SET state = 'approved'", "a_car_is_towed_upon_approval"),
        ("UPDATE tow SET state = 'towed'", "tow_follows_its_graph"),
        ("UPDATE tow SET state = 'off'", "a_tow_that_is_off_says_why"),
        ("UPDATE tow SET call_id = call_id + 1", "InsufficientPrivilege"),
        ("DELETE FROM overstay_call", "InsufficientPrivilege"),
        (TWICE, "a_car_is_towed_once_at_a_time"),
    ],
)
def test_the_tables_tow_nothing_by_one_persons_word(
    stay: Stay, guard: Actor, at: At, run: Callable[..., int], statement: str, guard_of_it: str
) -> None:
    ordered(guard, stay, at)
    assert refusing(run, statement) == guard_of_it
