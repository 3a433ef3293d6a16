"""The bytes of a bill as WeChat gave them: sealed beside its lines, kept for a term, erased after it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO, Final

from sqlalchemy import delete, insert, select

from app.kernel import audit, clock
from app.kernel.crypto import seal_bytes
from app.kernel.db import current, transaction, unhurried
from payments.bills.models import BillOriginal, BillOriginalPiece
from payments.bills.queries import piece_place
from payments.bills.rules.unpacking import PIECE

AT_ONCE: Final = 8
"""Pieces a statement: a large bill is kept without much memory."""


class Pieces:
    """A file piece by piece, from its beginning as often as somebody goes through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield from iter(lambda: self._file.read(PIECE), b"")


def keep_original(bill_id: int, day: date, parts: Sequence[tuple[str, Iterable[bytes]]], keep_days: int) -> None:
    """Keep the parts of a day's bill as they came, in the transaction that writes the bill.

    The term begins with the year after the one that the day lies in (会计档案管理办法 第十四条).
    """
    session = current()
    session.add(BillOriginal(bill_id=bill_id, kept_until=_next_year(day) + timedelta(days=keep_days)))
    session.flush()
    rows = _sealed(bill_id, parts)
    while some := list(islice(rows, AT_ONCE)):
        session.execute(insert(BillOriginalPiece), some)


def _next_year(day: date) -> datetime:
    return datetime(day.year + 1, 1, 1, tzinfo=clock.SHANGHAI)


def _sealed(bill_id: int, parts: Sequence[tuple[str, Iterable[bytes]]]) -> Iterator[dict[str, Any]]:
    for part, (_, pieces) in enumerate(parts, 1):
        for number, piece in enumerate(pieces, 1):
            sealed = seal_bytes(piece, piece_place(bill_id, part, number))
            yield {"bill_id": bill_id, "part": part, "number": number, "sealed": sealed}


def erase_originals(limit: int = 100) -> int:
    """Erase what has been kept for its term; lines, sums and hashes stay. Returns how many bills that were.

    Each bill is a transaction of its own, which lasts as long as its pieces need. Outside any transaction.
    """
    erased = 0
    while erased < limit and _one_erased():
        erased += 1
    return erased


def _one_erased() -> bool:
    """Whether there was one whose term is over, and which nobody else erases."""
    with transaction() as session:
        unhurried()
        now = clock.now()
        over = select(BillOriginal).where(BillOriginal.kept_until <= now, BillOriginal.erased_at.is_(None))
        first = over.order_by(BillOriginal.kept_until, BillOriginal.bill_id).limit(1)
        original = session.scalars(first.with_for_update(skip_locked=True)).one_or_none()
        if original is None:
            return False
        original.erased_at = now
        session.flush()
        session.execute(delete(BillOriginalPiece).where(BillOriginalPiece.bill_id == original.bill_id))
        audit.record("bill_original.erase", "bill_file", original.bill_id, "platform")
        return True
