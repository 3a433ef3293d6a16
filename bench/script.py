"""The recorded transaction as a pgbench script: the same statements, with another motorist, lot and hour each time.

pgbench then does what the action does, in C and without thinking: how near the action comes to it is the ratio.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg.sql import Literal
from psycopg.types.range import Range

from bench.city import ALL_LOTS, FIRST, KEY_PREFIX, key_of
from bench.recording import Sent
from bench.wishes import FIRST_EVENING, NIGHTS

HEADER: Final = f"""\
\\set motorist :first + :client_id + :step * :turn
\\set turn :turn + 1
\\set lot {ALL_LOTS.start} + :client_id + :step * random(0, {len(ALL_LOTS)} / :step - 1)
\\set hours 24 * random(0, {NIGHTS - 1}) + random(0, 10)
BEGIN;
"""
FIRST_MADE: Final = FIRST["bay"]
"""Numbers from here on were made or found by the transaction itself."""


def pgbench_script(sent: Sequence[Sent], motorist: int, lot: int, begins_at: datetime) -> str:
    """`sent` must be what was recorded while `motorist` reserved a bay of `lot` for an hour from `begins_at`."""
    return _Writer({motorist: "motorist", lot: "lot"}, begins_at).script(sent)


class _Writer:
    """Writes values as pgbench variables where they differ from one reservation to the next."""

    def __init__(self, names: Mapping[int, str], begins_at: datetime) -> None:
        self._numbers = {number: f":{name}" for number, name in names.items()}
        self._keys = {key_of(number): f"('{KEY_PREFIX}' || :{name})::uuid" for number, name in names.items()}
        self._begins_at = begins_at

    def script(self, sent: Sequence[Sent]) -> str:
        return HEADER + "".join(self._statements(sent)) + "COMMIT;\n"

    def _statements(self, sent: Sequence[Sent]) -> Iterator[str]:
        for place, each in enumerate(sent):
            sql = self._written(each)
            needed = self._remember(place, each.row)
            yield sql + (f" \\gset q{place}_\n" if needed else ";\n")

    def _written(self, each: Sent) -> str:
        sql = without_comments(each.sql).strip().rstrip(";")
        if isinstance(each.values, Mapping):
            return sql % {name: self._said(value) for name, value in each.values.items()}
        return sql % tuple(self._said(value) for value in each.values) if each.values is not None else sql

    def _remember(self, place: int, row: Mapping[str, Any]) -> bool:
        """Whether the answer holds the id of a row that later statements may name."""
        found = {value: f":q{place}_{name}" for name, value in row.items() if _is_made(value)}
        fresh = {value: variable for value, variable in found.items() if value not in self._numbers}
        self._numbers.update(fresh)
        return bool(fresh)

    def _said(self, value: Any) -> str:
        if isinstance(value, Range):
            return f"tstzrange({self._said(value.lower)}, {self._said(value.upper)}, '{value.bounds}')"
        if isinstance(value, datetime):
            return self._moment(value)
        if isinstance(value, uuid.UUID):
            return self._keys.get(value, "gen_random_uuid()")
        if isinstance(value, int) and value in self._numbers:
            return self._numbers[value]
        return literal(value)

    def _moment(self, at: datetime) -> str:
        """Whole minutes belong to the reserved hour and move with it; any other moment is the clock's."""
        if at.second or at.microsecond:
            return f"timestamptz '{at.isoformat()}'"
        first = FIRST_EVENING + (at - self._begins_at)
        return f"(timestamptz '{first.isoformat()}' + :hours * interval '1 hour')"


def literal(value: Any) -> str:
    """A value as it is written in SQL."""
    return Literal(value).as_string()


def _is_made(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= FIRST_MADE


def without_comments(sql: str) -> str:
    """The statement as the server understands it."""
    return re.sub(r"^\s*--.*$", "", sql, flags=re.MULTILINE)
