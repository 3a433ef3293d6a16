"""The door for gates: /gate/v1, signed JSON in both directions (docs/gate-protocol.md).

A raw event is committed before it is thought about. A poll waits between short transactions, never within one.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Response, jsonify, request

from app.api.gates.forms import (
    HIGHEST,
    AcknowledgementSchema,
    FieldsRefused,
    HeartbeatSchema,
    ResultSchema,
    form,
    number,
)
from app.api.gates.guard import GATE, PATIENT_GATE, blueprint, device_id, post, telling_gate, written_down
from app.api.gates.polls import LONGEST_POLL, awaited
from app.domain.gates import actions as gates
from app.domain.gates.actions import Beat
from app.domain.gates.actions.commands import HandedOut
from app.domain.gates.rules import reports
from app.domain.gates.rules.lists import wire_time
from app.domain.stays import actions as stays
from app.web.intake import parsed
from app.web.policy import admits

__all__ = ["blueprint"]

VALID_SECONDS = 10


def _arrival() -> Sequence[object]:
    return [gates.as_arrival(parsed(request.get_data()))]


def _batch() -> Sequence[object]:
    batch = parsed(request.get_data()).get("events")
    if not isinstance(batch, list) or len(batch) > reports.BATCH:
        raise FieldsRefused(fields=["events"])
    return batch


@blueprint.post("/decide")
@admits(telling_gate(_arrival, gates.record_arrival))
def decide() -> Response:
    """A car stands at the barrier: may it pass? Asked again about the same arrival, the answer is the same."""
    arrival: gates.Arrival = written_down()
    given, handed = gates.answer(arrival, lambda: stays.decide(arrival.passage))
    answer = {**asdict(given.decision), "decision_id": str(given.key), "valid_s": VALID_SECONDS}
    return jsonify(**answer, commands=_commands(handed))


@blueprint.post("/events")
@admits(telling_gate(_batch, gates.record))
def events() -> Response:
    """What happened at the gate, in batches, as late as it may be."""
    recording: gates.Recording = written_down()
    stays.project_backlog(recording.event_ids)
    return jsonify(
        acked_seq=recording.acked_seq,
        rejected=[asdict(rejection) for rejection in recording.rejected],
        want_from_seq=recording.want_from_seq,
    )


@blueprint.get("/whitelist")
@admits(GATE)
def whitelist() -> Response:
    """The rows that changed since a version, or the whole list."""
    pulled = gates.pull(device_id(), number("since", 0, HIGHEST))
    return jsonify(
        {
            "from": pulled.since, "to": pulled.to, "full": pulled.full, "sha256": pulled.sha256,
            "offline_exit": pulled.offline_exit, "upsert": [asdict(row) for row in pulled.upsert],
            "delete": [str(key) for key in pulled.delete],
        }
    )  # fmt: skip


@blueprint.post("/whitelist/ack")
@admits(GATE)
def acknowledge() -> Response:
    """The gate holds a version now, and this is its digest."""
    told = form(AcknowledgementSchema())
    return jsonify(resync=not gates.acknowledge(device_id(), told["version"], told["sha256"]))


@blueprint.post("/heartbeat")
@admits(GATE)
def heartbeat() -> Response:
    """How the gate stands; what it learns in return."""
    standing = gates.beat(device_id(), Beat(**form(HeartbeatSchema())))
    return jsonify(
        server_time=wire_time(standing.server_time), acked_seq=standing.acked_seq, next_seq=standing.next_seq,
        want_from_seq=standing.want_from_seq, list_version=standing.list_version,
        commands=_commands(gates.hand_out(device_id())),
    )  # fmt: skip


@blueprint.get("/commands")
@admits(PATIENT_GATE)
def commands() -> Response:
    """Wait for commands; a newer poll of the same gate ends this one with none."""
    until = time.monotonic() + min(number("wait", 0, LONGEST_POLL), post().poll_seconds)
    with post().waiting.place(device_id()) as place:
        return jsonify(commands=_commands(awaited(place, until)))


@blueprint.post("/commands/<uuid:key>/result")
@admits(GATE)
def result(key: uuid.UUID) -> Response:
    """What became of a command."""
    told = form(ResultSchema())
    gates.settle(device_id(), key, told["status"], told["detail"])
    return jsonify(settled=True)


def _commands(handed: list[HandedOut]) -> list[dict[str, Any]]:
    return [
        {
            "cmd_id": str(command.key), "type": command.type, "expires_at": wire_time(command.expires_at),
            "args": command.arguments,
        }
        for command in handed
    ]  # fmt: skip
