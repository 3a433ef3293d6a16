"""The kept connection: sees what is committed, holds nothing, and is replaced when it is lost."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Integer, bindparam, func, select
from sqlalchemy.exc import DataError

from app.kernel.lookout import Lookout

PID = select(func.pg_backend_pid())
INVERSE = select(1 / bindparam("by", type_=Integer))


@pytest.fixture
def lookout(app: Flask) -> Iterator[Lookout]:
    lookout = Lookout(app.extensions["sqlalchemy"].engine)
    yield lookout
    lookout.close()


def pid(lookout: Lookout) -> int:
    ((number,),) = lookout.ask(PID, {})
    assert isinstance(number, int)
    return number


def test_all_questions_go_over_one_connection_that_holds_no_transaction(
    lookout: Lookout, admin: psycopg.Connection[Any]
) -> None:
    first = pid(lookout)
    assert pid(lookout) == first
    state = admin.execute("SELECT state, xact_start FROM pg_stat_activity WHERE pid = %s", (first,)).fetchone()
    assert state == ("idle", None)


def test_a_connection_that_was_lost_is_replaced_and_nobody_notices(
    lookout: Lookout, admin: psycopg.Connection[Any]
) -> None:
    lost = pid(lookout)
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", (lost,))
    assert pid(lookout) != lost


def test_a_question_that_fails_fails_once_and_the_next_one_is_answered(lookout: Lookout) -> None:
    with pytest.raises(DataError):
        lookout.ask(INVERSE, {"by": 0})
    assert [tuple(row) for row in lookout.ask(INVERSE, {"by": 1})] == [(1,)]
