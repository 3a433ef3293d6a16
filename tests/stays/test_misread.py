"""A plate misread at the exit, and stays rebuilt from nothing but what gates told."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.gates.models import GateCommand, GateDevice
from app.domain.lots.models import Lot
from app.domain.motorists.plates import Plate, read_plate
from app.domain.stays.actions import open_payment, project, settle
from app.domain.stays.models import Misreading, Stay
from app.domain.stays.queries import bills_of
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from tests.commands import refused, run, told
from tests.world import ask, drive, driver, gate, gate_event, open_lot, paid, parked_stay, recorded, some_plate, staff

Move = Callable[[datetime], None]


def plate(characters: str) -> Plate:
    return read_plate(characters, "blue")


def states() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Stay.state).order_by(Stay.id)))


def open_tasks() -> list[str]:
    with transaction() as session:
        return sorted(session.scalars(select(Task.kind).where(Task.closed_at.is_(None))))


def looked_at() -> list[int]:
    """Passages whose plate a person was shown, as the log tells."""
    with transaction() as session:
        return list(session.scalars(select(AuditEntry.subject_id).filter_by(action="stays.see_passages")))


def test_a_misread_car_pays_is_let_out_and_its_stay_ends(evening: datetime, at: Move) -> None:
    who, lot = driver(plate("浙A12348")), open_lot()
    stay, exit_gate = parked_stay(who, gate(lot)), gate(lot, "out")
    at(evening + timedelta(minutes=30))
    assert ask(exit_gate, plate("浙A1234B")).reason == "unpaid"
    paid(open_payment(who.id, stay.key))
    settle(bills_of(stay.id)[0].key)
    with transaction() as session:
        opens = session.scalars(select(GateCommand.device_id).where(GateCommand.type == "open")).all()
    assert opens == [exit_gate.id]
    assert ask(exit_gate, plate("浙A1234B")).reason == "settled"
    drive(exit_gate, plate("浙A1234B"))
    assert (states(), open_tasks()) == (["settled"], [])
    with transaction() as session:
        assert set(session.scalars(select(Misreading.distance))) == {30}


def test_where_two_cars_inside_come_into_question_a_person_decides(app: Flask, evening: datetime, at: Move) -> None:
    lot = open_lot()
    entrance, exit_gate = gate(lot), gate(lot, "out")
    for each in ("浙A12348", "浙AI234B"):
        drive(entrance, plate(each))
    at(evening + timedelta(minutes=30))
    read = plate("浙A1Z34B")
    assert ask(exit_gate, read).reason == "not_inside"
    event = drive(exit_gate, read)
    assert (states(), open_tasks()) == (["parked", "parked"], ["passage_out_not_understood"])
    guard = staff("unit", unit_id=lot.unit_id)
    seen = told(app, guard, "stays", "passage", event)
    assert (seen["outcome"], len(seen["likely"]), seen["plate_read"]) == ("review", 2, "浙A1Z34B")
    assert looked_at() == [event]
    meant = seen["likely"][0]["stay"]
    assert told(app, guard, "stays", "assign-exit", event, meant)["state"] == "owing"
    assert sorted(states()) == ["owing", "parked"]
    assert "passage_out_not_understood" not in open_tasks()
    assert refused(app, guard, "stays", "assign-exit", event, meant) == "passage_not_open"
    assert refused(app, staff("unit", unit_id=open_lot().unit_id), "stays", "passage", event) == "not_found"


def test_a_plate_that_is_on_somebodys_account_is_never_taken_for_another(evening: datetime) -> None:
    lot = open_lot()
    drive(gate(lot), plate("浙A12348"))
    stranger = driver(plate("浙A1234B"))
    assert ask(gate(lot, "out"), stranger.plate).reason == "not_inside"


def test_a_car_of_another_lot_does_not_come_into_question(evening: datetime) -> None:
    drive(gate(open_lot()), plate("浙A12348"))
    assert ask(gate(open_lot(), "out"), plate("浙A1234B")).reason == "not_inside"


def test_a_car_that_is_only_the_nearest_is_not_taken_for_another(evening: datetime) -> None:
    lot = open_lot()
    drive(gate(lot), plate("浙A12348"))
    assert ask(gate(lot, "out"), plate("浙A12999")).reason == "not_inside"


def test_a_likeness_that_is_less_than_near_lets_the_car_out_and_is_looked_at(evening: datetime) -> None:
    lot = open_lot()
    drive(gate(lot), plate("鲁A12345"))
    drive(gate(lot, "out"), plate("豫A12345"))
    assert "exit_matched_by_likeness" in open_tasks()
    assert "passage_out_not_understood" not in open_tasks()


def test_an_arm_raised_by_hand_without_a_reason_and_a_car_behind_another_are_looked_at(evening: datetime) -> None:
    entrance = gate(open_lot())
    usual = {"device_time": clock.now().isoformat()}
    said = {"operator": "示例值守员", "reason": "演练"}
    batch = [
        {"event_id": "E1", "seq": 1, "type": "manual_open", **said, **usual},
        {"event_id": "E2", "seq": 2, "type": "manual_open", "operator": "示例值守员", "reason": " ", **usual},
        {"event_id": "E3", "seq": 3, "type": "tailgate", **usual},
    ]
    project(recorded(entrance, batch))
    assert open_tasks() == ["car_followed_without_opening", "manual_lift_without_reason"]


def wild_night(lot: Lot, seed: int) -> None:
    """Cars come and go; gates tell it late, twice, in disorder, with misread and missing plates and wrong clocks."""
    chance = random.Random(seed)
    entrance, exit_gate = gate(lot), gate(lot, "out")
    cars, start = [_some_plate(chance) for _ in range(4)], clock.now() - timedelta(hours=5)
    events: list[int] = []
    for minute in range(0, 290, 7):
        car: Plate | None = chance.choice(cars)
        if chance.random() < 0.2 and car is not None:
            car = _misread(car, chance)
        device = chance.choice([entrance, exit_gate])
        events.append(_told(device, None if chance.random() < 0.1 else car, start + timedelta(minutes=minute), chance))
    chance.shuffle(events)
    while events:
        batch = [events.pop() for _ in range(min(len(events), chance.randint(1, 6)))]
        project(batch)
        if chance.random() < 0.3:
            project(batch)


def _some_plate(chance: random.Random) -> Plate:
    return plate("浙A" + "".join(chance.choices("8B5S2Z6G7", k=5)))


def _told(device: GateDevice, car: Plate | None, at: datetime, chance: random.Random) -> int:
    return gate_event(device, car, at + timedelta(seconds=chance.choice([0, 0, 3, -400])))


def _misread(car: Plate, chance: random.Random) -> Plate:
    swaps = [(a, b) for a, b in ("8B", "B8", "5S", "S5", "2Z", "Z2", "6G", "G6") if a in car.characters[2:]]
    if not swaps:
        return car
    old, new = chance.choice(swaps)
    return plate(car.characters[:2] + car.characters[2:].replace(old, new, 1))


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_stays_rebuilt_from_what_gates_told_equal_those_that_were_lived(
    app: Flask, evening: datetime, at: Move, seed: int
) -> None:
    lot, office = open_lot(bays=3), staff("regulator")
    at(evening + timedelta(hours=5))
    wild_night(lot, seed)
    [row] = told(app, office, "stays", "rebuild", "--check", "--lot", lot.key)
    assert row["lived"] == row["rebuilt"] > 3


def test_a_stay_that_somebody_changed_by_hand_is_found_when_stays_are_rebuilt(
    app: Flask, evening: datetime, at: Move, admin: psycopg.Connection[Any]
) -> None:
    lot, office = open_lot(), staff("regulator")
    entry = drive(gate(lot), some_plate())
    admin.execute("UPDATE stay SET entered_at = entered_at + interval '1 hour'")
    admin.commit()
    ended = run(app, office, "stays", "rebuild", "--check")
    assert ended.exit_code == 1
    assert ended.stderr.startswith("stays_differ:")
    assert str(entry) in ended.stderr
    assert refused(app, staff("price_officer"), "stays", "rebuild") == "not_permitted"
