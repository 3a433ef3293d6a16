"""Which days are compared, what differs, what is signed off."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, func, select

from app.kernel.clock import SHANGHAI
from app.kernel.db import current, transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.payees.models import MerchantChannel, Payee
from payments.reconciliation.models import DayProposal, DaySignOff, Difference, Explanation, ReconRun
from payments.reconciliation.rules import UNEXPLAINED, office

PAGE = 200


class NoSuchDifference(NotFound):
    """No such difference."""

    code = "no_such_difference"
    message = "未找到该笔差异"


class NoSuchMerchant(NotFound):
    """No payee collects through such a sub-merchant."""

    code = "no_such_merchant"
    message = "未找到该商户号"


@dataclass(frozen=True)
class DifferenceView:
    """A difference as people see it; `said` is the explanation that waits or was accepted.

    While nobody took it up, the `owner` is the finance office of the payee's place.
    """

    key: uuid.UUID
    sub_mchid: str
    day: date
    klass: str
    subject: str
    out_trade_no: str | None
    out_refund_no: str | None
    theirs_fen: Fen
    ours_fen: Fen
    gap_fen: Fen
    state: str
    owner: str
    opened_at: datetime
    said: str | None


@dataclass(frozen=True)
class DayView:
    """One merchant's day: what its newest run counted, and how far it is."""

    sub_mchid: str
    day: date
    theirs: int
    theirs_fen: Fen
    ours: int
    ours_fen: Fen
    matched: int
    unexplained: int
    proposed_by: str | None
    signed_by: str | None


def difference(key: uuid.UUID) -> Difference:
    """The difference by its public key. Refuses `NoSuchDifference`."""
    with transaction() as session:
        found = session.scalar(select(Difference).filter_by(key=key).execution_options(populate_existing=True))
        if found is None:
            raise NoSuchDifference
        return found


def merchant(sub_mchid: str, day: date | None = None) -> MerchantChannel:
    """The channel by WeChat's number of it; of several the last one that had begun on that day, if any had.

    Refuses `NoSuchMerchant`.
    """
    begins_at = func.lower(MerchantChannel.valid)
    its = select(MerchantChannel).filter_by(sub_mchid=sub_mchid).where(begins_at.is_not(None))
    if day is not None:
        its = its.order_by((begins_at < datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)).desc())
    with transaction() as session:
        found = session.scalar(its.order_by(begins_at.desc()).limit(1))
        if found is None:
            raise NoSuchMerchant
        return found


def latest_run(channel_id: int, day: date) -> ReconRun | None:
    """What the newest comparison of a merchant's day found."""
    newest = select(ReconRun).filter_by(channel_id=channel_id, day=day).order_by(ReconRun.id.desc()).limit(1)
    with transaction() as session:
        return session.scalar(newest)


def sign_off(channel_id: int, day: date) -> DaySignOff | None:
    """Who closed a merchant's day, if anybody did."""
    with transaction() as session:
        return session.scalar(select(DaySignOff).filter_by(channel_id=channel_id, day=day))


def unexplained(channel_id: int, day: date) -> int:
    """How many differences still keep a day from being signed off."""
    mine = select(func.count()).select_from(Difference).where(
        Difference.channel_id == channel_id, Difference.day == day, Difference.state.in_(UNEXPLAINED)
    )  # fmt: skip
    with transaction() as session:
        return session.scalars(mine).one()


def differences_of(channel_id: int, day: date) -> Sequence[Difference]:
    """Everything in which a merchant's day differs, gone differences aside."""
    mine = select(Difference).where(
        Difference.channel_id == channel_id, Difference.day == day, Difference.state != "gone"
    )  # fmt: skip
    with transaction() as session:
        return session.scalars(mine.order_by(Difference.id).execution_options(populate_existing=True)).all()


def differences(
    *,
    payees: Collection[int] | None = None,
    sub_mchid: str | None = None,
    day: date | None = None,
    state: str | None = None,
    limit: int = PAGE,
) -> list[DifferenceView]:
    """Differences, the oldest first; without a state those that are not explained; of these payees alone, if named."""
    wanted = _viewed()
    wanted = wanted.where(Difference.state == state if state else Difference.state.in_(UNEXPLAINED))
    if sub_mchid is not None:
        wanted = wanted.where(MerchantChannel.sub_mchid == sub_mchid)
    if day is not None:
        wanted = wanted.where(Difference.day == day)
    if payees is not None:
        wanted = wanted.where(Difference.payee_id.in_(payees))
    with transaction():
        return [_view(*row) for row in current().execute(wanted.order_by(Difference.id).limit(limit))]


def days(
    first: date, last: date, *, payees: Collection[int] | None = None, sub_mchid: str | None = None
) -> list[DayView]:  # fmt: skip
    """Merchants' days that were compared, as their newest run found them, the newest day first."""
    newest = select(func.max(ReconRun.id)).group_by(ReconRun.channel_id, ReconRun.day)
    open_ones = (
        select(func.count())
        .select_from(Difference)
        .where(
            Difference.channel_id == ReconRun.channel_id, Difference.day == ReconRun.day,
            Difference.state.in_(UNEXPLAINED),
        )
        .scalar_subquery()
    )  # fmt: skip
    wanted = (
        select(ReconRun, MerchantChannel.sub_mchid, open_ones, DayProposal.made_by, DaySignOff.signed_by)
        .join(MerchantChannel, MerchantChannel.id == ReconRun.channel_id)
        .outerjoin(DayProposal, DayProposal.run_id == ReconRun.id)
        .outerjoin(DaySignOff, DaySignOff.proposal_id == DayProposal.id)
        .where(ReconRun.id.in_(newest), ReconRun.day.between(first, last))
        .order_by(ReconRun.day.desc(), MerchantChannel.sub_mchid)
    )
    if sub_mchid is not None:
        wanted = wanted.where(MerchantChannel.sub_mchid == sub_mchid)
    if payees is not None:
        wanted = wanted.where(ReconRun.payee_id.in_(payees))
    with transaction() as session:
        return [
            DayView(
                number, run.day, run.theirs, run.theirs_fen, run.ours, run.ours_fen, run.matched, waiting, maker, signer
            )
            for run, number, waiting, maker, signer in session.execute(wanted)
        ]  # fmt: skip


def _viewed() -> Select[Difference, str, str | None, str | None]:
    said = (
        select(Explanation.because)
        .where(Explanation.difference_id == Difference.id, Explanation.accepted.is_not(False))
        .order_by(Explanation.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(Difference, MerchantChannel.sub_mchid, Payee.district_code, said)
        .join(MerchantChannel, MerchantChannel.id == Difference.channel_id)
        .join(Payee, Payee.id == Difference.payee_id)
    )


def _view(found: Difference, sub_mchid: str, district_code: str | None, said: str | None) -> DifferenceView:
    return DifferenceView(
        found.key, sub_mchid, found.day, found.klass, found.subject, found.out_trade_no, found.out_refund_no,
        found.theirs_fen, found.ours_fen, found.gap_fen, found.state, found.owner or office(district_code),
        found.opened_at, said,
    )  # fmt: skip
