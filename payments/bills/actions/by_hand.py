"""A bill that WeChat has no more is brought by a person: through the same reader, with the same proof of its sums.

WeChat keeps bills for three months; its merchant platform shows older ones to whoever signs in there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from app.kernel import audit, clock
from app.kernel.db import current, transaction
from app.kernel.refusals import Conflict, Invalid
from payments.bills.actions.load import keep, load, lock_day
from payments.bills.actions.originals import Pieces
from payments.bills.models import BillByHand, BillDay, BillFile
from payments.bills.queries import current_bill, was_brought_by_hand
from payments.bills.rules import BillRefused, is_gone, sha1_of


class BillStillToBeHad(Conflict):
    """WeChat still gives the day's bills out: the platform fetches them, and nobody brings another."""

    code = "bill_still_to_be_had"
    message = "微信仍提供当日账单，由平台自动取得，不能补录"


class BillHadFromWeChat(Conflict):
    """WeChat itself has given the bill, or said that there is none: its word stands."""

    code = "bill_had_from_wechat"
    message = "当日账单已由平台从微信取得，不能补录"


class BillFileRefused(Invalid):
    """The file is not a bill of that merchant and day: `details` has the reader's code (`BillRefused`) and the line."""

    code = "bill_file_refused"
    message = "账单文件未通过核验"


class BringingUnexplained(Invalid):
    """Whoever brings a bill says why, without personal data."""

    code = "bill_by_hand_unexplained"
    message = "请填写补录原因"


def bring_bill(
    day_id: int, file: BinaryIO, by: str, because: str, *, on_loaded: str, keep_days: int
) -> BillFile:  # fmt: skip
    """Load a bill of a day that WeChat has no more from a file of its merchant platform, gzipped or plain.

    Read and kept as a bill that was fetched (`load`); only that nobody signed its hash. The same text again is no news.
    Refuses `BillStillToBeHad`, `BillHadFromWeChat`, `BillFileRefused`, `BringingUnexplained`.
    """
    with transaction(), _told_to_people():
        day = _gone(day_id, because)
        pieces = Pieces(file)
        sha1 = sha1_of(pieces)
        news = load(day.id, [(sha1, pieces)], on_loaded, keep_days)
        return _brought(day, by, because) if news else _had(day)


def bring_none(day_id: int, file_id: int, by: str, because: str, *, on_loaded: str) -> BillFile:
    """Write down that the merchant platform has no bill of a day that WeChat has no more; the kept paper proves it.

    Refuses as `bring_bill` does.
    """
    with transaction(), _told_to_people():
        day = _gone(day_id, because)
        news = keep(day.id, "empty", on_loaded=on_loaded)
        return _brought(day, by, because, file_id) if news else _had(day)


@contextmanager
def _told_to_people() -> Iterator[None]:
    try:
        yield
    except BillRefused as refused:
        raise BillFileRefused(reason=refused.code, line=refused.line) from None


def _gone(day_id: int, because: str) -> BillDay:
    """The day, locked: one that WeChat has no more and never gave."""
    if not because.strip():
        raise BringingUnexplained
    day = lock_day(day_id)
    had = current_bill(day.id)
    if had is not None and not was_brought_by_hand(had.id):
        raise BillHadFromWeChat
    if not is_gone(day.day, clock.now()):
        raise BillStillToBeHad
    return day


def _brought(day: BillDay, by: str, because: str, file_id: int | None = None) -> BillFile:
    bill = _had(day)
    told = {"brought_by": by, "because": because.strip(), "brought_at": clock.now()}
    current().add(BillByHand(bill_id=bill.id, state=bill.state, file_id=file_id, **told))
    current().flush()
    audit.record("bill.bring", "bill_file", bill.id, by)
    return bill


def _had(day: BillDay) -> BillFile:
    bill = current_bill(day.id)
    assert bill is not None
    return bill
