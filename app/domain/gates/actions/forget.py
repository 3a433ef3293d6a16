"""What gates told of cars is forgotten when nobody needs to know it any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.gates.models import GateDecision, GateEvent, GateRejection
from app.kernel import audit, clock
from app.kernel.db import current, transaction

Told = type[GateEvent] | type[GateRejection] | type[GateDecision]


@dataclass(frozen=True)
class Kind:
    """One kind of what gates told: when it came, what of it is sealed, and by which plate's row it names a car."""

    of: Told
    at: InstrumentedAttribute[datetime]
    sealed: Sequence[str]
    plate_id: ColumnElement[Any]


_NONE: Final[ColumnElement[Any]] = literal(None)
_KINDS: Final = (
    Kind(GateEvent, GateEvent.received_at, ("plate_enc", "body_enc"), GateEvent.plate_id.expression),
    Kind(GateRejection, GateRejection.received_at, ("body_enc",), _NONE),
    Kind(GateDecision, GateDecision.decided_at, ("answer_enc",), _NONE),
)


@dataclass(frozen=True)
class Forgotten:
    """How many rows forgot something, and which plates' rows they still name."""

    rows: int
    plates: frozenset[int]


def forget_cars(before: datetime, limit: int) -> Forgotten:
    """Empty what was read and told of cars in up to `limit` events, rejections and decisions each, older than `before`.

    That a car passed, where, when, by which row of `plate` and with what outcome stays: of that stays are made. Several
    may run at once.
    """
    with transaction():
        forgotten = {kind.of.__tablename__: _forget(kind, before, limit) for kind in _KINDS}
        rows = {name: len(found) for name, found in forgotten.items()}
        plates = frozenset(plate for found in forgotten.values() for (plate,) in found if plate is not None)
        if any(rows.values()):
            audit.record("gates.forget_cars", "gate_event", 0, "platform", {**rows, "before": before.isoformat()})
        return Forgotten(sum(rows.values()), plates)


def _forget(kind: Kind, before: datetime, limit: int) -> Sequence[Row[Any]]:
    """From where it was left off to the first row that is still needed: rows are numbered about as they came."""
    of = kind.of
    last = select(func.coalesce(func.max(of.id), 0)).where(of.forgotten_at.is_not(None)).scalar_subquery()
    rows = current().execute(select(of.id, kind.at).where(of.id > last).order_by(of.id).limit(limit)).all()
    ids = [number for number, _ in takewhile(lambda row: row[1] < before, rows)]
    emptied: dict[str, Any] = {**dict.fromkeys(kind.sealed), "forgotten_at": clock.now()}
    over = update(of).where(of.id.in_(ids), of.forgotten_at.is_(None)).values(emptied)
    return current().execute(over.returning(kind.plate_id)).all()
