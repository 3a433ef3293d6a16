"""What becomes of a claim."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app.domain.claims.actions.take import REFUSED_BY, OutsideOpenHours, flip_stale_holds, free_bay
from app.domain.claims.models import BayClaim
from app.domain.claims.rules import CLAIM, LEAVING, used_span
from app.domain.lots.models import Bay
from app.kernel import clock
from app.kernel.db import current, refusing, savepoint, transaction, violated
from app.kernel.refusals import Conflict
from app.kernel.spans import bounds, span
from app.kernel.states import WrongState

GONE_BY = ("a_promise_lies_in_an_open_window", "a_promise_lies_outside_closures")
"""A bay that was kept for somebody is taken from the public: the lot was shut a moment ago, or the bay."""


class StayTaken(Conflict):
    """The bay is promised to another for a part of the time by which somebody wants to stay longer."""

    code = "stay_taken"
    message = "该泊位之后的时段已有预约，无法延长到所选时间"


class HoldOver(Conflict):
    """The bay was kept only so long."""

    code = "hold_over"
    message = "保留时间已过，泊位已释放"


def enter(claim: BayClaim, at: datetime) -> None:
    """The car of a promise has driven in at `at`: the bay is in use from then on.

    An early car whose bay is still occupied keeps its own span: the gate let it in on a promise.
    """
    _, ends_at = bounds(claim.during)
    with transaction():
        if at < ends_at:
            _try(claim, during=span(at, ends_at))
        claim.admit_from, claim.admit_until = min(claim.admit_from, at), ends_at + LEAVING
        CLAIM.move(claim, "enter", "gate")


def _try(claim: BayClaim, **place: object) -> bool:
    """Give a locked claim another span or bay if nothing stands in the way; says whether it did."""
    session = current()
    session.flush()
    try:
        with savepoint():
            session.execute(update(BayClaim).where(BayClaim.id == claim.id).values(place))
    except IntegrityError as error:
        if (violated(error) or "") not in REFUSED_BY:
            raise
        session.refresh(claim, [*place])
        return False
    session.refresh(claim, [*place])
    return True


def leave(claim: BayClaim, at: datetime) -> None:
    """The car has driven out at `at`: the bay is free from then on.

    Span and state change at once: a car that overstayed into the next claim of its bay must not clash with it.
    """
    with transaction():
        CLAIM.move(claim, "leave", "gate", during=used_span(claim.during, at))


def cancel(claim: BayClaim, cause: str) -> None:
    """Give a promised bay back. Refuses `WrongState` once the car is inside or the promise is over."""
    with transaction():
        CLAIM.move(claim, "cancel", cause)


def confirm(claim: BayClaim) -> None:
    """The motorist said yes to a bay that was held. Refuses `HoldOver`, and `WrongState` unless it is held."""
    with transaction():
        if claim.state == "held" and claim.hold_expires_at is not None and claim.hold_expires_at <= clock.now():
            raise HoldOver
        with refusing(dict.fromkeys(GONE_BY, HoldOver)):
            CLAIM.move(claim, "confirm", "motorist")


def displace(claim: BayClaim, cause: str) -> None:
    """Take a promise back because its bay is not to be had (N5.6); whoever does so tells the motorist."""
    with transaction():
        CLAIM.move(claim, "displace", cause)


def miss(claim: BayClaim) -> None:
    """The car did not come in time: a promise becomes a no-show, a stale hold expires."""
    with transaction():
        CLAIM.move(claim, "expire" if claim.state == "held" else "miss", "sweeper")


def stretch(claim: BayClaim, until: datetime) -> bool:
    """Let an overstaying car keep its bay until `until`; says no when the bay is promised to another."""
    begins_at, ends_at = bounds(claim.during)
    with transaction():
        if not _try(claim, during=span(begins_at, max(until, ends_at))):
            return False
        claim.admit_until = max(claim.admit_until, until + LEAVING)
        return True


def extend(claim: BayClaim, until: datetime, admit: Range[datetime]) -> None:
    """Promise the claim's own bay until `until`; a car that has not come is let in during `admit`.

    The claim is locked. Refuses `StayTaken`, `PlateBusy`, `OutsideOpenHours`, `LotBusy`, and `WrongState` when the
    claim is neither confirmed nor in use. What an overstaying car has already is not taken from it.
    """
    begins_at, ends_at = bounds(claim.during)
    with transaction() as session:
        if claim.state not in {"confirmed", "in_use"}:
            raise WrongState(machine=CLAIM.name, state=claim.state, event="extend")
        flip_stale_holds(claim.bay_id, clock.now())
        with refusing(
            {
                **REFUSED_BY,
                "a_bay_has_one_live_claim_at_a_time": StayTaken,
                "a_promise_lies_outside_closures": OutsideOpenHours,
            }
        ):
            claim.during = span(begins_at, max(until, ends_at))
            if claim.state == "confirmed":
                claim.admit_from, claim.admit_until = bounds(admit)
            else:
                claim.admit_until = max(claim.admit_until, until + LEAVING)
            session.flush()


def move_elsewhere(claim: BayClaim) -> bool:
    """Give a promise another bay of the same lot; says no when none is free for its span."""
    with transaction() as session:
        lot_id = session.scalar(select(Bay.lot_id).where(Bay.id == claim.bay_id))
        assert lot_id is not None
        found = free_bay(lot_id, claim.during, clock.now(), wait=False)
        return found is not None and _try(claim, bay_id=found.bay_id)
