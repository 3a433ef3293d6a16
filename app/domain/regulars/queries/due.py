"""What is due of rounds: a draw, a place to hand on, nights to deal, a place to take back."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Date, ScalarSelect, and_, cast, func, literal, or_, select

from app.domain.arrears.queries import holds_back
from app.domain.calendars.queries import day_book
from app.domain.claims.models import BayClaim
from app.domain.conduct.queries import must_wait
from app.domain.lots.models import Lot
from app.domain.policies.queries import number_for
from app.domain.regulars.models import RegularApplication, RegularNight, RegularRound
from app.domain.regulars.rules.nights import ONE_DAY, ends, work_nights
from app.domain.reservations.models import Reservation
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.db import current, transaction

WINDOWS_BEYOND = 2
"""A night can be dealt when its lot's windows are written down so many days beyond the date on which it begins."""


def rounds_to_draw(limit: int) -> Sequence[int]:
    """Ids of rounds whose time to draw has come."""
    due = select(RegularRound.id).where(RegularRound.state == "open", RegularRound.draw_at <= clock.now())
    with transaction() as session:
        return session.scalars(due.order_by(RegularRound.draw_at, RegularRound.id).limit(limit)).all()


def rounds_to_tend(limit: int) -> Sequence[int]:
    """Ids of drawn rounds with nights to deal, or with a place to hand on before they are over."""
    today = business_day(clock.now())
    written = cast(func.timezone("Asia/Shanghai", Lot.windows_until), Date) - WINDOWS_BEYOND
    reach = func.least(func.upper(RegularRound.nights) - 1, func.greatest(written, today))
    holders = (
        select(func.count())
        .where(RegularApplication.round_id == RegularRound.id, RegularApplication.state == "won")
        .correlate(RegularRound)
        .scalar_subquery()
    )
    waits = select(RegularApplication.id).where(RegularApplication.round_id == RegularRound.id, may_move_up())
    has_room = and_(
        func.upper(RegularRound.nights) > today, holders < RegularRound.places, waits.correlate(RegularRound).exists()
    )
    with transaction() as session:
        return session.scalars(
            select(RegularRound.id)
            .join(Lot, Lot.id == RegularRound.lot_id)
            .where(
                RegularRound.state == "drawn",
                or_(RegularRound.dealt_until.is_(None), RegularRound.dealt_until < reach, has_room),
            )
            .order_by(RegularRound.id)
            .limit(limit)
        ).all()


def may_move_up() -> ColumnElement[bool]:
    """Whether a free place is for the application of the outer query: whoever may not reserve now is passed over."""
    held = or_(
        holds_back(RegularApplication.motorist_id), must_wait(RegularApplication.motorist_id, literal(clock.now()))
    )
    return and_(RegularApplication.state == "waiting", ~held)


def next_to_move_up(round_id: int, count: int) -> Sequence[RegularApplication]:
    """The first by rank of those who wait for a place of a round, locked."""
    return current().scalars(
        select(RegularApplication)
        .where(RegularApplication.round_id == round_id, may_move_up())
        .order_by(RegularApplication.rank)
        .limit(count)
        .with_for_update(key_share=True)
    ).all()  # fmt: skip


def free_places(round_: RegularRound) -> list[int]:
    """The numbers of a locked round's places that nobody holds."""
    held = current().scalars(select(RegularApplication.place).filter_by(round_id=round_.id, state="won")).all()
    return [number for number in range(1, round_.places + 1) if number not in set(held)]


def reach_of(round_: RegularRound) -> date:
    """The last night that can be dealt today: windows are written so far, or it has come without any."""
    lot, today = current().get_one(Lot, round_.lot_id), business_day(clock.now())
    written = business_day(lot.windows_until) - WINDOWS_BEYOND * ONE_DAY if lot.windows_until else today
    return min(ends(round_.nights)[1], max(written, today))


def undealt(round_: RegularRound, until: date) -> list[tuple[date, int]]:
    """Which nights up to a date whose place should still have: night by night, in the order of ranks, by ids.

    A place is somebody's from the night after the day on which it was won.
    """
    session, (first, _) = current(), ends(round_.nights)
    if until < first:
        return []
    holders = session.scalars(
        select(RegularApplication).filter_by(round_id=round_.id, state="won").order_by(RegularApplication.rank)
    ).all()
    known = session.execute(
        select(RegularNight.application_id, RegularNight.night).where(
            RegularNight.application_id.in_([each.id for each in holders])
        )
    )
    dealt = {(application_id, night) for application_id, night in known}
    since = {each.id: business_day(each.won_at) for each in holders if each.won_at is not None}
    return [
        (night, each.id)
        for night in work_nights(day_book(first, until), first, until)
        for each in holders
        if night > since[each.id] and (each.id, night) not in dealt
    ]


def missed_nights() -> ScalarSelect[int]:
    """How many nights of the outer query's application its car stayed away from."""
    return (
        select(func.count())
        .select_from(RegularNight)
        .join(Reservation, Reservation.id == RegularNight.reservation_id)
        .join(BayClaim, BayClaim.id == Reservation.claim_id)
        .where(RegularNight.application_id == RegularApplication.id, BayClaim.state == "no_show")
        .correlate(RegularApplication)
        .scalar_subquery()
    )


def is_missed_too_often() -> ColumnElement[bool]:
    """Whether the car of the outer query's application, whose lot is joined, stayed away so often that it loses."""
    limit = number_for("regular_no_shows", Lot.id, Lot.unit_id, clock.now())
    return and_(RegularApplication.state == "won", limit > 0, missed_nights() >= limit)


def places_to_take_back(limit: int) -> Sequence[tuple[int, int]]:
    """Applications whose cars stayed away too often, and their motorists, by ids; only of rounds that are not over."""
    with transaction() as session:
        rows = session.execute(
            select(RegularApplication.id, RegularApplication.motorist_id)
            .join(RegularRound, RegularRound.id == RegularApplication.round_id)
            .join(Lot, Lot.id == RegularRound.lot_id)
            .where(func.upper(RegularRound.nights) > business_day(clock.now()), is_missed_too_often())
            .order_by(RegularApplication.id)
            .limit(limit)
        )
        return [(application_id, motorist_id) for application_id, motorist_id in rows]


def misses_if_too_many(application_id: int) -> int | None:
    """How many nights a locked application's car stayed away from, if these are too many."""
    row = current().execute(
        select(missed_nights())
        .select_from(RegularApplication)
        .join(RegularRound, RegularRound.id == RegularApplication.round_id)
        .join(Lot, Lot.id == RegularRound.lot_id)
        .where(RegularApplication.id == application_id, is_missed_too_often())
    ).one_or_none()  # fmt: skip
    return None if row is None else row[0]


def promised_nights(application_id: int) -> Sequence[Reservation]:
    """The reservations of an application that still wait for their car, the earliest first."""
    return current().scalars(
        select(Reservation)
        .join(RegularNight, RegularNight.reservation_id == Reservation.id)
        .join(BayClaim, BayClaim.id == Reservation.claim_id)
        .where(RegularNight.application_id == application_id, BayClaim.state == "confirmed")
        .order_by(Reservation.begins_at)
    ).all()  # fmt: skip
