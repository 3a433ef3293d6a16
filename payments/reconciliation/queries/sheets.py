"""What stands on a sign-off sheet: a merchant's day, or its month, as two persons closed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import Conflict
from payments.bills.models import BillByHand, BillDay, BillFile, FundLine
from payments.reconciliation.models import DayProposal, DaySignOff, Difference, Explanation, ReconRun
from payments.reconciliation.queries.days import sign_off

SETTLEMENT = "提现"


class DayNotSignedOff(Conflict):
    """A sheet is of a day that is closed."""

    code = "day_not_signed_off"
    message = "当日尚未日结，不能出具日结单"


class MonthNotSignedOff(Conflict):
    """A sheet is of a month that is over and of which every day is closed; `days` are those that are not."""

    code = "month_not_signed_off"
    message = "当月尚未全部日结，不能出具月结单"


@dataclass(frozen=True)
class SheetBill:
    """A bill as it was compared: which version, its sums, and the hash of its text; none of an empty one.

    `brought_by` is who brought it where WeChat had it no more.
    """

    kind: str
    version: int
    lines: int
    paid_fen: Fen
    refunded_fen: Fen
    fee_fen: Fen
    sha256: str
    brought_by: str | None


@dataclass(frozen=True)
class SheetDifference:
    """A difference of the day with what was said of it and by whom it was accepted."""

    klass: str
    subject: str
    theirs_fen: Fen
    ours_fen: Fen
    gap_fen: Fen
    state: str
    because: str
    made_by: str
    decided_because: str
    decided_by: str


@dataclass(frozen=True)
class DaySheet:
    """One merchant's day: its newest run, bills, differences, what WeChat kept and paid out, and who closed it."""

    run: ReconRun
    bills: Sequence[SheetBill]
    differences: Sequence[SheetDifference]
    fee_fen: Fen
    settled_fen: Fen
    proposed_at: datetime
    signed: DaySignOff


def day_sheet(channel_id: int, day: date) -> DaySheet:
    """What is to be said of a closed day. Refuses `DayNotSignedOff`."""
    with transaction() as session:
        signed = sign_off(channel_id, day)
        if signed is None:
            raise DayNotSignedOff(day=day)
        proposal = session.get_one(DayProposal, signed.proposal_id)
        run = session.get_one(ReconRun, proposal.run_id)
        trade = session.get_one(BillFile, run.trade_file_id)
        bills = [_bill(session.get_one(BillFile, each)) for each in (trade.id, run.flow_file_id) if each is not None]
        return DaySheet(
            run, bills, _differences(run), trade.fee_fen, _settled(run), proposal.made_at, signed,
        )  # fmt: skip


def month_sheets(channel_id: int, month: date) -> Sequence[DaySheet]:
    """Each day of a month of which the merchant's bills tell anything, all closed. Refuses `MonthNotSignedOff`."""
    first = month.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    with transaction() as session:
        due = select(BillDay.day).where(BillDay.channel_id == channel_id, BillDay.day >= first, BillDay.day < after)
        quiet = select(func.quiet_days(channel_id))
        days = session.scalars(due.where(BillDay.day.not_in(quiet)).distinct().order_by(BillDay.day)).all()
        missing = [each for each in days if sign_off(channel_id, each) is None]
        if missing or not days or clock.business_day(clock.now()) < after:
            raise MonthNotSignedOff(days=[each.isoformat() for each in missing])
        return [day_sheet(channel_id, each) for each in days]


def _bill(file: BillFile) -> SheetBill:
    sha256 = file.sha256.hex() if file.sha256 else ""
    hand = current().get(BillByHand, file.id)
    return SheetBill(
        file.kind, file.version, file.lines, file.paid_fen, file.refunded_fen, file.fee_fen, sha256,
        hand.brought_by if hand else None,
    )  # fmt: skip


def _differences(run: ReconRun) -> list[SheetDifference]:
    mine = (
        select(Difference, Explanation)
        .outerjoin(Explanation, (Explanation.difference_id == Difference.id) & Explanation.accepted)
        .where(Difference.channel_id == run.channel_id, Difference.day == run.day, Difference.state != "gone")
        .order_by(Difference.klass, Difference.subject, Explanation.id)
    )
    return [_difference(found, said) for found, said in current().execute(mine)]


def _difference(found: Difference, said: Explanation | None) -> SheetDifference:
    told = (said.because, said.made_by, said.decided_because or "", said.decided_by or "") if said else ("", "", "", "")
    return SheetDifference(
        found.klass, found.subject.removesuffix("/ours"), found.theirs_fen, found.ours_fen, found.gap_fen, found.state,
        *told,
    )  # fmt: skip


def _settled(run: ReconRun) -> Fen:
    moved = select(func.coalesce(-func.sum(FundLine.amount_fen), 0)).where(
        FundLine.bill_id == run.flow_file_id, FundLine.kind == SETTLEMENT, FundLine.amount_fen < 0
    )  # fmt: skip
    return int(current().scalar(moved) or 0)
