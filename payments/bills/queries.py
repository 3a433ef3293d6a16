"""Which bills there are, and what the last word on a day is."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from app.kernel.crypto import unseal_bytes
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.bills.models import BillByHand, BillDay, BillFile, BillOriginal, BillOriginalPiece
from payments.bills.rules import BillRefused, Inflated, Owner
from payments.payees.models import MerchantChannel

TRADE, FUND_FLOW = "trade", "fund_flow"
HAD = ("loaded", "empty")
"""States of a bill that is WeChat's word; a refused one is nobody's."""


class NoSuchBillDay(NotFound):
    """No bill is due of that merchant and day, or not yet."""

    code = "no_such_bill_day"
    message = "该商户当日没有应取的账单"


class NoOriginal(NotFound):
    """That bill was never loaded, or before originals were kept, or its term is over."""

    code = "no_bill_original"
    message = "该账单没有留存原件：未入库，或保存期已满"


class OriginalSpoilt(RuntimeError):
    """What is kept is not what its hashes say: somebody changed the tables behind the platform's back."""


@dataclass(frozen=True)
class BillView:
    """One version of a bill as people see it."""

    sub_mchid: str
    day: date
    kind: str
    version: int
    state: str
    code: str | None
    at_line: int | None
    lines: int
    paid_fen: Fen
    refunded_fen: Fen
    fee_fen: Fen
    sha1: str | None
    fetched_at: datetime
    brought_by: str | None
    """Who brought it, since WeChat had it no more."""


def bill_day(sub_mchid: str, day: date, kind: str) -> BillDay:
    """The bill that is due of a merchant's day. Refuses `NoSuchBillDay`."""
    wanted = select(BillDay).join(MerchantChannel, MerchantChannel.id == BillDay.channel_id)
    with transaction() as session:
        named = wanted.where(MerchantChannel.sub_mchid == sub_mchid)
        found = session.scalar(named.where(BillDay.day == day, BillDay.kind == kind))
        if found is None:
            raise NoSuchBillDay
        return found


def current_bill(day_id: int) -> BillFile | None:
    """The newest version that WeChat vouched for: a file, or that there is none."""
    newest = (
        select(BillFile)
        .where(BillFile.day_id == day_id, BillFile.state.in_(HAD))
        .order_by(BillFile.version.desc())
        .limit(1)
    )
    with transaction() as session:
        return session.scalar(newest)


def was_brought_by_hand(bill_id: int) -> bool:
    """Whether a person brought it, not WeChat."""
    with transaction() as session:
        return session.get(BillByHand, bill_id) is not None


def last_answer(day_id: int) -> BillFile | None:
    """The newest version, refused ones too."""
    newest = select(BillFile).where(BillFile.day_id == day_id).order_by(BillFile.version.desc()).limit(1)
    with transaction() as session:
        return session.scalar(newest)


def next_version(day_id: int) -> int:
    """The number of the next answer about a locked bill day."""
    highest = select(func.coalesce(func.max(BillFile.version), 0)).where(BillFile.day_id == day_id)
    return int(current().scalars(highest).one()) + 1


def owner_of(day: BillDay) -> Owner:
    """Whose bill it must be."""
    with transaction() as session:
        channel = session.get_one(MerchantChannel, day.channel_id)
        return Owner(channel.sp_mchid, channel.sub_mchid, day.day)


def bills(
    first: date, last: date, *, payees: Collection[int] | None = None, sub_mchid: str | None = None
) -> Sequence[BillView]:  # fmt: skip
    """Every version of every bill of these days, the newest day first."""
    wanted = (
        select(BillFile, BillDay.day, MerchantChannel.sub_mchid, BillByHand.brought_by)
        .join(BillDay, BillDay.id == BillFile.day_id)
        .join(MerchantChannel, MerchantChannel.id == BillDay.channel_id)
        .outerjoin(BillByHand, BillByHand.bill_id == BillFile.id)
        .where(BillDay.day.between(first, last))
    )
    if sub_mchid is not None:
        wanted = wanted.where(MerchantChannel.sub_mchid == sub_mchid)
    if payees is not None:
        wanted = wanted.where(BillDay.payee_id.in_(payees))
    wanted = wanted.order_by(BillDay.day.desc(), MerchantChannel.sub_mchid, BillFile.kind, BillFile.version)
    with transaction() as session:
        return [
            BillView(
                merchant, day, each.kind, each.version, each.state, each.code, each.at_line, each.lines, each.paid_fen,
                each.refunded_fen, each.fee_fen, each.sha1, each.fetched_at, brought_by,
            )
            for each, day, merchant, brought_by in session.execute(wanted)
        ]  # fmt: skip


def loaded_bill(day_id: int, version: int | None = None) -> BillFile:
    """A version of a bill that was loaded, else the newest of them. Refuses `NoOriginal`."""
    loaded = select(BillFile).filter_by(day_id=day_id, state="loaded").order_by(BillFile.version.desc()).limit(1)
    if version is not None:
        loaded = loaded.where(BillFile.version == version)
    with transaction() as session:
        found = session.scalar(loaded)
        if found is None:
            raise NoOriginal
        return found


def original_text(bill: BillFile) -> Iterator[bytes]:
    """The text of a bill as WeChat gave it, piece by piece, in the running transaction. Refuses `NoOriginal`.

    Exhausted, it is proven: each part has the SHA-1 that WeChat signed, the whole our SHA-256. Raises `OriginalSpoilt`.
    """
    kept = current().get(BillOriginal, bill.id)
    if kept is None or kept.erased_at is not None:
        raise NoOriginal
    digest = hashlib.sha256()
    try:
        for part, sha1 in enumerate((bill.sha1 or "").split(","), 1):
            for piece in Inflated(_pieces(bill.id, part), sha1):
                digest.update(piece)
                yield piece
    except BillRefused as refused:
        raise OriginalSpoilt(refused.code) from None
    if digest.digest() != bill.sha256:
        raise OriginalSpoilt("sha256")


def _pieces(bill_id: int, part: int) -> Iterator[bytes]:
    """One at a time: a large bill is read without much memory."""
    its = select(BillOriginalPiece.number).filter_by(bill_id=bill_id, part=part).order_by(BillOriginalPiece.number)
    for number in current().scalars(its).all():
        one = select(BillOriginalPiece.sealed).filter_by(bill_id=bill_id, part=part, number=number)
        yield unseal_bytes(current().scalars(one).one(), piece_place(bill_id, part, number))


def piece_place(bill_id: int, part: int, number: int) -> str:
    """Where a piece of an original is sealed to."""
    return f"bill_original_piece:{bill_id}:{part}:{number}"
