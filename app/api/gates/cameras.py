"""The door for vendors' cameras: /camera/v1/GATE/SECRET/..., unsigned (docs/gate-vendors.md).

The gate's own row says which dialect it speaks, and from where. A camera takes any failure for "decide alone", so what
it sends is stored first, and answered with 200 whatever it was. Only a decision or a command ever opens.
"""

import time
from collections.abc import Sequence

from flask import Response, jsonify, request

from app.adapters.gates.words import (
    Beaten,
    Foreign,
    ListDone,
    ListRead,
    Message,
    Nothing,
    Pulsed,
    Reply,
    Seen,
    Step,
    Word,
)
from app.api.gates.camera_guard import CAMERA, PATIENT_CAMERA, camera, dialect
from app.api.gates.camera_guard import cameras as blueprint
from app.api.gates.guard import post
from app.api.gates.polls import LONGEST_POLL, awaited
from app.domain.gates import actions as gates
from app.domain.gates.actions.commands import HandedOut
from app.domain.gates.queries import passages
from app.domain.motorists.plates import ColourScheme, colour_from
from app.domain.stays import actions as stays
from app.web.policy import admits

__all__ = ["blueprint"]


@blueprint.post("/<uuid:gate>/<secret>/events")
@admits(CAMERA)
def events() -> Response:
    """A camera tells something, and is answered what to do; a car-park's own system only makes us ask it."""
    if camera().profile in gates.PARK_SYSTEMS:
        gates.hurry(camera().device_id)
        return jsonify(code="0", msg="success")
    try:
        message = dialect().read(request.get_data())
    except Foreign as wrong:
        gates.note_unreadable(camera().device_id, request.get_data(), f"foreign_{wrong}")
        return _answer(Reply(), Nothing())
    return _answer(_taken(message), message.word)


@blueprint.post("/<uuid:gate>/<secret>/poll")
@admits(PATIENT_CAMERA)
def poll() -> Response:
    """A camera registers, or waits for commands (comet). Of its form nothing is kept but the serial number."""
    try:
        message = dialect().registration({"serialno": request.form.get("serialno", "")})
    except Foreign:
        return _answer(Reply(), Nothing())
    if not _is_verified(message):
        return _answer(Reply(), message.word)
    gates.note_contact(camera().device_id)
    return _answer(_waited(), message.word)


def _answer(reply: Reply, to: Word) -> Response:
    speaks = dialect()
    return Response(speaks.encoded(speaks.write(reply, to)), content_type="application/json")


def _is_verified(message: Message) -> bool:
    """Whether the call came from where the gate's row says, under the serial number that it has."""
    return camera().is_at_home and message.serial == camera().serial


def _taken(message: Message) -> Reply:
    match message.word:
        case Seen() as seen:
            return _seen(seen, _is_verified(message))
        case _ if not _is_verified(message):
            return Reply()
        case Pulsed(source=source):
            _pulsed(source)
        case Beaten() as beaten:
            return _beaten(beaten)
        case ListDone(ok=False):
            gates.take_refusal(camera().device_id)
        case ListRead() as part:
            return Reply(step=gates.take_part(camera().device_id, part))
    return Reply()


def _seen(seen: Seen, verified: bool) -> Reply:
    """A live car is decided about; one of an outage is only written down, one record at a time."""
    device_id, tells_time = camera().device_id, dialect().habits.beats_tell_time
    seen = gates.aged(device_id, seen) if tells_time else seen
    colour = colour_from(ColourScheme(dialect().colours), seen.colour)
    sighting = gates.note_sighting(device_id, seen, str(colour), verified, measures=not tells_time)
    if seen.offline:
        stays.project(gates.note_replay(device_id, sighting.event_id, seen.opened_by))
        return Reply(replayed=seen.record)
    return _decided(sighting, verified, seen.opened_by)


def _decided(sighting: gates.Sighting, verified: bool, opened_by: str | None) -> Reply:
    """A camera that has opened already by its own list is not told to open again."""
    device_id, event_id = camera().device_id, sighting.event_id
    arrival = gates.Arrival(passages([event_id])[0], sighting.is_new)
    given = gates.decide_once(arrival, lambda: stays.decide(arrival.passage) if verified else gates.UNVERIFIED)
    opens = given.decision.decision == "open" and opened_by is None
    if opens or opened_by is not None:
        stays.project(gates.note_opening(device_id, event_id, opened_by or "server"))
    return Reply(opens=opens, voice=given.decision.voice)


def _pulsed(source: int) -> None:
    if source == camera().passage_input:
        stays.project(gates.note_passing(camera().device_id, verified=True))


def _beaten(beaten: Beaten) -> Reply:
    """A heartbeat that waits for nothing carries what there is: a command, or else a step of the list."""
    device_id = camera().device_id
    gates.note_contact(device_id, beaten.at)
    if gates.note_count(device_id, beaten.count):
        gates.forget_held(device_id)
    reply = _carrying(gates.hand_out(device_id), None)
    return reply if reply != Reply() else Reply(step=gates.next_step(device_id, dialect().habits))


def _waited() -> Reply:
    """A step of the list at once, else a command as soon as there is one, else nothing."""
    device_id = camera().device_id
    with post().few_at_a_time:
        step = gates.next_step(device_id, dialect().habits)
    seconds = 0 if step else min(LONGEST_POLL, post().poll_seconds)
    with post().waiting.place(device_id) as place:
        return _carrying(awaited(place, time.monotonic() + seconds), step)


def _carrying(handed: Sequence[HandedOut], step: Step | None) -> Reply:
    """Commands as an answer. What the dialect cannot say has failed; that a camera obeyed nobody ever learns."""
    device_id, can = camera().device_id, dialect().habits.can
    for command in handed:
        if command.type not in can:
            gates.settle(device_id, command.key, "failed", "not in this dialect")
    types = {command.type for command in handed} & can
    if "open" in types:
        stays.project(gates.note_remote_opening(device_id))
    said = next((str(command.arguments.get("text", "")) for command in handed if command.type == "display"), "")
    return Reply(opens="open" in types, closes="close" in types, snaps="snapshot" in types, voice=said, step=step)
