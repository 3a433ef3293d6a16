"""Statements that are told together, and what a failure among them leaves."""

from collections.abc import Sequence

import pytest
from sqlalchemy import ARRAY, BigInteger, Text, bindparam, text
from sqlalchemy.exc import DBAPIError

from app.kernel import audit
from app.kernel.db import transaction
from app.kernel.prepared import Prepared, told_together
from app.kernel.queue import enqueue
from tests.ground import Addresses
from tests.statements import statements

_SPLIT = Prepared(text("SELECT set_config('test.part', CAST(1 / CAST(:by AS int) AS text), true)"))
"""Volatile, as whatever is told by a SELECT: of anything else PostgreSQL counts the rows without working them out."""
_HIDDEN = Prepared(text("WITH split AS (SELECT 1 / CAST(:by AS int)) SELECT * FROM split"))


def _deed(subject_id: int) -> None:
    audit.record("test.deed", "test", subject_id, "test", {"number": subject_id})


def _done() -> Sequence[int]:
    with transaction() as session:
        deeds = text("SELECT subject_id FROM audit_entry WHERE action = 'test.deed' ORDER BY subject_id")
        return session.scalars(deeds).all()


def _jobs() -> int:
    with transaction() as session:
        asked = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'test.job'")
        return int(session.scalar(asked) or 0)


def test_what_is_told_together_is_one_statement(database: Addresses) -> None:
    with transaction():
        _deed(1)
        with statements() as sent:
            with told_together():
                _deed(2)
                enqueue("test.job", number=7)
                _deed(3)
                assert not sent
            assert len(sent) == 1
    assert (_done(), _jobs()) == ([1, 2, 3], 1)


def test_several_of_them_may_be_questions(database: Addresses) -> None:
    with transaction(), told_together():
        enqueue("test.job", number=7)
        _SPLIT.tell(by=1)
        enqueue("test.job", number=8)
    assert _jobs() == 2


def _fail_between() -> None:
    with told_together():
        _deed(1)
        raise LookupError


def test_nothing_of_it_is_told_when_the_block_fails(database: Addresses) -> None:
    with transaction():
        with pytest.raises(LookupError):
            _fail_between()
        _deed(2)
    assert _done() == [2]


def _split_among_others() -> None:
    with transaction(), told_together():
        _deed(1)
        enqueue("test.job", number=7)
        _SPLIT.tell(by=0)


def test_one_that_fails_undoes_the_others_with_the_transaction(database: Addresses) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        _split_among_others()
    assert (_done(), _jobs()) == ([], 0)


def _tell_what_would_not_be_run() -> None:
    with transaction(), told_together():
        _deed(1)
        _HIDDEN.tell(by=0)


def test_what_would_never_be_run_is_not_told(database: Addresses) -> None:
    with pytest.raises(AssertionError, match="begins with"):
        _tell_what_would_not_be_run()
    assert _done() == []


def test_a_block_within_another_is_told_with_it(database: Addresses) -> None:
    with transaction():
        _deed(1)
        with statements() as sent:
            with told_together():
                _deed(2)
                with told_together():
                    _deed(3)
                assert not sent
            assert len(sent) == 1
    assert _done() == [1, 2, 3]


_LISTS = Prepared(
    text("SELECT CAST(:texts AS text[]) AS texts, CAST(:numbers AS bigint[]) AS numbers").bindparams(
        bindparam("texts", type_=ARRAY(Text)), bindparam("numbers", type_=ARRAY(BigInteger))
    )
)


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        ([], []),
        (
            ["", " ", "null", "NULL", None, "{", "}", "a,b", '"', "\\", '\\"', "it's", "%s", "浙A·1", "\n\t"],
            [0, -1, None, 2**62],
        ),
        (["\\\\", '""', "{{1,2}}"], [1]),
    ],
)
def test_lists_arrive_as_they_were_told(
    database: Addresses, texts: Sequence[str | None], numbers: Sequence[int | None]
) -> None:
    with transaction():
        for _ in range(8):  # prepared from the sixth on
            arrived = _LISTS.one(texts=texts, numbers=numbers)
            assert (arrived.texts, arrived.numbers) == (texts, numbers)
