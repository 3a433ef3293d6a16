"""The guard of the bays: how a claim comes to be.

Correctness is the table's exclusion constraints; the bay's row is locked first so that rivals queue
instead of dead-locking (measured: an exclusion constraint alone dead-locks on one hot bay).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple, cast

from sqlalchemy import CTE, DateTime, Select, Table, bindparam, func, insert, not_, select, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.domain.claims import queries
from app.domain.claims.models import BayClaim
from app.domain.claims.rules import CLAIM, LEAVING
from app.domain.lots.models import Bay, BayClosure
from app.domain.motorists.models import NumberPlate
from app.kernel import clock
from app.kernel.db import LOCK_NOT_AVAILABLE, current, sqlstate, transaction, violated
from app.kernel.prepared import Prepared, as_read
from app.kernel.refusals import Conflict, Invalid, Unavailable
from app.kernel.spans import bounds, span

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Columns = TypeVarTuple("Columns")
_TABLE: Final = cast("Table", BayClaim.__table__)

ATTEMPTS = 100
"""Every lost attempt is a rival's gain, so a lot of fewer bays than this is never refused while one is free."""

BIRTHS = {"held": "held", "confirmed": "confirmed", "in_use": "entered"}
LOST_TO_A_RIVAL = {"40P01", "40001"}


class LotFull(Conflict):
    """Every bay is taken for some part of the span."""

    code = "lot_full"
    message = "该时段已无空余泊位"


class BayTaken(Conflict):
    """The bay was claimed by somebody else a moment ago."""

    code = "bay_taken"
    message = "该泊位刚被占用，请另选"


class PlateBusy(Conflict):
    """The plate has another live claim in that span."""

    code = "plate_already_claimed"
    message = "该车牌在此时段已有预约或正在停放"


class OutsideOpenHours(Invalid):
    """Some part of the span lies outside the lot's open windows (N2.2.1)."""

    code = "outside_open_hours"
    message = "所选时段不在共享开放时段内"


class LotBusy(Unavailable):
    """Too many rivals at this instant; the lot may still have room."""

    code = "lot_busy"
    message = "当前预约人数较多，请稍后重试"


REFUSED_BY: Final[Mapping[str, type[Conflict | Invalid]]] = {
    "a_bay_has_one_live_claim_at_a_time": BayTaken,
    "a_plate_has_one_live_claim_at_a_time": PlateBusy,
    "a_promise_lies_in_an_open_window": OutsideOpenHours,
    "a_promise_lies_outside_closures": BayTaken,
}


def promise(
    lot_id: int, plate_id: int, during: Range[datetime], admit: Range[datetime], *,
    exclusive_plate: bool = True, plate_is_locked: bool = False,
) -> BayClaim:  # fmt: skip
    """Promise some free bay of a lot to a plate for a span; the claim is `confirmed` at once.

    `admit` says from when until when the gate lets the car in. Whoever has locked the plate in this transaction
    says so, and it is not locked again. Refuses `LotFull`, `PlateBusy`, `OutsideOpenHours`, `LotBusy`; nothing is left
    behind, and the transaction may go on.
    """
    with transaction(), waiting_briefly():
        if not plate_is_locked:
            lock_plate(plate_id)
        return promise_to(_NOBODY, lot_id, plate_id, during, admit, exclusive_plate=exclusive_plate)


class Keeper(Protocol[T_co]):
    """Whatever keeps a claim: written by the statement that writes the claim, as `with_new_claim` makes it."""

    def write(self, claim: Mapping[str, Any]) -> T_co | None:
        """Ask that statement, told the claim's values; none where it wrote nothing."""


def promise_to(
    keeper: Keeper[T], lot_id: int, plate_id: int, during: Range[datetime], admit: Range[datetime], *,
    exclusive_plate: bool, seen_free: int | None = None,
) -> T:  # fmt: skip
    """As `promise`, for a plate that is locked already and a keeper that is written along: a round trip less.

    A bay that was `seen_free` a moment ago is tried first, without looking for one: another one less.
    """
    draft = _draft("reservation", "confirmed", plate_id, admit, exclusive_plate=exclusive_plate)
    seen = None if seen_free is None else Free(seen_free, during, was_held=False)
    return _take_a_bay(keeper, draft, lambda now, wait: free_bay(lot_id, during, now, wait=wait), seen)


def hold(
    lot_id: int, plate_id: int, during: Range[datetime], admit: Range[datetime], expires_at: datetime, *,
    exclusive_plate: bool = True,
) -> BayClaim:  # fmt: skip
    """Keep some free bay of a lot for a plate until `expires_at`, for an offer that waits for the motorist's yes.

    Refuses as `promise` does; nothing is left behind, and the transaction may go on.
    """
    draft = _draft("reservation", "held", plate_id, admit, exclusive_plate=exclusive_plate)
    draft["hold_expires_at"] = expires_at
    with transaction(), waiting_briefly():
        lock_plate(plate_id)
        return _take_a_bay(_NOBODY, draft, lambda now, wait: free_bay(lot_id, during, now, wait=wait))


def seat(lot_id: int, plate_id: int | None, entered_at: datetime, until: datetime) -> BayClaim:
    """Give a car that is at the gate, or already inside, the bay that stays free longest.

    The claim is `in_use` from `entered_at` to the next promise on that bay or `until`, whichever
    is first. A clash of plates never turns a car away. Refuses `LotFull`, `LotBusy`; the transaction may go on, if the
    plate could be locked.
    """
    with transaction(), waiting_briefly():
        lock_plate(plate_id)
        clash = plate_id is not None and bool(queries.overlapping_of_plate(plate_id, span(entered_at, until)))
        admit = span(entered_at, until + LEAVING)
        draft = _draft("walk_in", "in_use", plate_id, admit, exclusive_plate=not clash)
        return _take_a_bay(
            _NOBODY, draft, lambda now, wait: _longest_free_bay(lot_id, entered_at, until, now, wait=wait)
        )  # fmt: skip


def _draft(
    kind: str, state: str, plate_id: int | None, admit: Range[datetime], *, exclusive_plate: bool
) -> dict[str, Any]:
    """A claim but for its bay and span, and its first move."""
    admit_from, admit_until = bounds(admit)
    return {
        "kind": kind, "state": state, "plate_id": plate_id, "exclusive_plate": exclusive_plate,
        "admit_from": admit_from, "admit_until": admit_until, "hold_expires_at": None,
        "event": BIRTHS[state], "cause": kind,
    }  # fmt: skip


@dataclass(frozen=True)
class Free:
    """A bay that nobody has claimed for a span; `was_held`: by a hold that is over and still has to be ended.

    What is found here is locked with it; one that somebody else saw free is locked when the claim is written.
    """

    bay_id: int
    during: Range[datetime]
    was_held: bool


Candidate = Callable[[datetime, bool], Free | None]


def _take_a_bay(keeper: Keeper[T], draft: Mapping[str, Any], candidate: Candidate, seen: Free | None = None) -> T:
    """Try what was `seen`, then candidates, until the claim stands or nothing is free. The plate, if any, is locked."""
    now = clock.now()
    _MARK.run()
    for attempt in range(0 if seen is None else -1, ATTEMPTS):
        try:
            found = seen if attempt < 0 else None if attempt else candidate(now, False)
            found = found or candidate(now, True)
            if found is None:
                raise LotFull
            written = _write(keeper, draft, found, now)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            _BACK.run()
            _give_up_unless_a_rival_won(error)
            continue
        if written is not None:
            return written
        _BACK.run()
    raise LotBusy


_MARK: Final = Prepared(text("SAVEPOINT before_the_bay"))
_BACK: Final = Prepared(text("ROLLBACK TO SAVEPOINT before_the_bay"))
"""A bay that was lost is not kept locked while another one is waited for. Written by hand: the session's own savepoint
costs two round trips and as much time as the bay.
"""


@contextmanager
def waiting_briefly() -> Iterator[None]:
    """A part of the transaction in which a row that is not had within the limit of every connection of ours refuses.

    The role and each connection carry that limit, two seconds; to set it here once more would cost a round trip.
    Refuses `LotBusy`.
    """
    try:
        yield
    except OperationalError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise LotBusy from error
        raise


def lock_plate(plate_id: int | None) -> None:
    """Two claims for one plate queue here: concurrent inserts into the exclusion index would dead-lock."""
    if plate_id is not None:
        clock.brought(_PLATE.one(plate_id=plate_id)[0])


_PLATE: Final = Prepared(
    select(func.clock_timestamp()).select_from(
        select(NumberPlate.id)
        .where(NumberPlate.id == bindparam("plate_id"))
        .with_for_update(key_share=True)
        .subquery("locked")
    )
)
"""The time comes with it, and is asked of what was locked, so that it is not that at which the wait began."""


def free_bay(lot_id: int, during: Range[datetime], now: datetime, *, wait: bool) -> Free | None:
    """Lock one bay that nobody has claimed; rivals' bays are skipped, or waited for when nothing else is left."""
    row = (_ANY_FREE_BAY if wait else _FIRST_FREE_BAY).first(lot_id=lot_id, during=during, now=now)
    return None if row is None else Free(row.id, during, row.was_held)


def _locked(bays: Select[*Columns], *, skip_locked: bool) -> Select[*Columns]:
    """Rivals for a bay queue at its row, or leave it to whoever has it."""
    return bays.with_for_update(of=Bay, skip_locked=skip_locked)


_NOW: Final = bindparam("now", type_=DateTime(timezone=True))
_FREE_BAY: Final = select(Bay.id, queries.was_held(_NOW).label("was_held")).where(
    Bay.lot_id == bindparam("lot_id"), Bay.shared, Bay.kind.in_(queries.CAR_BAYS),
    not_(queries.taken(bindparam("during", type_=TSTZRANGE), _NOW)),
).limit(1)  # fmt: skip
_FIRST_FREE_BAY: Final = Prepared(_locked(_FREE_BAY.order_by(Bay.kind.desc(), Bay.id), skip_locked=True))
_ANY_FREE_BAY: Final = Prepared(_locked(_FREE_BAY.order_by(Bay.kind.desc(), func.random()), skip_locked=False))


def _longest_free_bay(lot_id: int, entered_at: datetime, until: datetime, now: datetime, *, wait: bool) -> Free | None:
    """Lock the bay whose next promise is farthest away, and say until when it is free."""
    next_promise = (
        select(func.min(func.lower(BayClaim.during)))
        .where(
            BayClaim.bay_id == Bay.id, BayClaim.during.overlaps(span(entered_at, until)),
            queries.live(), not_(queries.stale(now)),
        )
        .correlate(Bay)
        .scalar_subquery()
    )  # fmt: skip
    next_closure = (
        select(func.min(func.lower(BayClosure.during)))
        .where(BayClosure.bay_id == Bay.id, BayClosure.during.overlaps(span(entered_at, until)))
        .correlate(Bay)
        .scalar_subquery()
    )
    free_until = func.least(next_promise, next_closure, until)
    row = current().execute(
        select(Bay.id, free_until, queries.was_held(now))
        .where(
            Bay.lot_id == lot_id, Bay.shared, Bay.kind.in_(queries.CAR_BAYS),
            not_(queries.taken(span(entered_at, entered_at + queries.RIVALS), now)),
        )
        .order_by(free_until.desc(), Bay.id)
        .limit(1)
        .with_for_update(of=Bay, skip_locked=not wait)
    ).first()  # fmt: skip
    return None if row is None else Free(row[0], span(entered_at, row[1]), row[2])


def _write(keeper: Keeper[T], draft: Mapping[str, Any], found: Free, now: datetime) -> T | None:
    """Flip the bay's stale holds in a statement of its own, then insert, with the bay locked.

    The bay was looked for before it was locked. None where a rival has it or had claimed it, or it was closed, by then.
    """
    if found.was_held:
        flip_stale_holds(found.bay_id, now)
    return keeper.write({**draft, "bay_id": found.bay_id, "during": found.during, "at": now})


_TOLD: Final = [column for column in _TABLE.columns if column.name != "id"]
_THE_BAY: Final = _locked(
    select(*[bindparam(column.name, type_=column.type) for column in _TOLD]).where(
        Bay.id == bindparam("bay_id"),
        Bay.shared,
        Bay.kind.in_(queries.CAR_BAYS),
        not_(queries.claimed(bindparam("during", type_=TSTZRANGE))),
    ),
    skip_locked=True,
)
_NEW: Final = (
    insert(BayClaim).from_select([column.name for column in _TOLD], _THE_BAY).returning(*_TABLE.columns).cte("new")
)


def with_new_claim(chosen: Callable[[CTE], Select[*Columns]]) -> Select[*Columns]:
    """A statement that writes a claim with its first move, and what `chosen` makes of the new claim.

    Between them would lie another round trip with the bay locked. For a module to put together once.
    """
    return chosen(_NEW).add_cte(CLAIM.birth(_NEW))


class _Nobody:
    """Only the claim is written."""

    def write(self, claim: Mapping[str, Any]) -> BayClaim | None:
        claim_id = _NEW_CLAIM.value(**claim)
        if claim_id is None:
            return None
        return as_read(BayClaim(id=claim_id, **{column.name: claim[column.name] for column in _TOLD}))


def _alone(new: CTE) -> Select[*Columns]:
    return select(new.c.id)


_NEW_CLAIM: Final = Prepared(with_new_claim(_alone))
"""No mapped row of the new claim: threads that compile such an alias at once may read all claims beside it."""
_NOBODY: Final = _Nobody()


def flip_stale_holds(bay_id: int, now: datetime) -> None:
    """Let every hold on a locked bay expire whose time is over, so that it stands in nobody's way."""
    as_they_lie = {"populate_existing": True}  # what an attempt that was lost made of them is undone
    for hold in current().scalars(_STALE_HOLDS, {"bay_id": bay_id, "now": now}, execution_options=as_they_lie):
        CLAIM.move(hold, "expire", "claims.write")


_STALE_HOLDS: Final = select(BayClaim).where(BayClaim.bay_id == bindparam("bay_id"), queries.stale(_NOW))


def _give_up_unless_a_rival_won(error: DBAPIError) -> None:
    """Return when another bay is worth trying; else raise what the motorist is told."""
    if sqlstate(error) in LOST_TO_A_RIVAL:
        return
    refusal = REFUSED_BY.get(violated(error) or "") if isinstance(error, IntegrityError) else None
    if refusal is BayTaken:
        return
    if refusal is None:
        raise error
    raise refusal from error
