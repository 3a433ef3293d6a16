"""A gate that asks about a car is answered once, and then always the same."""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import select

from app.domain.gates.actions.events import lock_pulse
from app.domain.gates.models import GateDecision, GateEvent
from app.domain.gates.rules import Decision
from app.kernel import clock, crypto
from app.kernel.db import current, transaction


@dataclass(frozen=True)
class Given:
    """A decision as it was given; `key` is how the gate refers to it in its later events."""

    key: uuid.UUID
    decision: Decision


def decide_once(event_row_id: int, ask: Callable[[], Decision]) -> Given:
    """The recorded answer about this arrival, or `ask`'s, recorded in the transaction in which it was made."""
    with transaction() as session:
        event = session.get_one(GateEvent, event_row_id)
        lock_pulse(event.device_id)
        return _recorded(event) or _record(event, ask())


def _recorded(event: GateEvent) -> Given | None:
    row = current().scalar(select(GateDecision).filter_by(device_id=event.device_id, event_id=event.event_id))
    if row is None:
        return None
    return Given(row.key, Decision(**json.loads(crypto.unseal(row.answer_enc, _place(event)))))


def _record(event: GateEvent, decision: Decision) -> Given:
    row = GateDecision(
        device_id=event.device_id, event_id=event.event_id, decision=decision.decision, reason=decision.reason,
        answer_enc=crypto.seal(json.dumps(asdict(decision)), _place(event)), decided_at=clock.now(),
    )  # fmt: skip
    current().add(row)
    current().flush()
    return Given(row.key, decision)


def _place(event: GateEvent) -> str:
    """The answer may name the plate, so it lies sealed, bound to its arrival."""
    return f"gate_decision.answer_enc:{event.device_id}:{event.event_id}"
