"""What is free and what is taken. Each query repeats the constraints' own words, to use their index."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range

from app.domain.claims.models import LIVE, BayClaim
from app.domain.claims.rules import Room
from app.domain.lots.models import Bay, BayClosure, LotClosure, OpenWindow
from app.kernel.db import current, transaction

CAR_BAYS = ("standard", "charging")
"""Kinds that any car may be given; accessible and large bays are for those who need them."""


Span = Range[datetime] | SQLColumnExpression[Range[datetime]]
Moment = datetime | SQLColumnExpression[datetime]
Lots = int | SQLColumnExpression[int]
"""One span, moment and lot, or those of each row of the outer query."""

PROMISED = ("held", "confirmed")
"""States in which a bay is kept for a car that has not come yet."""


RIVALS: Final = timedelta(seconds=10)
"""Of two at the same time the later one may have been quicker, and its claim begins after this one's moment. No
transaction of ours lasts as long.
"""


def live() -> ColumnElement[bool]:
    """The constraints' predicate, word for word."""
    return text(LIVE)  # type: ignore[return-value]


def stale(now: Moment) -> ColumnElement[bool]:
    """A hold whose time is over: it blocks nobody."""
    return and_(BayClaim.state == "held", BayClaim.hold_expires_at <= now)


def was_held(now: Moment) -> ColumnElement[bool]:
    """Whether a stale hold still stands on the bay of the outer query."""
    return select(BayClaim.id).where(BayClaim.bay_id == Bay.id, stale(now)).correlate_except(BayClaim).exists()


def taken(during: Span, now: Moment, bay_id: SQLColumnExpression[int] = Bay.id) -> ColumnElement[bool]:
    """Whether a live claim on the bay of the outer query, or its closure (N5.6), overlaps `during`.

    Each bay is looked up in the constraint's index: as an `EXISTS` PostgreSQL would read the city's claims of those
    hours first, 4 ms for a full lot of 40 bays instead of 0.3.
    """
    return or_(_a_claim(bay_id, during, live(), not_(stale(now))).is_not(None), closed(during, bay_id))


def claimed(during: Span, bay_id: SQLColumnExpression[int] = Bay.id) -> ColumnElement[bool]:
    """The same by the constraint's own words: a stale hold that nobody has ended yet stands in the way too."""
    return or_(_a_claim(bay_id, during, live()).is_not(None), closed(during, bay_id))


def _a_claim(bay_id: SQLColumnExpression[int], during: Span, *such: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(BayClaim.id)
        .where(BayClaim.bay_id == bay_id, BayClaim.during.overlaps(during), *such)
        .limit(1)
        .correlate_except(BayClaim)
        .scalar_subquery()
    )


def closed(during: Span, bay_id: SQLColumnExpression[int] = Bay.id) -> ColumnElement[bool]:
    """Whether the bay of the outer query is closed to the public for some part of `during`."""
    return exists(
        select(BayClosure.id)
        .where(BayClosure.bay_id == bay_id, BayClosure.during.overlaps(during))
        .correlate_except(BayClosure)
    )


def lock_bays(lot_id: int) -> None:
    """From now on nobody makes a promise in the lot but this transaction."""
    current().execute(select(Bay.id).where(Bay.lot_id == lot_id).order_by(Bay.id).with_for_update(key_share=True))


def lock_bays_of(claim_ids: Sequence[int]) -> None:
    """Lock the bays of several claims in the one order in which everybody locks several."""
    theirs = select(BayClaim.bay_id).where(BayClaim.id.in_(claim_ids))
    current().execute(select(Bay.id).where(Bay.id.in_(theirs)).order_by(Bay.id).with_for_update(key_share=True))


def car_bays(lot_id: int) -> int:
    """How many bays of a lot any car may be given."""
    with transaction() as session:
        bays = select(func.count()).where(Bay.lot_id == lot_id, Bay.shared, Bay.kind.in_(CAR_BAYS))
        return session.scalar(bays) or 0


def promises_under(adjustment_id: int, lot_id: int) -> Sequence[BayClaim]:
    """The promises in a lot over which an adjustment's closures lie, locked, the earliest first."""
    lot_shut = exists().where(
        LotClosure.lot_id == lot_id, LotClosure.adjustment_id == adjustment_id,
        LotClosure.during.overlaps(BayClaim.during),
    )  # fmt: skip
    bay_shut = exists().where(
        BayClosure.bay_id == BayClaim.bay_id, BayClosure.adjustment_id == adjustment_id,
        BayClosure.during.overlaps(BayClaim.during),
    )  # fmt: skip
    return _promises(lot_id, or_(lot_shut, bay_shut))


def promises_outside_windows(lot_id: int, now: datetime) -> Sequence[BayClaim]:
    """The promises in a lot that are not over and lie in no open window any more, locked, the earliest first."""
    windows = (
        select(func.range_agg(OpenWindow.during))
        .where(OpenWindow.lot_id == lot_id, OpenWindow.during.overlaps(BayClaim.during))
        .correlate(BayClaim)
        .scalar_subquery()
    )
    is_covered = func.coalesce(BayClaim.during.op("<@")(windows), false())
    return _promises(lot_id, and_(func.upper(BayClaim.during) > now, not_(is_covered)))


def promises_in(lot_id: int) -> Sequence[BayClaim]:
    """All promises in a lot, locked, the earliest first."""
    return _promises(lot_id, true())


def _promises(lot_id: int, which: ColumnElement[bool]) -> Sequence[BayClaim]:
    return current().scalars(
        select(BayClaim)
        .join(Bay, Bay.id == BayClaim.bay_id)
        .where(Bay.lot_id == lot_id, BayClaim.state.in_(PROMISED), which)
        .order_by(func.lower(BayClaim.during), BayClaim.id)
        .with_for_update(key_share=True, of=BayClaim)
    ).all()  # fmt: skip


def least_promised_bays(lot_id: int, during: Range[datetime], count: int) -> Sequence[int]:
    """Ids of so many shared bays that are open during the span, those first whose closing touches the fewest claims."""
    touched = (
        select(func.count())
        .where(BayClaim.bay_id == Bay.id, BayClaim.during.overlaps(during), live())
        .correlate(Bay)
        .scalar_subquery()
    )
    with transaction() as session:
        return session.scalars(
            select(Bay.id)
            .where(Bay.lot_id == lot_id, Bay.shared, Bay.kind.in_(CAR_BAYS), not_(closed(during)))
            .order_by(touched, Bay.id.desc())
            .limit(count)
        ).all()


def cars_in(lot_id: int) -> Sequence[int]:
    """Ids of the claims whose cars are in the lot."""
    with transaction() as session:
        return session.scalars(
            select(BayClaim.id)
            .join(Bay, Bay.id == BayClaim.bay_id)
            .where(Bay.lot_id == lot_id, BayClaim.state == "in_use")
            .order_by(BayClaim.id)
        ).all()


def claim_by_id(claim_id: int) -> BayClaim:
    """One claim, locked for a change; its bay first, as everywhere."""
    session = current()
    bay_id = session.scalar(select(BayClaim.bay_id).where(BayClaim.id == claim_id))
    session.execute(select(Bay.id).where(Bay.id == bay_id).with_for_update(key_share=True))
    return session.scalars(select(BayClaim).where(BayClaim.id == claim_id).with_for_update(key_share=True)).one()


def admissible(lot_id: int, plate_id: int, at: datetime, late: timedelta = timedelta()) -> Sequence[int]:
    """Ids of the promises under which this plate may drive into this lot at a moment, or may have `late` before."""
    with transaction() as session:
        promises = promise_that_admits(lot_id, plate_id, at, late)
        return session.scalars(promises.order_by(BayClaim.admit_from, BayClaim.id)).all()


def promise_that_admits(
    lot_id: int | ColumnElement[int], plate_id: int | ColumnElement[int], at: Moment, late: timedelta = timedelta()
) -> Select[int]:
    """The ids of those promises."""
    return (
        select(BayClaim.id)
        .join(Bay, Bay.id == BayClaim.bay_id)
        .where(
            Bay.lot_id == lot_id, BayClaim.plate_id == plate_id, BayClaim.state == "confirmed",
            BayClaim.admit_from <= at, BayClaim.admit_until >= at - late,
        )
    )  # fmt: skip


def is_open(lot_id: Lots, during: Span) -> ColumnElement[bool]:
    """Whether a lot is open to the public, by its windows and closures, during the whole span."""
    windows = (
        select(func.range_agg(OpenWindow.during))
        .where(OpenWindow.lot_id == lot_id, OpenWindow.during.overlaps(during))
        .correlate_except(OpenWindow)
        .scalar_subquery()
    )
    shut = (
        select(LotClosure.id)
        .where(LotClosure.lot_id == lot_id, LotClosure.during.overlaps(during))
        .correlate_except(LotClosure)
        .exists()
    )
    return and_(func.coalesce(type_coerce(during, TSTZRANGE).op("<@")(windows), false()), not_(shut))


def has_free_bay(lot_id: Lots, during: Span, now: Moment) -> ColumnElement[bool]:
    """Whether some bay of a lot that any car may be given is free during the whole span."""
    return (
        select(Bay.id)
        .where(Bay.lot_id == lot_id, Bay.shared, Bay.kind.in_(CAR_BAYS), not_(taken(during, now)))
        .correlate_except(Bay)
        .exists()
    )


def a_free_bay(lot_id: Lots, during: Span, now: Moment) -> ScalarSelect[int]:
    """The first bay of a lot that any car may be given and that is free during the whole span; null where none is.

    They are put in order before any is looked at, so that the look ends with the first free one: a filter alone
    PostgreSQL asks of every bay, 0.23 ms for a lot of 40 bays.
    """
    in_order = (
        select(Bay.id)
        .where(Bay.lot_id == lot_id, Bay.shared, Bay.kind.in_(CAR_BAYS))
        .order_by(Bay.kind.desc(), Bay.id)
        .offset(0)
        .correlate_except(Bay)
        .subquery("in_order")
    )
    return select(in_order.c.id).where(not_(taken(during, now, in_order.c.id))).limit(1).scalar_subquery()


def is_claimed(plate_id: SQLColumnExpression[int], during: Span) -> ColumnElement[bool]:
    """Whether a live claim has the plate of each row of the outer query for some part of a span."""
    return (
        select(BayClaim.id)
        .where(BayClaim.plate_id == plate_id, BayClaim.during.overlaps(during), live())
        .correlate_except(BayClaim)
        .exists()
    )


def open_and_free(lot_id: int, during: Range[datetime], now: datetime) -> tuple[bool, bool]:
    """Whether a lot is open during the whole span, and whether one of its bays is free."""
    with transaction() as session:
        row = session.execute(select(is_open(lot_id, during), has_free_bay(lot_id, during, now))).one()
    return bool(row[0]), bool(row[1])


def occupied(lot_id: int, at: datetime) -> tuple[int, int]:
    """How many bays of a lot are shared, and how many of these are taken or promised at a moment."""
    moment = Range(at, at, bounds="[]")
    with transaction() as session:
        shared, busy = session.execute(
            select(func.count(), func.count().filter(taken(moment, at))).where(Bay.lot_id == lot_id, Bay.shared)
        ).one()
    return int(shared), int(busy)


def room_in(lot_id: int, at: datetime, until: datetime) -> Room:
    """A lot's room at a moment; reservations count that have a bay for some time from then until `until`."""
    reserved = (
        select(BayClaim.id)
        .where(
            BayClaim.bay_id == Bay.id, BayClaim.during.overlaps(Range(at, until)), live(), not_(stale(at)),
            BayClaim.kind == "reservation",
        )
        .correlate(Bay)
    )  # fmt: skip
    awaited = reserved.where(BayClaim.state.in_(PROMISED))
    with transaction() as session:
        row = session.execute(
            select(
                func.count(),
                func.count().filter(not_(taken(Range(at, at + RIVALS), at))),
                func.count().filter(reserved.exists()),
                func.count().filter(awaited.exists()),
            ).where(Bay.lot_id == lot_id, Bay.shared, Bay.kind.in_(CAR_BAYS))
        ).one()
    return Room(*row)


def open_bays(lot_ids: Sequence[int], during: Range[datetime], now: datetime) -> dict[int, int]:
    """For each lot, how many shared bays nobody has claimed for any part of `during`."""
    with transaction() as session:
        rows = session.execute(
            select(Bay.lot_id, func.count())
            .where(Bay.lot_id.in_(lot_ids), Bay.shared, Bay.kind.in_(CAR_BAYS), not_(taken(during, now)))
            .group_by(Bay.lot_id)
        )
        return dict(rows.all())


def overlapping_of_plate(plate_id: int, during: Range[datetime]) -> Sequence[BayClaim]:
    """A plate's live claims that overlap `during`."""
    with transaction() as session:
        return session.scalars(_OVERLAPPING, {"plate_id": plate_id, "during": during}).all()


_OVERLAPPING: Final = select(BayClaim).where(
    BayClaim.plate_id == bindparam("plate_id"), BayClaim.during.overlaps(bindparam("during", type_=TSTZRANGE)), live()
)


def missed(now: datetime, margin: timedelta) -> ColumnElement[bool]:
    """Of a claim: a promise whose car did not come in time, or a stale hold."""
    late = and_(BayClaim.state == "confirmed", BayClaim.admit_until < now - margin)
    return or_(late, stale(now))


def overstaying(until: datetime, limit: int) -> Sequence[int]:
    """Ids of claims in use whose span ends by `until`, in any order: some stay due, and yet each has its turn."""
    with transaction() as session:
        return session.scalars(
            select(BayClaim.id)
            .where(BayClaim.state == "in_use", func.upper(BayClaim.during) <= until)
            .order_by(func.random())
            .limit(limit)
        ).all()


def promised_next(claim: BayClaim, until: datetime) -> BayClaim | None:
    """The first promise that stands in the way of a claim's stretching to `until`, locked."""
    return current().scalars(
        select(BayClaim)
        .where(
            BayClaim.bay_id == claim.bay_id, BayClaim.state == "confirmed",
            func.lower(BayClaim.during) >= claim.during.upper, func.lower(BayClaim.during) < until,
        )
        .order_by(func.lower(BayClaim.during))
        .limit(1)
        .with_for_update()
    ).first()  # fmt: skip
