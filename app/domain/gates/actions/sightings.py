"""What a vendor's camera saw, told as our own events: it arrived, the arm rose, it drove through.

Such cameras know that they read a plate, and perhaps that a contact closed; the rest follows from what they were
answered. Where no contact tells that a car drove through, an opening counts as passing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from app.adapters.gates.words import Seen
from app.domain.gates import queries
from app.domain.gates.actions.events import lock_pulse, plate_place, record_unnumbered
from app.domain.gates.actions.pulses import sample_clock
from app.domain.gates.actions.vendor_lists import doubt, is_listed
from app.domain.gates.models import GateDecision, GateDevice, GateEvent, VendorGate
from app.domain.gates.rules.decisions import Decision
from app.domain.lots.queries import place_of
from app.domain.tasks.actions import open_task
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.ids import new_key

UNVERIFIED: Final = Decision("manual", "unverified", "请稍候", "请联系值守人员")
"""The answer to a car that only an unverified message tells of."""

WAITS_AT_MOST: Final = timedelta(minutes=30)
PASSES_WITHIN: Final = timedelta(seconds=60)
SAME_PULSE: Final = timedelta(seconds=5)
ANSWERED_WITHIN: Final = timedelta(seconds=25)
"""A little more than the longest time that a camera is set to wait for an answer (20 s)."""

QUIET_FOR: Final = timedelta(seconds=60)
"""A camera that was in touch this long and replayed nothing owes nothing."""


@dataclass(frozen=True)
class Sighting:
    """One reading as it was written down: the arrival's row, and whether it was there before."""

    event_id: int
    is_new: bool


def aged(device_id: int, seen: Seen) -> Seen:
    """A reading of a camera that repeats what nobody took, and does not always say so.

    By the clock that its heartbeats tell it is a record of an outage once it is older than any car waits for an
    answer: it must not open any more. A camera that does not tell its relay has followed its own list meanwhile.
    """
    with transaction():
        moment = seen.at + queries.clock_offset(device_id)
        if not seen.offline and clock.now() - moment <= ANSWERED_WITHIN:
            return seen
        opened_by = seen.opened_by
        if not seen.tells_relay and is_listed(device_id, seen.plate, moment):
            opened_by = "local_list"
        return replace(seen, offline=True, opened_by=opened_by)


def note_sighting(device_id: int, seen: Seen, colour: str, verified: bool, measures: bool = True) -> Sighting:
    """Write an arrival down, once however often it is told. A live one `measures` the camera's clock."""
    with transaction() as session:
        lock_pulse(device_id)
        before = session.scalar(select(GateEvent.id).filter_by(device_id=device_id, event_id=seen.event_id))
        if before is not None:
            return Sighting(before, is_new=False)
        if verified and measures and not seen.offline:
            moment = clock.now()
            sample_clock(device_id, moment, moment - seen.at)
        arrival = _event(seen.event_id, "arrived", seen, colour) | {"body": seen.told}
        return Sighting(record_unnumbered(device_id, [arrival], verified)[0], is_new=True)


def note_opening(device_id: int, event_id: int, opened_by: str, *, replayed: bool = False) -> list[int]:
    """The arm rose for the car of this arrival: an event, and a second one where opening counts as passing.

    No contact is told of what happened while the camera was on its own. Returns their rows. Twice changes nothing.
    """
    with transaction() as session:
        arrival = session.get_one(GateEvent, event_id)
        kinds = ["opened"] if _passes_by_contact(device_id) and not replayed else ["opened", "passed"]
        events = [_following(arrival, kind, opened_by=opened_by) for kind in kinds]
        return record_unnumbered(device_id, events, arrival.verified)


def note_replay(device_id: int, event_id: int, opened_by: str | None) -> list[int]:
    """What a camera did about a car while it was on its own, told later; returns the rows of what follows from it.

    When it was told to open and says that it did not, a person must look: the car may never have driven in.
    """
    with transaction() as session:
        session.get_one(VendorGate, device_id).replayed_at = clock.now()
        if opened_by is not None:
            return note_opening(device_id, event_id, opened_by, replayed=True)
        arrival = session.get_one(GateEvent, event_id)
        if _follower(arrival, "opened") is not None:
            lot_id = session.get_one(GateDevice, device_id).lot_id
            open_task("opening_not_carried_out", "gate_event", event_id, place=place_of(lot_id))
        return record_unnumbered(device_id, [_following(arrival, "denied")], arrival.verified)


def note_remote_opening(device_id: int) -> list[int]:
    """A waiting car is being let through by a command; returns the rows of what follows, none when no car waits."""
    with transaction():
        waiting = _last_arrival(device_id, clock.now() - WAITS_AT_MOST)
        if waiting is None or _follower(waiting, "opened") is not None:
            return []
        return note_opening(device_id, waiting.id, "remote")


def note_passing(device_id: int, verified: bool) -> list[int]:
    """A contact says that something drove through: the car last let in, or one behind it that nobody let in.

    Returns the rows of the passage; none for a second pulse of the same car.
    """
    with transaction():
        lock_pulse(device_id)
        opened = _last_opened(device_id)
        if opened is not None and _follower(opened, "passed") is None:
            return record_unnumbered(device_id, [_following(opened, "passed", at=clock.now())], verified)
        if not _has_just_passed(device_id):
            record_unnumbered(device_id, [_tailgater()], verified)
        return []


def note_contact(device_id: int, told_at: datetime | None = None) -> None:
    """A sign of life, with the camera's own time if it tells it.

    A camera that was in touch for a minute and replayed nothing has told everything. One that comes back after a
    longer silence may have been reset: its list is read anew.
    """
    with transaction() as session:
        pulse, moment = lock_pulse(device_id), clock.now()
        if told_at is not None:
            sample_clock(device_id, moment, moment - told_at)
        replayed_at = session.get_one(VendorGate, device_id).replayed_at
        in_touch = pulse.seen_at is not None and pulse.seen_at > moment - QUIET_FOR
        if not in_touch:
            session.get_one(VendorGate, device_id).replayed_at = replayed_at = moment
            doubt(device_id)
        if replayed_at is None or replayed_at < moment - QUIET_FOR:
            pulse.reported_until = moment
        pulse.seen_at, pulse.mode = moment, "online"


def note_count(device_id: int, count: int | None) -> bool:
    """Whether a camera's own count of heartbeats began anew: it was without power."""
    with transaction() as session:
        vendor = session.get_one(VendorGate, device_id, with_for_update=True)
        before, vendor.beat_count = vendor.beat_count, count
        return None not in (before, count) and (count or 0) < (before or 0)


def _event(event_id: str, type_: str, seen: Seen, colour: str) -> dict[str, Any]:
    return {
        "event_id": event_id, "type": type_, "plate_raw": seen.plate, "plate_color": colour,
        "device_time": seen.at.isoformat(), "offline": seen.offline,
    }  # fmt: skip


def _following(arrival: GateEvent, type_: str, at: datetime | None = None, **more: Any) -> Mapping[str, Any]:
    """An event about the same car; what follows a command or a contact happens now, by our clock."""
    first = arrival.event_id.partition(":")[0]
    plate = None
    if arrival.plate_enc is not None:
        plate = crypto.unseal(arrival.plate_enc, plate_place(arrival.device_id, arrival.event_id))
    now = at or (clock.now() if more.get("opened_by") == "remote" else None)
    timed: dict[str, Any] = {"device_time": (now or arrival.device_time).isoformat()}
    offset = timedelta() if now else arrival.clock_offset
    return {
        "event_id": f"{first}:{type_}", "type": type_, "plate_raw": plate, "plate_color": arrival.plate_colour,
        **timed, "clock_offset": offset.total_seconds(), "offline": arrival.offline, **_decided(arrival, first), **more,
    }  # fmt: skip


def _decided(arrival: GateEvent, first: str) -> dict[str, str]:
    key = current().scalar(select(GateDecision.key).filter_by(device_id=arrival.device_id, event_id=first))
    return {"decision_id": str(key)} if key else {}


def _tailgater() -> Mapping[str, Any]:
    return {"event_id": f"contact-{new_key()}", "type": "tailgate", "device_time": clock.now().isoformat()}


def _follower(event: GateEvent, type_: str) -> int | None:
    named = f"{event.event_id.partition(':')[0]}:{type_}"
    return current().scalar(select(GateEvent.id).filter_by(device_id=event.device_id, event_id=named))


def _passes_by_contact(device_id: int) -> bool:
    return current().get_one(VendorGate, device_id).passage_input is not None


def _last_arrival(device_id: int, since: datetime) -> GateEvent | None:
    arrivals = select(GateEvent).where(
        GateEvent.device_id == device_id, GateEvent.type == "arrived", GateEvent.verified, ~GateEvent.offline,
        GateEvent.received_at >= since,
    )  # fmt: skip
    return current().scalars(arrivals.order_by(GateEvent.id.desc()).limit(1)).first()


def _last_opened(device_id: int) -> GateEvent | None:
    since = clock.now() - PASSES_WITHIN
    opened = select(GateEvent).where(
        GateEvent.device_id == device_id, GateEvent.type == "opened", ~GateEvent.offline, GateEvent.received_at >= since
    )
    return current().scalars(opened.order_by(GateEvent.id.desc()).limit(1)).first()


def _has_just_passed(device_id: int) -> bool:
    since = clock.now() - SAME_PULSE
    passed = select(GateEvent.id).where(
        GateEvent.device_id == device_id, GateEvent.type.in_(("passed", "tailgate")), GateEvent.received_at >= since
    )
    return current().scalar(passed.limit(1)) is not None
