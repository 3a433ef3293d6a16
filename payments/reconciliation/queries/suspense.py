"""What stands in suspense, since when and with whom; and what is asked to be cleared."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, func, select

from app.kernel.db import transaction
from app.kernel.money import Fen
from app.kernel.refusals import NotFound
from payments.charges.models import Charge, Payment
from payments.payees.models import MerchantChannel, Payee
from payments.reconciliation.models import (
    Difference,
    StrayPlacement,
    SurplusOwner,
    SuspenseClearing,
    SuspenseClearingLine,
)
from payments.reconciliation.queries.days import difference
from payments.reconciliation.rules import office
from payments.refunds.models import Refund

PAGE = 200
SURPLUS = "surplus"
"""A second payment of a charge: it stands in suspense until it is given back, which happens by itself."""


class NoSuchPlacement(NotFound):
    """Nobody has said so."""

    code = "no_such_placement"
    message = "未找到该处理申请"


class NoSuchClearing(NotFound):
    """No such clearing."""

    code = "no_such_clearing"
    message = "未找到该清账申请"


@dataclass(frozen=True)
class Held:
    """Money in suspense: what WeChat has more (长款, positive) or less (短款, negative) than we can say whose it is.

    `owner` is a person, or the finance office of the payee's place while nobody is named.
    `klass` is the difference's class or `surplus`; `waiting` the clearing or placement that is under way.
    """

    key: uuid.UUID
    payee_id: int
    sub_mchid: str
    day: date | None
    klass: str
    subject: str
    fen: Fen
    owner: str
    since: datetime
    waiting: uuid.UUID | None


@dataclass(frozen=True)
class PlacementView:
    """Where somebody says that a stray payment goes, as people see it."""

    key: uuid.UUID
    payee_id: int
    difference: uuid.UUID
    way: str
    charge: uuid.UUID | None
    amount_fen: Fen
    because: str
    made_by: str
    made_at: datetime
    state: str
    decided_by: str | None


@dataclass(frozen=True)
class ClearingView:
    """A clearing as people see it: how many things it clears, of how much."""

    key: uuid.UUID
    payee_id: int
    target: str
    target_key: uuid.UUID
    lines: int
    fen: Fen
    because: str
    made_by: str
    made_at: datetime
    state: str
    decided_by: str | None


def suspense(*, payees: Collection[int] | None = None, channel_id: int | None = None) -> list[Held]:
    """Everything in suspense, the oldest first; of these payees or this merchant alone, if named.

    Together it is what the payees' accounts `suspense_long` and `suspense_short` hold.
    """
    held = _differences().where(*_within(Difference, payees, channel_id))
    doubled = _surplus().where(*_within(Payment, payees, channel_id))
    with transaction() as session:
        found = [
            Held(each.key, each.payee_id, merchant, each.day, each.klass, each.subject, each.gap_fen,
                 each.owner or office(district), each.moved_at, waiting)
            for each, merchant, district, waiting in session.execute(held)
        ]  # fmt: skip
        found += [
            Held(each.key, each.payee_id, merchant, None, SURPLUS, each.transaction_id,
                 each.paid_fen - each.refund_reserved_fen, owner or office(district), each.learned_at, None)
            for each, merchant, district, owner in session.execute(doubled)
        ]  # fmt: skip
    return sorted(found, key=lambda each: (each.since, each.key))


def being_cleared(difference_id: int) -> bool:
    """Whether somebody has asked that it be cleared, and nobody has decided."""
    with transaction() as session:
        waits = select(SuspenseClearingLine).filter_by(difference_id=difference_id, state="waiting")
        return session.scalar(select(waits.exists())) is True


def clearing(key: uuid.UUID) -> SuspenseClearing:
    """The clearing by its public key. Refuses `NoSuchClearing`."""
    with transaction() as session:
        found = session.scalar(select(SuspenseClearing).filter_by(key=key).execution_options(populate_existing=True))
        if found is None:
            raise NoSuchClearing
        return found


def clearings(
    *, payees: Collection[int] | None = None, state: str | None = None, limit: int = PAGE
) -> list[ClearingView]:
    """Clearings, the newest first; in one state and of these payees alone, if named."""
    lines = func.count(SuspenseClearingLine.difference_id)
    fen = func.coalesce(func.sum(SuspenseClearingLine.gap_fen).filter(SuspenseClearingLine.gap_fen > 0), 0)
    wanted = (
        select(SuspenseClearing, lines, fen)
        .join(SuspenseClearingLine, SuspenseClearingLine.clearing_id == SuspenseClearing.id)
        .group_by(SuspenseClearing.id)
        .order_by(SuspenseClearing.id.desc())
    )
    if payees is not None:
        wanted = wanted.where(SuspenseClearing.payee_id.in_(payees))
    if state is not None:
        wanted = wanted.where(SuspenseClearing.state == state)
    with transaction() as session:
        return [_view(each, count, int(sum_fen)) for each, count, sum_fen in session.execute(wanted.limit(limit))]


def placement(key: uuid.UUID) -> StrayPlacement:
    """The placement by its public key. Refuses `NoSuchPlacement`."""
    with transaction() as session:
        found = session.scalar(select(StrayPlacement).filter_by(key=key).execution_options(populate_existing=True))
        if found is None:
            raise NoSuchPlacement
        return found


def placements(
    *, payees: Collection[int] | None = None, state: str | None = None, limit: int = PAGE
) -> list[PlacementView]:
    """Placements, the newest first; in one state and of these payees alone, if named."""
    wanted = (
        select(StrayPlacement, Difference.key, Charge.key)
        .join(Difference, Difference.id == StrayPlacement.difference_id)
        .outerjoin(Charge, Charge.id == StrayPlacement.charge_id)
        .order_by(StrayPlacement.id.desc())
    )
    if payees is not None:
        wanted = wanted.where(StrayPlacement.payee_id.in_(payees))
    if state is not None:
        wanted = wanted.where(StrayPlacement.state == state)
    with transaction() as session:
        return [
            PlacementView(
                each.key, each.payee_id, stray, each.way, debt, each.amount_fen, each.because, each.made_by,
                each.made_at, each.state, each.decided_by,
            )
            for each, stray, debt in session.execute(wanted.limit(limit))
        ]  # fmt: skip


def held_for_charge(charge_key: uuid.UUID) -> Sequence[uuid.UUID]:
    """Keys of what stands in suspense for payments of a charge."""
    mine = (
        select(Difference.key)
        .join(Payment, Payment.id == Difference.payment_id)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(Difference.state == "suspended", Difference.refund_id.is_(None), Charge.key == charge_key)
    )
    with transaction() as session:
        return session.scalars(mine.order_by(Difference.id)).all()


def held_for_refund(refund_key: uuid.UUID) -> Sequence[uuid.UUID]:
    """Keys of what stands in suspense for a refund."""
    mine = select(Difference.key).join(Refund, Refund.id == Difference.refund_id)
    mine = mine.where(Difference.state == "suspended", Refund.key == refund_key)
    with transaction() as session:
        return session.scalars(mine.order_by(Difference.id)).all()


def surplus(key: uuid.UUID) -> Payment | None:
    """The second payment in suspense by its public key; none: it is something else, or no more there."""
    with transaction() as session:
        return session.scalar(select(Payment).where(Payment.key == key, *_KEPT))


def payee_of_held(key: uuid.UUID) -> int:
    """Whose money a difference or a second payment is. Refuses `NoSuchDifference`."""
    with transaction():
        doubled = surplus(key)
        return difference(key).payee_id if doubled is None else doubled.payee_id


def _differences() -> Select[Difference, str, str | None, uuid.UUID | None]:
    waiting = (
        select(SuspenseClearing.key)
        .join(SuspenseClearingLine, SuspenseClearingLine.clearing_id == SuspenseClearing.id)
        .where(SuspenseClearingLine.difference_id == Difference.id, SuspenseClearing.state == "waiting")
        .scalar_subquery()
    )
    placed = select(StrayPlacement.key).where(
        StrayPlacement.difference_id == Difference.id, StrayPlacement.state.in_(("waiting", "accepted"))
    )
    under_way = func.coalesce(waiting, placed.scalar_subquery())
    joined = select(Difference, MerchantChannel.sub_mchid, Payee.district_code, under_way)
    return (
        joined.join(MerchantChannel, MerchantChannel.id == Difference.channel_id)
        .join(Payee, Payee.id == Difference.payee_id)
        .where(Difference.state == "suspended")
    )


def _surplus() -> Select[Payment, str, str | None, str | None]:
    named = select(SurplusOwner.owner).where(SurplusOwner.payment_id == Payment.id)
    owner = named.order_by(SurplusOwner.id.desc()).limit(1).scalar_subquery()
    joined = select(Payment, MerchantChannel.sub_mchid, Payee.district_code, owner)
    return (
        joined.join(MerchantChannel, MerchantChannel.id == Payment.channel_id)
        .join(Payee, Payee.id == Payment.payee_id)
        .where(*_KEPT)
    )


_KEPT: Final = (Payment.surplus, Payment.paid_fen > Payment.refund_reserved_fen)


def _within(
    of: type[Difference | Payment], payees: Collection[int] | None, channel_id: int | None
) -> Iterator[ColumnElement[bool]]:
    if payees is not None:
        yield of.payee_id.in_(payees)
    if channel_id is not None:
        yield of.channel_id == channel_id


def _view(each: SuspenseClearing, lines: int, fen: Fen) -> ClearingView:
    return ClearingView(
        each.key, each.payee_id, each.target, each.target_key, lines, fen, each.because, each.made_by, each.made_at,
        each.state, each.decided_by,
    )  # fmt: skip
