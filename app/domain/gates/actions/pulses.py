"""A heartbeat says how a gate stands; what we learn from it is its clock, its list and what it still owes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete

from app.domain.gates import queries
from app.domain.gates.actions.commands import issue
from app.domain.gates.actions.events import lock_pulse
from app.domain.gates.actions.lists import compare
from app.domain.gates.models import GateClockSample, GatePulse
from app.domain.gates.rules import clocks
from app.kernel import clock
from app.kernel.db import current, transaction

SAMPLES_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Beat:
    """One heartbeat as a gate sends it; `device_time` by the gate's own clock."""

    device_time: datetime
    list_version: int
    list_sha256: str
    queue_length: int
    last_seq: int
    mode: str
    barrier: str
    firmware: str


@dataclass(frozen=True)
class Standing:
    """What a gate learns in return: how far its events are complete, and which list it should hold."""

    server_time: datetime
    acked_seq: int
    next_seq: int
    want_from_seq: int | None
    list_version: int


def beat(device_id: int, heartbeat: Beat) -> Standing:
    """Take one heartbeat in.

    A clock 2 s or more off is told to set itself, a list that differs from ours to synchronise. `next_seq` is for a
    gate that lost its memory: it goes on counting from there.
    """
    with transaction():
        pulse, moment = lock_pulse(device_id), clock.now()
        offset = sample_clock(device_id, moment, moment - heartbeat.device_time)
        _set_clock(device_id, offset)
        _note(pulse, heartbeat, moment, offset)
        desired = compare(device_id, heartbeat.list_version, heartbeat.list_sha256)
        return Standing(moment, pulse.contiguous_seq, pulse.highest_seq + 1, _owed(pulse, heartbeat), desired)


def sample_clock(device_id: int, moment: datetime, measured: timedelta) -> timedelta:
    """Note one comparison, drop those of a week ago; returns what the last few say together."""
    old = GateClockSample.at < moment - SAMPLES_KEPT
    current().execute(delete(GateClockSample).where(GateClockSample.device_id == device_id, old))
    current().add(GateClockSample(device_id=device_id, at=moment, clock_offset=measured))
    current().flush()
    return queries.clock_offset(device_id)


def _set_clock(device_id: int, offset: timedelta) -> None:
    if abs(offset) > clocks.CORRECT_FROM:
        issue(device_id, "set_time", {}, "clock")


def _note(pulse: GatePulse, heartbeat: Beat, moment: datetime, offset: timedelta) -> None:
    pulse.seen_at = moment
    pulse.mode, pulse.barrier, pulse.firmware = heartbeat.mode, heartbeat.barrier, heartbeat.firmware
    pulse.queue_length = heartbeat.queue_length
    if heartbeat.queue_length == 0 and heartbeat.last_seq <= pulse.contiguous_seq:
        pulse.reported_until = clocks.corrected(heartbeat.device_time, offset, moment)


def _owed(pulse: GatePulse, heartbeat: Beat) -> int | None:
    """A gate with an empty queue whose last number we never heard believes that it told us."""
    missing = pulse.contiguous_seq < max(pulse.highest_seq, heartbeat.last_seq)
    return pulse.contiguous_seq + 1 if missing and heartbeat.queue_length == 0 else None
