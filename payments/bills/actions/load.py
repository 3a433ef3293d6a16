"""A file becomes lines in one transaction: read, counted and compared while it streams, or nothing of it stays."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from psycopg.errors import UniqueViolation
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.kernel import clock
from app.kernel.db import current, transaction, unhurried, violated
from app.kernel.queue import enqueue
from payments.bills.actions.originals import keep_original
from payments.bills.models import BillDay, BillFile
from payments.bills.queries import TRADE, current_bill, last_answer, next_version, owner_of
from payments.bills.rules import BillRefused, FlowReader, Inflated, Owner, Sums, TradeReader, after_success, lines_of
from payments.bills.rules.flows import COLUMNS as FUND_COLUMNS
from payments.bills.rules.trades import COLUMNS as TRADE_COLUMNS
from payments.charges.actions.cases import open_case

BATCH: Final = 2_000
SIGNED_OFF: Final = "day_signed_off"
Part = tuple[str, Iterable[bytes]]
"""The SHA-1 of a part's inflated text, and the part's bytes piece by piece, gzipped or plain."""


def load(day_id: int, parts: Sequence[Part], on_loaded: str, keep_days: int) -> bool:
    """Read the parts of one bill, which follow each other, and keep every line; whether it is news.

    The text that the day has already is none: somebody may have loaded it while this one was brought. Nothing is kept
    unless every hash, count and sum is right; then the bytes are kept too, sealed, for `keep_days` from the end of the
    day's year, so they are gone through twice. Raises `BillRefused`. Never holds more than a batch of lines in memory.
    """
    with transaction():
        unhurried()
        day = lock_day(day_id)
        hashes = ",".join(sha1 for sha1, _ in parts)
        if is_known(day.id, hashes):
            return keep(day.id, "known", on_loaded=on_loaded)
        bill_id = _reserved()
        sums, sha256 = _copied(bill_id, day.kind, owner_of(day), parts)
        news = _kept(day, bill_id, hashes, sha256, sums, on_loaded)
        keep_original(bill_id, day.day, parts, keep_days)
        return news


def is_known(day_id: int, hashes: str) -> bool:
    """Whether the day's bill is this text, as of now: only who has locked the day can rely on it."""
    had = current_bill(day_id)
    return had is not None and had.sha1 == hashes


def keep(
    day_id: int, what: str, *, on_loaded: str, sha1: str | None = None, refusal: BillRefused | None = None
) -> bool:
    """Write down an answer without lines: `empty`, `refused`, `known` (had before); returns whether it is news."""
    with transaction():
        day = lock_day(day_id)
        if what != "refused":
            _calm(day)
        last = last_answer(day.id)
        code = refusal.code if refusal else None
        if what == "known" or (last is not None and (last.state, last.sha1, last.code) == (what, sha1, code)):
            return False
        before = current_bill(day.id)
        line = refusal.line if refusal else None
        made = BillFile(
            day_id=day.id, kind=day.kind, version=next_version(day.id), state=what, code=code, at_line=line, sha1=sha1,
            lines=0, paid_fen=0, refunded_fen=0, fee_fen=0, fetched_at=clock.now(),
        )  # fmt: skip
        with _unless_signed_off():
            current().add(made)
            current().flush()
        if refusal is not None:
            severity = 1 if refusal.code == SIGNED_OFF else 2
            _case("bill_refused", day, severity, code=refusal.code, line=refusal.line, version=made.version)
            return False
        _tell(day, before, made.version, on_loaded)
        return True


def lock_day(day_id: int) -> BillDay:
    """A bill day, ours until the transaction ends, with the merchant's other bill of that day: always in one order."""
    asked = current().get_one(BillDay, day_id)
    both = select(BillDay).filter_by(channel_id=asked.channel_id, day=asked.day).order_by(BillDay.id).with_for_update()
    locked = current().scalars(both.execution_options(populate_existing=True)).all()
    return next(each for each in locked if each.id == day_id)


def _reserved() -> int:
    return int(current().scalars(text("SELECT nextval(pg_get_serial_sequence('bill_file', 'id'))")).one())


def _copied(bill_id: int, kind: str, owner: Owner, parts: Sequence[Part]) -> tuple[Sums, bytes]:
    digest = hashlib.sha256()
    lines = lines_of(_hashed(parts, digest))
    reader = TradeReader(lines, owner) if kind == TRADE else FlowReader(lines, owner)
    table, columns = ("bill_line", TRADE_COLUMNS) if kind == TRADE else ("fund_line", FUND_COLUMNS)
    try:
        _copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN", reader.rows(bill_id))
    except UniqueViolation:
        raise BillRefused("doubled_line") from None
    return reader.sums, digest.digest()


def _hashed(parts: Sequence[Part], digest: "hashlib._Hash") -> Iterator[bytes]:
    for sha1, pieces in parts:
        for piece in Inflated(pieces, sha1):
            digest.update(piece)
            yield piece


def _copy(statement: str, rows: Iterator[str]) -> None:
    connection = current().connection().connection.driver_connection
    assert connection is not None
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        while batch := "".join(islice(rows, BATCH)):
            copy.write(batch)


_INSERT: Final = text(
    """
    INSERT INTO bill_file
        (id, day_id, kind, version, state, sha1, sha256, lines, paid_fen, refunded_fen, fee_fen, fetched_at)
    OVERRIDING SYSTEM VALUE
    VALUES (:id, :day_id, :kind, :version, 'loaded', :sha1, :sha256, :lines, :paid_fen, :refunded_fen, :fee_fen, :at)
    """
)


def _kept(day: BillDay, bill_id: int, hashes: str, sha256: bytes, sums: Sums, on_loaded: str) -> bool:
    before, version = current_bill(day.id), next_version(day.id)
    told = {"id": bill_id, "day_id": day.id, "kind": day.kind, "version": version, "sha1": hashes, "sha256": sha256}
    with _unless_signed_off():
        current().execute(_INSERT, {**told, **vars(sums), "at": clock.now()})
    _calm(day)
    _tell(day, before, version, on_loaded)
    return True


@contextmanager
def _unless_signed_off() -> Iterator[None]:
    """A day that was signed off takes no other bill: the database says so, and a person hears of it."""
    try:
        yield
    except IntegrityError as error:
        if violated(error) != "a_signed_day_stays_as_it_is":
            raise
        raise BillRefused(SIGNED_OFF) from None


def _calm(day: BillDay) -> None:
    """It was had: it is looked at again only where that is planned."""
    day.tries, day.next_check_at = 0, after_success(day.day, clock.now())


def _tell(day: BillDay, before: BillFile | None, version: int, on_loaded: str) -> None:
    """News goes up; that WeChat changed its word is for a person."""
    if before is not None:
        _case("bill_changed", day, 2, version=version, before=before.version)
    enqueue(on_loaded, day_id=day.id)


def _case(kind: str, day: BillDay, severity: int, **detail: object) -> None:
    told = {"day": day.day.isoformat(), "bill": day.kind, "channel_id": day.channel_id}
    reference = f"bill:{day.id}:{detail['version']}"
    open_case(kind, reference, severity, **told, **detail)
