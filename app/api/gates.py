"""The door for gates: /gate/v1, signed JSON in both directions (docs/gate-protocol.md).

A raw event is committed before it is thought about. A poll waits between short transactions, never within one.
"""

import functools
import threading
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask.sansio.app import App
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from app.adapters.gates.waiting import Place, WaitingRoom
from app.domain.gates import actions as gates
from app.domain.gates import queries
from app.domain.gates.actions import Beat, Caller
from app.domain.gates.actions.commands import HandedOut
from app.domain.gates.rules import reports
from app.domain.gates.rules.lists import wire_time
from app.domain.gates.rules.signatures import SignedMessage, answer_signature, content_sha256
from app.domain.stays import actions as stays
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import Invalid
from app.web import limits
from app.web.intake import UNSTORABLE, parsed
from app.web.policy import Policy, View, admits
from app.wiring import Wiring

RATE = "60 per 3 second"
"""Twenty a second for each gate, with room for a burst."""

SMALL_BODY = 16 * 1024
BATCH_BODY = 512 * 1024
VALID_SECONDS = 10
HIGHEST = 2**53
LONGEST_POLL = 25
POLLS_AT_ONCE = 4
"""Of the connections of a process, so many may serve polls: a thousand of them never keep a car waiting."""

blueprint = Blueprint("gates", __name__, url_prefix="/gate/v1")


class FieldsRefused(Invalid):
    """A field is missing or of the wrong form; `details.fields` names it, never its value."""

    code = "fields_refused"
    message = "字段缺失或格式有误"


@dataclass(frozen=True)
class Post:
    """Where this app's polls wait, for how many seconds at most, and how many of them may use the database at once."""

    waiting: WaitingRoom
    poll_seconds: int
    few_at_a_time: threading.Semaphore


@blueprint.record_once
def _open_waiting_room(state: BlueprintSetupState) -> None:
    app, wired = state.app, state.app.extensions["gongbo"]
    assert isinstance(wired, Wiring)
    waiting = WaitingRoom(wired.redis, functools.partial(_with_commands, app))
    app.extensions["gates"] = Post(waiting, wired.settings.gate_poll_seconds, threading.Semaphore(POLLS_AT_ONCE))


def _with_commands(app: App, device_ids: Collection[int]) -> Collection[int]:
    assert isinstance(app, Flask)
    with app.app_context():
        return queries.gates_with_commands(device_ids)


def _post() -> Post:
    post = current_app.extensions["gates"]
    assert isinstance(post, Post)
    return post


def _only_gates(view: View) -> View:
    """Let a message in whose signature a known gate made just now, and only once."""

    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        _let_in(_message())
        return view(*args, **words)

    return guarded


def _only_patient_gates(view: View) -> View:
    """The same for polls, a few at a time: after a restart all gates come at once, and cars must not wait for them."""

    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        with _post().few_at_a_time:
            _let_in(_message())
        return view(*args, **words)

    return guarded


GATE = Policy("gate", _only_gates)
PATIENT_GATE = Policy("patient_gate", _only_patient_gates)


def _let_in(message: SignedMessage) -> None:
    with transaction():
        g.gate, g.seen_at = gates.recognise(message), _Seen(clock.now() - clock.offset(), time.monotonic())
        gates.admit(g.gate, message)
    g.caller = f"gate:{g.gate.device_id}"
    limits.take(RATE, g.caller)


def _message() -> SignedMessage:
    headers, query = request.headers, request.query_string.decode("latin-1")
    return SignedMessage(
        method=request.method, target=f"{request.path}?{query}" if query else request.path,
        gate_id=headers.get("X-Gate-Id", ""), key_id=headers.get("X-Key-Id", ""),
        timestamp=headers.get("X-Timestamp", ""), nonce=headers.get("X-Nonce", ""),
        content_sha256=headers.get("X-Content-SHA256", ""), signature=headers.get("X-Signature", ""),
        body=request.get_data(cache=True),
    )  # fmt: skip


@dataclass(frozen=True)
class _Seen:
    """When a message came: by the database's clock, and by the machine's, which runs on while a poll waits."""

    at: datetime
    monotonic: float

    def moment(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self.monotonic) + clock.offset()


@blueprint.url_value_preprocessor
def _room_for_batches(endpoint: str | None, _values: Mapping[str, Any] | None) -> None:
    """Before anything reads the body: events come in batches, everything else is short."""
    request.max_content_length = BATCH_BODY if endpoint == "gates.events" else SMALL_BODY


@blueprint.after_request
def _sign(response: Response) -> Response:
    """Whom we recognised gets a signed answer, refusals included; others learn nothing that they could use."""
    caller = g.get("gate")
    if not isinstance(caller, Caller):
        return response
    timestamp, body = str(int(g.seen_at.moment().timestamp())), response.get_data()
    signature = answer_signature(caller.secret, response.status_code, request.headers["X-Nonce"], timestamp, body)
    response.headers["X-Timestamp"] = timestamp
    response.headers["X-Content-SHA256"] = content_sha256(body)
    response.headers["X-Signature"] = signature
    return response


@blueprint.post("/decide")
@admits(GATE)
def decide() -> Response:
    """A car stands at the barrier: may it pass? Asked again about the same arrival, the answer is the same."""
    device_id = _device_id()
    event_id = gates.record_arrival(device_id, parsed(request.get_data()))
    given = gates.decide_once(event_id, lambda: stays.decide(device_id, event_id))
    answer = {**asdict(given.decision), "decision_id": str(given.key), "valid_s": VALID_SECONDS}
    return jsonify(**answer, commands=_commands(gates.hand_out(device_id)))


@blueprint.post("/events")
@admits(GATE)
def events() -> Response:
    """What happened at the gate, in batches, as late as it may be."""
    batch = parsed(request.get_data()).get("events")
    if not isinstance(batch, list) or len(batch) > reports.BATCH:
        raise FieldsRefused(fields=["events"])
    recording = gates.record(_device_id(), batch)
    stays.project(recording.event_ids)
    return jsonify(
        acked_seq=recording.acked_seq,
        rejected=[asdict(rejection) for rejection in recording.rejected],
        want_from_seq=recording.want_from_seq,
    )


@blueprint.get("/whitelist")
@admits(GATE)
def whitelist() -> Response:
    """The rows that changed since a version, or the whole list."""
    pulled = gates.pull(_device_id(), _number("since", 0, HIGHEST))
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
    form = _form(AcknowledgementSchema())
    return jsonify(resync=not gates.acknowledge(_device_id(), form["version"], form["sha256"]))


@blueprint.post("/heartbeat")
@admits(GATE)
def heartbeat() -> Response:
    """How the gate stands; what it learns in return."""
    standing = gates.beat(_device_id(), Beat(**_form(HeartbeatSchema())))
    return jsonify(
        server_time=wire_time(standing.server_time), acked_seq=standing.acked_seq, next_seq=standing.next_seq,
        want_from_seq=standing.want_from_seq, list_version=standing.list_version,
        commands=_commands(gates.hand_out(_device_id())),
    )  # fmt: skip


@blueprint.get("/commands")
@admits(PATIENT_GATE)
def commands() -> Response:
    """Wait for commands; a newer poll of the same gate ends this one with none."""
    until = time.monotonic() + min(_number("wait", 0, LONGEST_POLL), _post().poll_seconds)
    with _post().waiting.place(_device_id()) as place:
        return jsonify(commands=_commands(_awaited(place, until)))


@blueprint.post("/commands/<uuid:key>/result")
@admits(GATE)
def result(key: uuid.UUID) -> Response:
    """What became of a command."""
    form = _form(ResultSchema())
    gates.settle(_device_id(), key, form["status"], form["detail"])
    return jsonify(settled=True)


def _awaited(place: Place, until: float) -> list[HandedOut]:
    """Look first, then wait; a ring without a command (another answer carried it) is waited out."""
    handed = _look(place)
    while not handed and place.wait(until):
        handed = _look(place)
    return handed


def _look(place: Place) -> list[HandedOut]:
    with _post().few_at_a_time:
        return gates.hand_out(place.device_id)


def _commands(handed: list[HandedOut]) -> list[dict[str, Any]]:
    return [
        {
            "cmd_id": str(command.key), "type": command.type, "expires_at": wire_time(command.expires_at),
            "args": command.arguments,
        }
        for command in handed
    ]  # fmt: skip


def _device_id() -> int:
    caller = g.gate
    assert isinstance(caller, Caller)
    return caller.device_id


def _number(name: str, otherwise: int, highest: int) -> int:
    text = request.args.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and int(text) <= highest):
        raise FieldsRefused(fields=[name])
    return int(text)


def _form(schema: Schema) -> dict[str, Any]:
    try:
        loaded = schema.load(parsed(request.get_data()))
    except ValidationError as wrong:
        raise FieldsRefused(fields=sorted(str(name) for name in wrong.messages_dict)) from wrong
    assert isinstance(loaded, dict)
    return loaded


def _storable(text: str) -> None:
    if UNSTORABLE.search(text):
        raise ValidationError("unstorable")


def _moment(value: Any) -> datetime:
    try:
        return reports.read_time(value)
    except reports.Unreadable as wrong:
        raise ValidationError(wrong.code) from wrong


def _words(longest: int, **how: Any) -> fields.String:
    return fields.String(validate=[validate.Length(max=longest), _storable], **how)


def _count(**how: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(0, HIGHEST), **how)


class HeartbeatSchema(Schema):
    """`mode` is online or offline; `queue_len` counts events not yet acknowledged."""

    class Meta:
        unknown = EXCLUDE

    device_time = fields.Function(deserialize=_moment, required=True)
    list_version = _count(required=True)
    list_sha256 = _words(64, required=True)
    queue_length = _count(required=True, data_key="queue_len")
    last_seq = _count(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(["online", "offline"]))
    barrier = _words(32, load_default="unknown")
    firmware = _words(64, load_default="", data_key="fw")


class AcknowledgementSchema(Schema):
    """What the gate holds after applying a whitelist answer."""

    class Meta:
        unknown = EXCLUDE

    version = _count(required=True)
    sha256 = _words(64, required=True)


class ResultSchema(Schema):
    """What became of one command."""

    class Meta:
        unknown = EXCLUDE

    status = fields.String(required=True, validate=validate.OneOf(["done", "failed", "expired", "unknown"]))
    detail = _words(200, load_default="")
