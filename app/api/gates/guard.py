"""Who may speak at this door: a gate whose signature is good and new. What is answered is signed too."""

import functools
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from flask.sansio.app import App

from app.adapters.gates.waiting import WaitingRoom
from app.domain.gates import actions as gates
from app.domain.gates import queries
from app.domain.gates.actions import Caller, Receipt
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.signatures import SignedMessage, answer_signature, content_sha256
from app.web import limits
from app.web.policy import Policy, View
from app.wiring import Wiring

RATE = "60 per 3 second"
"""Twenty a second for each gate, with room for a burst."""

SMALL_BODY = 16 * 1024
BATCH_BODY = 512 * 1024
POLLS_AT_ONCE = 4
"""Of the connections of a process, so many may serve polls: a thousand of them never keep a car waiting."""

blueprint = Blueprint("gates", __name__, url_prefix="/gate/v1")


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


def post() -> Post:
    """The waiting room of the running app."""
    kept = current_app.extensions["gates"]
    assert isinstance(kept, Post)
    return kept


def _only_gates(view: View) -> View:
    """Let a message in whose signature a known gate made just now, and only once."""

    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        gates.admit(*_recognised())
        return view(*args, **words)

    return guarded


def _only_patient_gates(view: View) -> View:
    """The same for polls, a few at a time: after a restart all gates come at once, and cars must not wait for them."""

    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        with post().few_at_a_time:
            gates.admit(*_recognised())
        return view(*args, **words)

    return guarded


GATE = Policy("gate", _only_gates)
PATIENT_GATE = Policy("patient_gate", _only_patient_gates)


def telling_gate(told: Callable[[], Sequence[object]], write_down: Callable[[Receipt], Any]) -> Policy:
    """The policy of a route on which gates tell events: they are committed with the message that told them.

    `told` reads them from the request. What `write_down` returns is `written_down()` for the view, which thinks about
    it in a transaction of its own.
    """

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **words: Any) -> Any:
            caller, message = _recognised()
            with transaction():
                g.written_down = write_down(gates.admit_telling(caller, message, told))
            return view(*args, **words)

        return guarded

    return Policy("gate", guard)


def written_down() -> Any:
    """What the message that is answered told."""
    return g.written_down


def _recognised() -> tuple[Caller, SignedMessage]:
    """Who sent this message, which is not admitted yet; from now on the answer is signed."""
    message = _message()
    caller = g.gate = gates.recognise(message)
    g.seen_at = _Seen(caller.seen_at - clock.offset(), time.monotonic())
    g.caller = f"gate:{caller.device_id}"
    limits.take(RATE, g.caller)
    return caller, message


def _message() -> SignedMessage:
    headers, query = request.headers, request.query_string.decode("latin-1")
    return SignedMessage(
        method=request.method, target=f"{request.path}?{query}" if query else request.path,
        sender_id=headers.get("X-Gate-Id", ""), key_id=headers.get("X-Key-Id", ""),
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


def device_id() -> int:
    """The gate that speaks."""
    caller = g.gate
    assert isinstance(caller, Caller)
    return caller.device_id
