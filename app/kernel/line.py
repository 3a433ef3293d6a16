"""Words that need no values, said on the driver's own line: BEGIN, COMMIT, nothing at all."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import generators
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult


def answer_to(words: bytes, line: "psycopg.Connection[Any]") -> PGresult:
    """The answer to the last of them, in one round trip. Raises the error with which one of them failed."""
    with line.lock:
        line.pgconn.send_query(words)
        answers: Sequence[PGresult] = line.wait(generators.execute(line.pgconn))
    failed = next((each for each in answers if each.status == ExecStatus.FATAL_ERROR), None)
    if failed is not None:
        raise error_from_result(failed)
    return answers[-1]
