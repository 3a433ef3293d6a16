"""A command is made, handed out once, and settled by the gate's word or by time."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, SQLColumnExpression, bindparam, delete, exists, literal_column, select

from app.domain.gates.models import COMMAND, GateClockSample, GateCommand
from app.domain.gates.rules.decisions import NUDGE_LIVES, OPEN_LIVES, RESULT_WAITS, RESULTS
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.prepared import Prepared
from app.kernel.queue import enqueue
from app.kernel.refusals import Conflict, Invalid, NotFound

AT_ONCE = 20
"""How many commands one answer carries at most."""


class UnknownCommand(NotFound):
    """No such command, or another gate's."""

    code = "command_not_found"
    message = "未找到该指令"


class UnknownResult(Invalid):
    """A result is done, failed, expired or unknown."""

    code = "unknown_result"
    message = "指令结果无法识别"


class ResultAlreadyGiven(Conflict):
    """The gate reported another result before."""

    code = "result_already_given"
    message = "该指令已有其他结果"


@dataclass(frozen=True)
class HandedOut:
    """A command on its way to the gate; it will not be handed out again."""

    key: uuid.UUID
    type: str
    expires_at: datetime
    arguments: dict[str, Any]


def issue(device_id: int, type_: str, arguments: Mapping[str, Any], cause: str) -> None:
    """Ask a gate to do something soon: an open lives 10 s, everything else 60 s.

    A waiting `sync` or `set_time` is enough: a second one is not made. `cause` is who or what wants it.
    """
    with transaction() as session:
        moment = clock.now()
        if type_ in {"sync", "set_time"} and _waits(device_id, type_, moment):
            return
        key, lives = new_key(), OPEN_LIVES if type_ == "open" else NUDGE_LIVES
        command = GateCommand(
            key=key, device_id=device_id, type=type_, arguments_enc=crypto.seal(json.dumps(arguments), _place(key)),
            cause=cause, state="pending", created_at=moment, expires_at=moment + lives,
        )  # fmt: skip
        session.add(command)
        COMMAND.born(command, cause)
        enqueue("gates.wake", device_id=device_id)


def hand_out(device_id: int) -> list[HandedOut]:
    """The commands that wait for this gate, oldest first, at most 20; each is given once and only while it lives."""
    with transaction():
        moment = clock.now()
        alive = [command for command in _pending(device_id) if not _let_expire(command, moment)]
        for command in alive:
            COMMAND.move(command, "hand_out", "gate")
            command.issued_at = moment
        return [_handed(command) for command in alive]


def waiting_for(device_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether a command waits for a gate: where none does, `hand_out` need not be asked."""
    pending: ColumnElement[str] = literal_column("'pending'")
    return exists().where(GateCommand.device_id == device_id, GateCommand.state == pending)


def settle(device_id: int, key: uuid.UUID, status: str, detail: str) -> None:
    """What became of a command, by the gate's word; saying it twice changes nothing.

    Refuses `UnknownCommand`, `UnknownResult`, and `ResultAlreadyGiven` when the gate said otherwise before.
    """
    if status not in RESULTS:
        raise UnknownResult
    with transaction() as session:
        command = session.scalar(
            select(GateCommand).where(GateCommand.key == key, GateCommand.device_id == device_id).with_for_update()
        )
        if command is None:
            raise UnknownCommand
        if command.state != status:
            _settle(command, RESULTS[status], detail)


def forget_overdue_commands(limit: int = 200) -> int:
    """Name what became of commands whose time is over: never handed out, expired; no result, unknown.

    An unknown open is never sent again: the arm may have moved. Returns how many were settled.
    """
    with transaction() as session:
        moment = clock.now()
        overdue = session.scalars(
            select(GateCommand)
            .where(GateCommand.state.in_(["pending", "issued"]), GateCommand.expires_at <= moment)
            .where((GateCommand.state == "pending") | (GateCommand.expires_at <= moment - RESULT_WAITS))
            .order_by(GateCommand.id).limit(limit).with_for_update(skip_locked=True)
        ).all()  # fmt: skip
        for command in overdue:
            COMMAND.move(command, "expire" if command.state == "pending" else "lose", "time")
        return len(overdue)


def _waits(device_id: int, type_: str, moment: datetime) -> bool:
    """Whether such a command waits already; one whose time is over makes room."""
    waiting = current().scalar(
        select(GateCommand)
        .where(GateCommand.device_id == device_id, GateCommand.state == "pending", GateCommand.type == type_)
        .with_for_update()
    )
    return waiting is not None and not _let_expire(waiting, moment)


def _pending(device_id: int) -> list[GateCommand]:
    """Most times there is none, and nothing else is asked."""
    ids = [row.id for row in _PENDING.all(device_id=device_id)]
    if not ids:
        return []
    return list(current().scalars(select(GateCommand).where(GateCommand.id.in_(ids)).order_by(GateCommand.id)))


_PENDING: Final = Prepared(
    select(GateCommand.id)
    .where(GateCommand.device_id == bindparam("device_id"), GateCommand.state == "pending")
    .order_by(GateCommand.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)


def _let_expire(command: GateCommand, moment: datetime) -> bool:
    if command.expires_at > moment:
        return False
    COMMAND.move(command, "expire", "time")
    return True


def _settle(command: GateCommand, event: str, detail: str) -> None:
    if not COMMAND.may(command.state, event):
        raise ResultAlreadyGiven(state=command.state)
    COMMAND.move(command, event, "gate")
    command.detail = detail
    if command.type == "set_time" and event == "finish":
        _forget_clock(command.device_id)


def _forget_clock(device_id: int) -> None:
    """A clock that was just set has nothing to do with what we measured before."""
    current().execute(delete(GateClockSample).where(GateClockSample.device_id == device_id))


def _handed(command: GateCommand) -> HandedOut:
    arguments = json.loads(crypto.unseal(command.arguments_enc, _place(command.key)))
    return HandedOut(command.key, command.type, command.expires_at, arguments)


def _place(key: uuid.UUID) -> str:
    return f"gate_command.arguments_enc:{key}"
