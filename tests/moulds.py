"""What many tests stand on is made by its true actions once a worker, and put back from a copy ever after.

The first test that needs an open lot opens it, in two hundred statements; the rows that came into the tables meanwhile
are kept in temporary tables of the worker's superuser connection. A later test that needs the same at the same moment
of the platform's clock gets those very rows. Where anything is not as it was then, the actions run again: a mould
saves time and decides nothing.
"""

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import psutil
import psycopg
from psycopg import sql

from app.kernel import clock
from app.kernel.db import in_transaction

T = TypeVar("T")
_numbers = itertools.count(1)
ABOUT = timedelta(seconds=30)
"""So far may the clock stand from the moment at which a mould was ready."""
MOST = 6
"""So many things of a kind does a test get out of moulds: what it makes in a loop hardly another asks for."""


class Clock(Protocol):
    """The platform's clock, as a test may move it."""

    def move_by(self, span: timedelta) -> None: ...


@dataclass(frozen=True)
class Mould:
    """The rows that one making left, by table; `upon` are the moulds whose rows they point to."""

    number: int
    rows: Mapping[str, int]
    upon: frozenset[int]
    ready_at: datetime
    made: Any


class Moulds:
    """All that this worker has made; `here` are those whose rows the running test has, under what was asked for."""

    def __init__(self, caretaker: psycopg.Connection[Any], seeded: Sequence[str]) -> None:
        self._caretaker = caretaker
        self._columns = _columns_to_copy(caretaker, seeded)
        _learn_to_count(caretaker, self._columns)
        self._known: dict[Hashable, list[Mould]] = defaultdict(list)
        self._here: dict[int, Mould] = {}
        self._names: dict[Hashable, Mould] = {}
        self._asked: dict[Hashable, list[datetime]] = defaultdict(list)
        self._asked_here: dict[Hashable, datetime] = {}
        self._counted: Counter[Hashable] = Counter()
        self._clock: Clock | None = None
        self._is_making = False

    @contextmanager
    def at_hand(self, of_this_test: Clock) -> Iterator[None]:
        """For one test, whose city is empty at first."""
        self._clock = of_this_test
        use(self)
        try:
            yield
        finally:
            use(None)
            self._clock = None
            self._here.clear()
            self._names.clear()
            self._counted.clear()
            for what, moment in self._asked_here.items():
                self._asked[what].append(moment)
            self._asked_here.clear()

    def is_here(self, what: Hashable) -> bool:
        """Whether the running test has such a thing out of a mould."""
        return what in self._names

    def there(self, what: Hashable) -> Any:
        """The last such thing that the running test was given out of a mould, else None: nobody need look for it."""
        return self._names[what].made if what in self._names else None

    def ready(self, what: Hashable, make: Callable[[], T], upon: Sequence[Hashable] = ()) -> T:
        """What `make` makes and returns. `what` names everything that it depends on, `upon` what it points to.

        Only for what is not there yet; asked twice in one test, it is another one. What is made on the way belongs to
        the mould of the whole and has none of its own.
        """
        self._counted[what] += 1
        if self._clock is None or self._is_making or in_transaction() or self._counted[what] > MOST:
            return make()
        if _others_work():
            return make()
        if not all(self.is_here(each) for each in upon):
            return make()
        needed = frozenset(self._names[each].number for each in upon)
        mould = self._placed(what, needed) or self._made(what, make, needed)
        if mould is None:
            return make()
        self._here[mould.number] = self._names[what] = mould
        made: T = mould.made
        return made

    def common(self, what: Hashable, make: Callable[[], T], upon: Sequence[Hashable] = ()) -> T:
        """As `ready`, of what is made so fast that only a mould which several tests use is worth the making of it."""
        if any(abs(moment - _now()) < ABOUT for moment in self._asked[what]):
            return self.ready(what, make, upon)
        if clock.offset():
            self._asked_here[what] = _now()
        return make()

    def _placed(self, what: Hashable, upon: frozenset[int]) -> Mould | None:
        """A mould that fits, put back; None where there is none, or the city is not as it was."""
        mould = next((each for each in self._known[what] if self._fits(each, upon)), None)
        if mould is None or not self._put_back(mould):
            return None
        if self._clock is not None and mould.ready_at > _now():
            self._clock.move_by(mould.ready_at - _now())
        return mould

    def _fits(self, mould: Mould, needed: frozenset[int]) -> bool:
        away = abs(mould.ready_at - _now())
        return mould.number not in self._here and mould.upon == needed and away < ABOUT

    def _is_ordinary(self) -> bool:
        """Whether the city goes by its usual numbers and by no calendar that a test loaded: all else lies in `upon`."""
        question = sql.SQL("SELECT") + sql.SQL(_ORDINARY).format(of_moulds=self._calendars())
        return self._caretaker.execute(question).fetchone() == (True,)

    def _calendars(self) -> int:
        """How many calendars are out of moulds."""
        return sum(mould.rows.get("calendar_version", 0) for mould in self._here.values())

    def _made(self, what: Hashable, make: Callable[[], Any], upon: frozenset[int]) -> Mould | None:
        """A new mould; None where its rows could not be told from those of others."""
        if clock.offset() == timedelta() or not self._is_ordinary() or not self._is_alone():
            return None
        since = self._caretaker.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
        assert since is not None
        self._is_making = True
        try:
            made, ready_at = make(), _now()
        finally:
            self._is_making = False
        number, rows = next(_numbers), self._new_rows(since[0])
        assert rows, f"{what} was there already, and would be missing where it is not"
        for table in rows:
            self._keep(number, table, since[0])
        self._learn_to_put_back(number, rows)
        mould = Mould(number, rows, upon, ready_at, made)
        self._known[what].append(mould)
        return mould

    def _is_alone(self) -> bool:
        """Whether no other process is connected to this worker's database."""
        ours = [each.laddr.port for each in psutil.Process().net_connections("tcp")]
        return self._caretaker.execute(_OTHERS, [ours]).fetchall() == []

    def _new_rows(self, since: str) -> Mapping[str, int]:
        """How many rows came into which tables after that transaction."""
        return dict(self._caretaker.execute("SELECT * FROM pg_temp.new_rows(%s)", [since]).fetchall())

    def _keep(self, number: int, table: str, since: str) -> None:
        copy = sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT {} FROM {} ORDER BY to_jsonb(new) -> 'id'")
        self._caretaker.execute(copy.format(_copy(number, table), self._columns[table], _new(table, since)))

    def _learn_to_put_back(self, number: int, tables: Iterable[str]) -> None:
        """A function, whose plans are kept: a test may put ten moulds back."""
        rows = sql.SQL(" ").join(
            sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {};").format(
                sql.Identifier(table), self._columns[table], self._columns[table], _copy(number, table)
            )
            for table in tables
        )
        is_ordinary = sql.SQL(_ORDINARY).format(of_moulds=sql.Identifier("calendars_of_moulds"))
        name = sql.Identifier(f"mould_{number}")
        self._caretaker.execute(sql.SQL(_PUT_BACK).format(name=name, is_ordinary=is_ordinary, rows=rows))

    def _put_back(self, mould: Mould) -> bool:
        """As if it had been made now; false, and nothing done, where the city is not as it usually is."""
        put_back = f"SELECT pg_temp.mould_{mould.number}(%s)".encode()
        return self._caretaker.execute(put_back, [self._calendars()]).fetchone() == (True,)


_moulds: Moulds | None = None


def use(moulds: Moulds | None) -> None:
    """Name the moulds of this worker."""
    global _moulds
    _moulds = moulds


def ready(what: Hashable, make: Callable[[], T], upon: Sequence[Hashable] = ()) -> T:
    """As `Moulds.ready`; without moulds it is made."""
    return make() if _moulds is None else _moulds.ready(what, make, upon)


def common(what: Hashable, make: Callable[[], T], upon: Sequence[Hashable] = ()) -> T:
    """As `Moulds.common`; without moulds it is made."""
    return make() if _moulds is None else _moulds.common(what, make, upon)


def is_here(what: Hashable) -> bool:
    """As `Moulds.is_here`."""
    return _moulds is not None and _moulds.is_here(what)


def there(what: Hashable) -> Any:
    """As `Moulds.there`."""
    return None if _moulds is None else _moulds.there(what)


_ORDINARY: Final = """
NOT EXISTS (SELECT FROM policy_number) AND (SELECT count(*) FROM calendar_version) = {of_moulds}
"""

_OTHERS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND client_port <> ALL(%s)
"""

_PUT_BACK: Final = """
CREATE FUNCTION pg_temp.{name}(calendars_of_moulds bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT ({is_ordinary}) THEN
        RETURN false;
    END IF;
    {rows}
    RETURN true;
END $$
"""

_COLUMNS = """
SELECT c.relname, a.attname
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL(%s)
AND (a.attidentity = '' OR EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid))
AND coalesce(pg_get_expr(d.adbin, d.adrelid), '') !~ 'txid_current|clock_timestamp|now\\(\\)'
ORDER BY c.relname, a.attnum
"""
"""All but those that fill themselves with the present: its transaction, its time, the next number of a log."""


def _columns_to_copy(admin: psycopg.Connection[Any], seeded: Sequence[str]) -> dict[str, sql.Composed]:
    names: dict[str, list[sql.Identifier]] = defaultdict(list)
    for table, column in admin.execute(_COLUMNS, [list(seeded)]):
        names[table].append(sql.Identifier(column))
    return {table: sql.SQL(", ").join(columns) for table, columns in names.items()}


_NEW_ROWS: Final = """
CREATE OR REPLACE FUNCTION pg_temp.new_rows(text) RETURNS TABLE (rows_of text, rows_came bigint) LANGUAGE plpgsql AS $$
BEGIN {counts} END $$
"""


def _learn_to_count(admin: psycopg.Connection[Any], tables: Iterable[str]) -> None:
    """A function, whose plans are kept: one question about two hundred tables takes longer to plan than to answer."""
    count = sql.SQL(
        "RETURN QUERY SELECT {}::text, count(*) FROM {} AS new WHERE age(xmin) < age($1::xid) HAVING count(*) > 0;"
    )
    counts = sql.SQL(" ").join(count.format(sql.Literal(table), sql.Identifier(table)) for table in tables)
    admin.execute(sql.SQL(_NEW_ROWS).format(counts=counts))


def _new(table: str, since: str) -> sql.Composed:
    return sql.SQL("{} AS new WHERE age(xmin) < age({}::text::xid)").format(sql.Identifier(table), since)


def _copy(number: int, table: str) -> sql.Identifier:
    return sql.Identifier(f"mould_{number}_{table}")


def _others_work() -> bool:
    """Whether deeds run beside one another: their rows could not be told apart. (A server is a daemon.)"""
    return sum(not each.daemon for each in threading.enumerate()) > 1


def _now() -> datetime:
    return datetime.now(UTC) + clock.offset()
