"""What a test is given out of a mould is what the actions made, and whatever is different is made anew."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from app.domain.lots.models import Lot
from app.domain.policies.actions import lay_down
from app.domain.units.actions import know_districts
from app.kernel.clock import now
from app.kernel.db import transaction
from tests import moulds, world
from tests.conftest import SHARED_FOLDER, MovableClock
from tests.ground import Ground, empty
from tests.moulds import MOST, Moulds
from tests.races import at_once

Admin = psycopg.Connection[Any]
NextTest = Callable[[], None]
SECONDS = timedelta(seconds=30)
PASSING = {"id", "transaction_id", "at"}
"""What a log tells of the present, whoever wrote it."""


@pytest.fixture
def next_test(sweeper: Admin, clock: MovableClock, evening: datetime) -> Iterator[NextTest]:
    """Each call begins a test with an empty city at the same evening, out of moulds of its own; the first has begun."""
    seeded = Ground(Path(os.environ[SHARED_FOLDER])).seeded()
    own = Moulds(sweeper, seeded)
    with ExitStack() as running:
        running.enter_context(own.at_hand(clock))

        def begin() -> None:
            running.close()
            empty(sweeper)
            clock.move_to(evening)
            running.enter_context(own.at_hand(clock))

        yield begin


def everything(admin: Admin) -> Mapping[str, list[dict[str, Any]]]:
    """All rows of all tables; of those to which nobody points without what tells only when they were written."""
    tables = [name for (name,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    keys = "SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
    pointed = {name for (name,) in admin.execute(keys)}
    query = sql.SQL("SELECT to_jsonb(each) FROM {} AS each ORDER BY to_jsonb(each) -> 'id', each::text")
    rows = {name: [row for (row,) in admin.execute(query.format(sql.Identifier(name)))] for name in tables}
    return {
        name: told if name in pointed else [{key: row[key] for key in row.keys() - PASSING} for row in told]
        for name, told in rows.items()
    }


def test_a_lot_out_of_a_mould_is_row_for_row_the_lot_that_was_made(next_test: NextTest, admin: Admin) -> None:
    made, before = world.open_lot(), everything(admin)
    next_test()
    given = world.open_lot()
    assert (given.id, given.key, given.state) == (made.id, made.key, "open")
    assert everything(admin) == before


def test_a_motorist_whom_a_second_test_asks_for_is_row_for_row_given_to_a_third(
    next_test: NextTest, admin: Admin
) -> None:
    first = world.driver()
    next_test()
    made, before = world.driver(), everything(admin)
    next_test()
    assert (world.driver(), everything(admin)) == (made, before)
    assert made != first


def test_what_is_made_on_the_way_to_a_mould_has_none_of_its_own(next_test: NextTest) -> None:
    for _ in range(3):
        own, of_another = world.payee().id, moulds.ready("a part of it", lambda: world.payee().id)
        assert own != of_another
        next_test()


def test_a_test_that_makes_many_leaves_no_mould_of_each(next_test: NextTest) -> None:
    made = [one_of_many() for _ in range(MOST + 1)]
    next_test()
    assert [one_of_many() for _ in range(MOST)] == made[:MOST]
    assert one_of_many() not in made


def test_what_is_made_while_another_deed_runs_is_no_mould(next_test: NextTest, app: Flask) -> None:
    """Else the rows of that other would lie in it, and come into the cities of later tests."""
    made: list[int] = []
    at_once(app, lambda: made.append(one_of_many()))
    next_test()
    assert one_of_many() not in made


def one_of_many() -> int:
    return moulds.ready("one of many", lambda: world.payee().id)


def test_two_of_a_kind_are_never_the_same(next_test: NextTest) -> None:
    made = [world.open_lot().key for _ in range(2)]
    next_test()
    assert [world.open_lot().key for _ in range(3)][:2] == made
    assert len(set(made)) == 2


def test_the_clock_never_stands_before_the_moment_at_which_a_lot_was_ready(next_test: NextTest, admin: Admin) -> None:
    world.open_lot()
    next_test()
    given = world.open_lot()
    row = admin.execute("SELECT max(at) FROM lot_step WHERE lot_id = %s", [given.id]).fetchone()
    assert row is not None
    assert row[0] <= now() < row[0] + SECONDS


@pytest.mark.parametrize("told", [{"bays": 3}, {"kind": "organ"}], ids=["bays", "kind"])
def test_what_is_asked_otherwise_is_made_otherwise(next_test: NextTest, told: dict[str, Any]) -> None:
    made = world.open_lot().key
    next_test()
    assert world.open_lot(**told).key != made


def test_another_number_of_the_city_is_heeded(next_test: NextTest, evening: datetime) -> None:
    made = world.open_lot().key
    next_test()
    lay_down("live_reservations", 1, evening - timedelta(days=1), "test")
    assert world.open_lot().key != made


def test_another_moment_is_heeded(next_test: NextTest, clock: MovableClock) -> None:
    made = world.open_lot().key
    next_test()
    clock.move_by(timedelta(minutes=2))
    assert world.open_lot().key != made


def test_what_may_still_be_rolled_back_is_made(next_test: NextTest) -> None:
    world.open_lot()
    next_test()
    with pytest.raises(ZeroDivisionError):
        open_and_fail()
    with transaction() as session:
        assert session.query(Lot).count() == 0


def open_and_fail() -> None:
    with transaction():
        world.open_lot()
        raise ZeroDivisionError


def test_what_was_there_already_makes_no_empty_mould(next_test: NextTest, admin: Admin) -> None:
    know_districts()
    world.the_city()
    next_test()
    world.the_city()
    assert admin.execute("SELECT count(*) > 0 FROM district").fetchone() == (True,)
