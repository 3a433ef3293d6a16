"""Tasks that an agreement's end opens: a month before, and when it has come."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.tasks.models import Task
from app.domain.units import actions as units
from app.domain.units.models import OperatingAgreement
from app.kernel import clock
from app.kernel.db import transaction
from tests.units.stand import DAY, at_once, terms, unit_of
from tests.world import open_lot, paper, registered_operator, staff

At = Callable[[datetime], None]


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


@pytest.fixture
def by(lot: Lot) -> Actor:
    return staff("unit", unit_id=lot.unit_id)


def signed(by: Actor, lot: Lot, begins_at: datetime, days: float) -> OperatingAgreement:
    return units.sign_agreement(
        by, unit_of(lot).key, registered_operator().key, terms([lot], begins_at, days), paper()
    )  # fmt: skip


def tasks() -> list[tuple[str, int]]:
    with transaction() as session:
        return [(task.kind, task.subject_id) for task in session.scalars(select(Task).order_by(Task.id))]


def open_kinds() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Task.kind).filter_by(closed_at=None).order_by(Task.id)))


def close_all() -> None:
    with transaction() as session:
        session.execute(update(Task).filter_by(closed_at=None).values(closed_at=clock.now(), outcome="done"))


def test_an_end_is_announced_a_month_before_and_told_when_it_has_come_each_once(
    evening: datetime, at: At, lot: Lot, by: Actor
) -> None:
    agreement = signed(by, lot, evening, days=40)
    at(evening + 9 * DAY)
    assert units.remind_of_endings() == 0
    at(evening + 10 * DAY)
    assert units.remind_of_endings() == 1
    close_all()
    at(evening + 39 * DAY)
    assert units.remind_of_endings() == 0
    at(evening + 40 * DAY)
    assert units.remind_of_endings() == 1
    close_all()
    assert units.remind_of_endings() == 0
    assert tasks() == [("agreement_ends_soon", agreement.id), ("agreement_ended", agreement.id)]


def test_two_sweepers_at_once_open_one_task(app: Flask, evening: datetime, lot: Lot, by: Actor) -> None:
    signed(by, lot, evening, days=20)
    at_once(app, *[units.remind_of_endings] * 4)
    assert [kind for kind, _ in tasks()] == ["agreement_ends_soon"]


def test_an_early_ending_is_told_as_well(evening: datetime, lot: Lot, by: Actor) -> None:
    units.end_agreement(by, signed(by, lot, evening, days=365).key, "服务不达标")
    assert units.remind_of_endings() == 1
    assert [kind for kind, _ in tasks()] == ["agreement_ended"]


def test_nobody_is_asked_about_a_lot_whose_running_is_settled(evening: datetime, at: At, lot: Lot, by: Actor) -> None:
    other = open_lot()
    signed(by, lot, evening, days=20)
    signed(by, lot, evening + 20 * DAY, days=365)
    regulator = staff("regulator")
    signed(regulator, other, evening, days=20)
    units.declare_self_operation(regulator, unit_of(other).key, other.id, "到期收回", evening + 20 * DAY)
    at(evening + 21 * DAY)
    assert units.remind_of_endings() == 0


def test_people_are_asked_again_when_what_was_settled_falls_away(
    evening: datetime, at: At, lot: Lot, by: Actor
) -> None:
    first = signed(by, lot, evening, days=20)
    next_one = signed(by, lot, evening + 20 * DAY, days=365)
    assert units.remind_of_endings() == 0
    units.end_agreement(by, next_one.key, "签署有误")
    assert units.remind_of_endings() == 1
    assert tasks() == [("agreement_ends_soon", first.id)]


def test_an_agreement_that_never_began_reminds_of_nothing(evening: datetime, lot: Lot, by: Actor) -> None:
    units.end_agreement(by, signed(by, lot, evening + DAY, days=5).key, "签署有误")
    assert units.remind_of_endings() == 0


def test_a_task_lies_where_its_lots_lie_and_is_due_at_the_end(evening: datetime, lot: Lot, by: Actor) -> None:
    agreement = signed(by, lot, evening, days=20)
    units.remind_of_endings()
    with transaction() as session:
        task = session.scalars(select(Task)).one()
    assert (task.district_code, task.unit_id, task.operator_ids) == ("330106", lot.unit_id, [agreement.operator_id])
    assert task.due_at == evening + 20 * DAY


def test_the_announcement_gives_way_to_the_end(evening: datetime, at: At, lot: Lot, by: Actor) -> None:
    signed(by, lot, evening, days=20)
    units.remind_of_endings()
    at(evening + 20 * DAY)
    units.remind_of_endings()
    assert open_kinds() == ["agreement_ended"]


def test_a_task_is_closed_when_somebody_runs_the_lots_again(evening: datetime, at: At, lot: Lot, by: Actor) -> None:
    signed(by, lot, evening, days=20)
    at(evening + 21 * DAY)
    units.remind_of_endings()
    assert open_kinds() == ["agreement_ended"]
    at(evening + 22 * DAY)
    units.declare_self_operation(by, unit_of(lot).key, lot.id, "收回自营")
    units.remind_of_endings()
    assert open_kinds() == []


def test_an_announcement_is_closed_when_the_next_agreement_is_signed(evening: datetime, lot: Lot, by: Actor) -> None:
    signed(by, lot, evening, days=20)
    units.remind_of_endings()
    signed(by, lot, evening + 20 * DAY, days=365)
    units.remind_of_endings()
    assert open_kinds() == []
