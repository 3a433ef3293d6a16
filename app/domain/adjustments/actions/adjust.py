"""Fewer bays, other hours, or a whole lot shut for a span (N5.6)."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app.domain.adjustments.actions.apply import apply_few
from app.domain.adjustments.actions.record import Change, Recorded, ask_to_apply, lots_of, places, record
from app.domain.adjustments.models import Adjustment
from app.domain.adjustments.rules import (
    KINDS,
    EndMissing,
    FewerBays,
    OtherHours,
    SpanOver,
    TheseBays,
    TooFewBays,
    What,
    Where,
    Why,
    checked_span,
    shut_spans,
)
from app.domain.claims.queries import least_promised_bays
from app.domain.lots.actions import close_bays, close_lots
from app.domain.lots.queries.closures import shared_bays
from app.domain.staff.rules import Actor, permit
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.spans import span


def adjust(
    by: Actor, lot_keys: Sequence[uuid.UUID], during: Range[datetime], what: What, why: Why, *,
    request_key: uuid.UUID | None = None,
) -> Adjustment:  # fmt: skip
    """Let lots be shut, share fewer bays or keep other hours for a finite span (N5.6); announced and in force at once.

    Promises that cannot stay get another bay of the lot, else are displaced: told, free of any penalty, with a bay
    near by on offer where there is one. Cars inside may stay and leave. The same `request_key` again changes nothing.
    Refuses `NotFound`, `NotPermitted`, `ReasonUnknown`, `ReasonMissing`, `EndMissing`, `SpanOver`, `LotsMissing`,
    `LotNotFound`, `TooFewBays`, `RequestKeyReused`.
    """
    where = Where.lots(*lot_keys)
    with transaction():
        lot_ids = lots_of(where)
        for place in places(where, lot_ids):
            permit(by, "adjustments.adjust", place)
        still = checked_span(during, clock.now())
        made = record(by, Change(KINDS[type(what)], where, still, why.checked()), lot_ids, request_key)
        if made.is_new:
            _close(made, what, still)
    apply_few(made)
    return made.adjustment


def _close(made: Recorded, what: What, during: Range[datetime]) -> None:
    adjustment_id = made.adjustment.id
    match what:
        case TheseBays() | FewerBays():
            for lot_id in made.lot_ids:
                close_bays(_bays(lot_id, what, during), during, adjustment_id)
        case OtherHours(begins, ends):
            close_lots(made.lot_ids, shut_spans(during, begins, ends), adjustment_id)
        case _:
            close_lots(made.lot_ids, [during], adjustment_id)
    ask_to_apply(adjustment_id, made.lot_ids)


def _bays(lot_id: int, what: TheseBays | FewerBays, during: Range[datetime]) -> Sequence[int]:
    wanted = len(set(what.numbers)) if isinstance(what, TheseBays) else what.by
    if isinstance(what, TheseBays):
        found = shared_bays(lot_id, what.numbers)
    else:
        found = least_promised_bays(lot_id, during, max(wanted, 0))
    if wanted < 1 or len(found) < wanted:
        raise TooFewBays(wanted=wanted, found=len(found))
    return found


def close_now(
    by: Actor, where: Where, why: Why, *, until: datetime | None = None, review_at: datetime | None = None,
    request_key: uuid.UUID | None = None,
) -> Adjustment:  # fmt: skip
    """Shut lots, a district or the city from this moment; no promise is made there and no car let in from now on.

    Without an end it is an emergency that says when it is looked at again. What becomes of promises is done lot by lot
    in jobs of their own, each safe to repeat. Refuses as `adjust` does.
    """
    with transaction():
        lot_ids = lots_of(where)
        for place in places(where, lot_ids):
            permit(by, "adjustments.close_now", place)
        now = clock.now()
        during = _from_now(why, now, until, review_at)
        made = record(by, Change("close", where, during, why.checked(), review_at), lot_ids, request_key)
        if made.is_new:
            close_lots(lot_ids, [during], made.adjustment.id)
            ask_to_apply(made.adjustment.id, lot_ids)
    apply_few(made)
    return made.adjustment


def _from_now(why: Why, now: datetime, until: datetime | None, review_at: datetime | None) -> Range[datetime]:
    if until is None and (why.reason_class != "emergency" or review_at is None or review_at <= now):
        raise EndMissing
    if until is not None and until <= now:
        raise SpanOver
    return span(now, until)
