"""Threads of a worker that write their first claims at the same moment."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Dialect, Select, make_url

from app.domain.claims.actions import take
from app.kernel.prepared import Prepared

ROUNDS, THREADS = 20, 8


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """They interrupt each other after every few steps."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("eager_threads")
def test_whoever_comes_first_the_statement_reads_the_new_claim_and_no_other() -> None:
    assert isinstance(take._NEW_CLAIM, Prepared)
    texts = {text for _ in range(ROUNDS) for text in compiled_at_once()}
    assert len(texts) == 1
    assert texts.pop().endswith('SELECT "new".id \nFROM "new"')


def compiled_at_once() -> list[str]:
    fresh: Select[Any] = take.with_new_claim(take._alone)
    start = threading.Barrier(THREADS)

    def compiled(_: int) -> str:
        start.wait()
        statement = Prepared(fresh)
        statement._compile(dialect())
        return str(statement._text)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(compiled, range(THREADS)))


def dialect() -> Dialect:
    return make_url("postgresql+psycopg://").get_dialect()()
