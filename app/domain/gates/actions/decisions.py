"""A gate that asks about a car is answered once, and then always the same."""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final, TypeVar, cast

from sqlalchemy import BigInteger, Table, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError, OperationalError

from app.domain.gates.actions.commands import HandedOut, hand_out, waiting_for
from app.domain.gates.actions.events import Arrival
from app.domain.gates.models import GateDecision
from app.domain.gates.queries import Passage
from app.domain.gates.rules import BUSY, LONG_AGO, Decision
from app.kernel import clock, crypto
from app.kernel.db import LOCK_NOT_AVAILABLE, current, sqlstate, transaction
from app.kernel.ids import new_key
from app.kernel.prepared import Prepared

Answer = TypeVar("Answer")
Ask = Callable[[], Decision]


@dataclass(frozen=True)
class Given:
    """A decision as it was given; `key` is how the gate refers to it in its later events."""

    key: uuid.UUID
    decision: Decision
    may_be_commanded: bool = True
    """Whether commands may wait for the gate, as far as was seen when the decision was written down."""


def decide_once(arrival: Arrival, ask: Ask) -> Given:
    """The recorded answer about this arrival, or `ask`'s, recorded in the transaction in which it was made."""
    return _alone(arrival, ask, _given)


def answer(arrival: Arrival, ask: Ask) -> tuple[Given, list[HandedOut]]:
    """The same, and the commands that wait for the gate: they travel with its answer."""
    return _alone(arrival, ask, _with_commands)


class _Rivalled(Exception):
    """The gate asked twice at one instant, and the other question was answered first."""


def _alone(arrival: Arrival, ask: Ask, think: Callable[[Arrival, Ask], Answer]) -> Answer:
    """Whatever was thought beside a rival is undone, and what the rival was told is told again.

    What an arrival leaves, such as a turn-away, it leaves once: there too a constraint may tell of the rival. Where a
    row is not had in time an attendant is called: no car waits for a lock.
    """
    try:
        with transaction():
            return think(arrival, ask)
    except (_Rivalled, IntegrityError):
        again = ask
    except OperationalError as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        again = _busy
    with transaction():
        return think(Arrival(arrival.passage, is_new=False), again)


def _busy() -> Decision:
    return BUSY


def _with_commands(arrival: Arrival, ask: Ask) -> tuple[Given, list[HandedOut]]:
    given = _given(arrival, ask)
    return given, hand_out(arrival.passage.device_id) if given.may_be_commanded else []


def _given(arrival: Arrival, ask: Ask) -> Given:
    recorded = None if arrival.is_new else _recorded(arrival.passage)
    return recorded or _record(arrival.passage, ask())


def _recorded(passage: Passage) -> Given | None:
    row = current().scalar(select(GateDecision).filter_by(device_id=passage.device_id, event_id=passage.event_id))
    if row is None:
        return None
    if row.answer_enc is None:
        return Given(row.key, LONG_AGO)
    return Given(row.key, Decision(**json.loads(crypto.unseal(row.answer_enc, _place(passage)))))


def _record(passage: Passage, decision: Decision) -> Given:
    key = new_key()
    row = {
        "key": key, "device_id": passage.device_id, "event_id": passage.event_id, "decision": decision.decision,
        "reason": decision.reason, "answer_enc": crypto.seal(json.dumps(asdict(decision)), _place(passage)),
        "decided_at": clock.now(),
    }  # fmt: skip
    written = _FIRST.first(**row)
    if written is None:
        raise _Rivalled
    return Given(key, decision, written.is_awaited)


_DECISIONS: Final = cast("Table", GateDecision.__table__)
_WRITTEN: Final = [column.name for column in _DECISIONS.columns if column.name not in {"id", "forgotten_at"}]
_FIRST: Final = Prepared(
    insert(_DECISIONS)
    .values({name: bindparam(name) for name in _WRITTEN})
    .on_conflict_do_nothing()
    .returning(waiting_for(bindparam("device_id", type_=BigInteger)).label("is_awaited"))
)


def _place(passage: Passage) -> str:
    """The answer may name the plate, so it lies sealed, bound to its arrival."""
    return f"gate_decision.answer_enc:{passage.device_id}:{passage.event_id}"
