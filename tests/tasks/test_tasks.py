"""What waits for a person: seen within scopes, taken by one, closed once."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import psycopg
import pytest
from flask import Flask
from psycopg.errors import IntegrityConstraintViolation

from app.domain.staff.actions import close_account
from app.domain.staff.queries import account_key
from app.domain.staff.rules import Actor, Place
from app.domain.tasks import actions, queries
from app.domain.tasks.models import Task
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from payments.charges.actions.cases import open_case
from payments.charges.queries import open_cases
from tests.commands import refused, told
from tests.races import at_once
from tests.world import open_lot, staff

HOUR = timedelta(hours=1)


@pytest.fixture
def unit(evening: datetime) -> Unit:
    lot = open_lot()
    with transaction() as session:
        return session.get_one(Unit, lot.unit_id)


def seen(by: Actor) -> list[int]:
    return [task.subject_id for task in queries.tasks(by)]


def test_people_see_the_tasks_of_their_places_and_what_is_due_first(unit: Unit) -> None:
    now = clock.now()
    here = Place(unit.district_code, unit.id)
    actions.open_task("a", "lot", 1)
    actions.open_task("a", "lot", 2, place=here, due_at=now + 2 * HOUR)
    actions.open_task("a", "lot", 3, place=Place(unit.district_code), due_at=now + HOUR)
    assert seen(staff("administrator")) == [3, 2, 1]
    assert seen(staff("regulator", district_code=unit.district_code)) == [3, 2]
    assert seen(staff("unit", unit_id=unit.id)) == [2]
    assert seen(staff("regulator", district_code="330108")) == []


def test_an_operator_sees_the_tasks_of_what_it_runs() -> None:
    task = Task(district_code=None, unit_id=None, operator_ids=[4, 9])
    assert actions.place_of(task) == Place(operator_ids=frozenset({4, 9}))


def test_a_task_is_late_after_its_due_time(unit: Unit, at: Callable[[datetime], None], evening: datetime) -> None:
    actions.open_task("a", "lot", 1, due_at=evening + HOUR)
    regulator = staff("regulator")
    assert [task.is_late for task in queries.tasks(regulator)] == [False]
    at(evening + 2 * HOUR)
    assert [task.is_late for task in queries.tasks(regulator)] == [True]


def test_a_task_is_open_once(evening: datetime) -> None:
    assert actions.open_task("a", "lot", 1).id == actions.open_task("a", "lot", 1, due_at=evening).id


def test_a_taken_task_is_one_persons(evening: datetime) -> None:
    first, second, task = staff("regulator", login="wang"), staff("regulator"), actions.open_task("a", "lot", 1)
    actions.take(first, task.key)
    actions.take(first, task.key)
    for attempt in (actions.take, closing):
        with pytest.raises(actions.TaskTaken):
            attempt(second, task.key)
    assert [task.owner for task in queries.tasks(first, mine=True)] == ["wang"]
    assert queries.tasks(second, mine=True) == []


def closing(by: Actor, key: uuid.UUID) -> None:
    actions.close_task(by, key, "已核实")


def test_what_somebody_who_left_had_taken_may_be_taken_by_another(evening: datetime) -> None:
    first, second, task = staff("regulator", login="wang"), staff("regulator"), actions.open_task("a", "lot", 1)
    actions.take(first, task.key)
    close_account(staff("administrator"), account_key("wang"))
    actions.take(second, task.key)
    assert len(queries.tasks(second, mine=True)) == 1


def test_a_task_is_closed_once_with_an_outcome(evening: datetime) -> None:
    by, task = staff("regulator"), actions.open_task("a", "lot", 1)
    with pytest.raises(actions.OutcomeMissing):
        actions.close_task(by, task.key, " ")
    actions.close_task(by, task.key, "已核实")
    for attempt in (actions.take, closing):
        with pytest.raises(actions.TaskClosed):
            attempt(by, task.key)
    assert seen(by) == []
    assert [task.outcome for task in queries.tasks(by, closed=True)] == ["已核实"]


def test_a_task_elsewhere_is_not_found(unit: Unit) -> None:
    task = actions.open_task("a", "lot", 1, place=Place(unit.district_code, unit.id))
    stranger = staff("regulator", district_code="330108")
    for attempt in (actions.take, closing):
        with pytest.raises(NotFound):
            attempt(stranger, task.key)
    with pytest.raises(NotFound):
        actions.take(stranger, uuid.uuid4())


def test_of_two_who_take_a_task_at_once_one_has_it(app: Flask, evening: datetime) -> None:
    people, task = (staff("regulator"), staff("regulator")), actions.open_task("a", "lot", 1)
    assert at_once(app, *(partial(actions.take, by, task.key) for by in people)) == ["TaskTaken", "done"]


def test_a_task_whose_cause_is_gone_is_settled_by_itself(evening: datetime) -> None:
    actions.open_task("a", "lot", 1)
    assert actions.settle_tasks("a", "lot", 1, "原因已消除") == 1
    assert actions.settle_tasks("a", "lot", 1, "原因已消除") == 0


def test_what_was_decided_stays_decided(evening: datetime, admin: psycopg.Connection[tuple[object, ...]]) -> None:
    actions.close_task(staff("regulator"), actions.open_task("a", "lot", 1).key, "已核实")
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute("UPDATE task SET outcome = 'other'")
    assert refusal.value.diag.constraint_name == "a_closed_task_stays_closed"


def test_commands_list_take_and_close(app: Flask, evening: datetime) -> None:
    by, task = staff("regulator"), actions.open_task("a", "lot", 1)
    assert [row["key"] for row in told(app, by, "tasks", "list")] == [str(task.key)]
    told(app, by, "tasks", "take", task.key)
    assert len(told(app, by, "tasks", "list", "--mine", "--kind", "a")) == 1
    told(app, by, "tasks", "close", task.key, "已核实")
    assert [row["outcome"] for row in told(app, by, "tasks", "list", "--closed")] == ["已核实"]
    assert refused(app, by, "tasks", "take", task.key) == "task_closed"


def test_an_exception_case_of_the_money_becomes_a_task_with_an_owner_and_is_resolved_with_it(evening: datetime) -> None:
    with transaction():
        open_case("refund_abnormal", "refund:R1", 2, refund_id=17)
        open_case("payment_mismatch", "order:1", 1, fields=["sub_mchid"])
    assert (actions.adopt_cases(), actions.adopt_cases()) == (2, 0)
    checker = staff("finance_checker")
    grave, other = queries.tasks(checker)
    assert (grave.kind, other.kind, other.detail["reference"]) == ("payment_mismatch", "refund_abnormal", "refund:R1")
    assert grave.due_at is not None
    assert grave.due_at - clock.now() <= HOUR
    actions.take(checker, other.key)
    actions.close_task(checker, other.key, "已在商户平台改退银行卡")
    assert [each.kind for each in open_cases()] == ["payment_mismatch"]
    assert actions.adopt_cases() == 0
