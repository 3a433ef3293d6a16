"""Of the rows of a round one that fails keeps none behind it waiting, and a failure is never lost."""

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from app.kernel.db import transaction
from app.kernel.rounds import each_alone, each_step
from tests.ground import Addresses


def inverse(of: int) -> int:
    return 60 // of


def test_a_row_that_fails_stops_no_other_and_is_told_at_the_end() -> None:
    seen = []

    def seen_and_inverted(each: int) -> int:
        seen.append(each)
        return inverse(each)

    with pytest.raises(ExceptionGroup) as told:
        each_alone([0, 2, 0, 3], seen_and_inverted)
    assert seen == [0, 2, 0, 3]
    assert [type(each) for each in told.value.exceptions] == [ZeroDivisionError, ZeroDivisionError]


def test_a_step_that_fails_keeps_none_behind_it_from_its_turn() -> None:
    done = []

    def second() -> int:
        done.append("second")
        return 1

    with pytest.raises(ExceptionGroup):
        each_step(lambda: inverse(0), second)
    assert done == ["second"]
    assert each_step(lambda: 2, lambda: 3) == 5


def test_a_round_tells_how_much_was_done() -> None:
    assert each_alone([2, 3], inverse) == 50
    assert each_alone([1, 2], lambda _: None) == 2
    assert each_alone([1, 2], lambda each: each > 1) == 1


def test_a_database_that_is_away_ends_the_round_at_once(
    database: Addresses, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    seen = []

    def loses_its_connection(each: int) -> None:
        seen.append(each)
        with transaction() as session:
            mine = session.connection().connection.driver_connection
            assert isinstance(mine, psycopg.Connection)
            admin.execute("SELECT pg_terminate_backend(%s)", [mine.info.backend_pid])
            session.connection().exec_driver_sql("SELECT 1")

    with pytest.raises((DBAPIError, psycopg.OperationalError)):
        each_alone([1, 2], loses_its_connection)
    assert seen == [1]
