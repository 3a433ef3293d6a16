"""What gates report is written down before anything is thought about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.gates import queries
from app.domain.gates.actions.recognition import recognised_plate
from app.domain.gates.models import GateEvent, GatePulse, GateRejection
from app.domain.gates.rules import clocks, reports
from app.domain.gates.rules.reports import Report, Unreadable
from app.domain.motorists.plates import is_unplated, plate_as_seen
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.refusals import Invalid

MOST_KEPT: Final = 4096
"""Bytes of a message that nobody understands."""


class UnreadableEvent(Invalid):
    """An arrival that cannot even be recorded; `details.event` says why."""

    code = "unreadable_event"
    message = "事件内容无法识别"


@dataclass(frozen=True)
class Rejection:
    """One event of a batch that was refused; the others are not held up by it."""

    event_id: str | None
    seq: int | None
    code: str


@dataclass
class Recording:
    """How a batch fared. `event_ids` are rows, also of events that were there before: projecting twice is harmless.

    `want_from_seq`: the gate shall send again from this number; `None` when nothing is missing.
    """

    event_ids: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    acked_seq: int = 0
    want_from_seq: int | None = None


@dataclass(frozen=True)
class _Receipt:
    """The circumstances in which a batch arrived."""

    device_id: int
    received_at: datetime
    clock_offset: timedelta
    verified: bool


def record(device_id: int, batch: Sequence[object], verified: bool = True) -> Recording:
    """Write events down, each at most once, however old they are.

    The same event again is no news; another event under a used id or number is rejected, as is one that cannot be
    read. What is rejected is kept too, sealed, and its number counts as heard. Nothing moves a stay that is not
    `verified`.
    """
    with transaction():
        pulse = lock_pulse(device_id)
        receipt = _Receipt(device_id, clock.now(), queries.clock_offset(device_id), verified)
        recording = Recording()
        for raw in batch:
            _take(receipt, raw, recording)
        _advance(pulse)
        recording.acked_seq = pulse.contiguous_seq
        recording.want_from_seq = _missing(pulse)
        return recording


def record_unnumbered(device_id: int, events: Sequence[Mapping[str, Any]], verified: bool) -> list[int]:
    """Write down events of a vendor's gate, which counts nothing: each gets the next number, the same one its own.

    Returns their rows. Refuses `UnreadableEvent`.
    """
    with transaction():
        pulse = lock_pulse(device_id)
        used = _numbers_of(device_id, [event["event_id"] for event in events])
        fresh = count(pulse.highest_seq + 1)
        numbered = [{**event, "seq": used.get(event["event_id"]) or next(fresh)} for event in events]
        recording = record(device_id, numbered, verified)
        if recording.rejected:
            raise UnreadableEvent(event=recording.rejected[0].code)
        return recording.event_ids


def note_unreadable(device_id: int, body: bytes, code: str) -> None:
    """Keep, sealed, what a vendor's gate sent and nobody understands."""
    with transaction() as session:
        pulse = lock_pulse(device_id)
        seq = pulse.highest_seq + 1
        sealed = crypto.seal(body[:MOST_KEPT].decode("utf-8", "replace"), rejection_place(device_id, seq))
        session.add(
            GateRejection(device_id=device_id, seq=seq, code=code, body_enc=sealed, received_at=clock.now())
        )  # fmt: skip
        _advance(pulse)


def record_arrival(device_id: int, raw: object) -> int:
    """Write down the arrival that a gate asks about; returns its row. Refuses `UnreadableEvent`."""
    arrival = {**raw, "type": "arrived"} if isinstance(raw, dict) else raw
    with transaction() as session:
        recording = record(device_id, [arrival])
        if recording.rejected:
            raise UnreadableEvent(event=recording.rejected[0].code)
        event = session.get_one(GateEvent, recording.event_ids[0])
        if event.type != "arrived":
            raise UnreadableEvent(event="event_id_reused")
        return event.id


def lock_pulse(device_id: int) -> GatePulse:
    """One message of a gate is written down at a time; nothing else waits for this lock."""
    return current().get_one(GatePulse, device_id, with_for_update=True, populate_existing=True)


def plate_place(device_id: int, event_id: str) -> str:
    """Where an event's plate lies."""
    return f"gate_event.plate_enc:{device_id}:{event_id}"


def rejection_place(device_id: int, seq: int) -> str:
    """Where a rejected message lies."""
    return f"gate_rejection.body_enc:{device_id}:{seq}"


def _take(receipt: _Receipt, raw: object, recording: Recording) -> None:
    try:
        report = reports.read_report(raw)
        recording.event_ids.append(_written(receipt, report))
    except Unreadable as wrong:
        recording.rejected.append(_rejected(receipt, raw, wrong.code))


def _written(receipt: _Receipt, report: Report) -> int:
    known = _known(receipt.device_id, report)
    return known if known is not None else _insert(receipt, report)


def _numbers_of(device_id: int, event_ids: Sequence[str]) -> dict[str, int]:
    known = select(GateEvent.event_id, GateEvent.seq).where(
        GateEvent.device_id == device_id, GateEvent.event_id.in_(event_ids)
    )
    return {row.event_id: row.seq for row in current().execute(known)}


def _known(device_id: int, report: Report) -> int | None:
    found = current().execute(
        select(GateEvent.id, GateEvent.event_id, GateEvent.seq)
        .where(GateEvent.device_id == device_id)
        .where((GateEvent.event_id == report.event_id) | (GateEvent.seq == report.seq))
    )
    for row in found:
        if row.event_id != report.event_id:
            raise Unreadable("seq_reused")
        if row.seq != report.seq:
            raise Unreadable("event_id_reused")
        return int(row.id)
    return None


def _insert(receipt: _Receipt, report: Report) -> int:
    offset = receipt.clock_offset if report.clock_offset is None else report.clock_offset
    if clocks.is_too_far_ahead(report.device_time, offset, receipt.received_at):
        raise Unreadable("device_time_in_the_future")
    event = GateEvent(
        device_id=receipt.device_id, event_id=report.event_id, seq=report.seq, type=report.type,
        direction=report.direction, plate_enc=_sealed_plate(receipt, report), plate_colour=str(report.plate_colour),
        plate_id=_plate_id(receipt, report), device_time=report.device_time, received_at=receipt.received_at,
        clock_offset=offset, clock_suspect=abs(offset) > clocks.SUSPECT,
        event_time=clocks.corrected(report.device_time, offset, receipt.received_at),
        opened_by=report.opened_by, decision_key=report.decision_key, offline=report.offline,
        verified=receipt.verified,
        body_enc=crypto.seal(report.body, f"gate_event.body_enc:{receipt.device_id}:{report.event_id}"),
    )  # fmt: skip
    current().add(event)
    current().flush()
    return event.id


def _sealed_plate(receipt: _Receipt, report: Report) -> bytes | None:
    if report.plate_raw is None:
        return None
    return crypto.seal(report.plate_raw, plate_place(receipt.device_id, report.event_id))


def _plate_id(receipt: _Receipt, report: Report) -> int | None:
    if report.plate_raw is None or is_unplated(report.plate_raw):
        return None
    return recognised_plate(receipt.device_id, plate_as_seen(report.plate_raw, report.plate_colour))


def _rejected(receipt: _Receipt, raw: object, code: str) -> Rejection:
    seq = reports.seq_of(raw)
    if seq is not None:
        body = crypto.seal(reports.text_of(raw), rejection_place(receipt.device_id, seq))
        row = insert(GateRejection).values(
            device_id=receipt.device_id, seq=seq, code=code, body_enc=body, received_at=receipt.received_at
        )
        current().execute(row.on_conflict_do_nothing())
    event_id = raw.get("event_id") if isinstance(raw, dict) else None
    return Rejection(event_id if isinstance(event_id, str) else None, seq, code)


def _advance(pulse: GatePulse) -> None:
    current().flush()
    heard = _numbers_after(pulse.device_id, pulse.contiguous_seq)
    pulse.highest_seq = max([pulse.highest_seq, *heard])
    pulse.contiguous_seq = reports.contiguous(pulse.contiguous_seq, heard)
    current().flush()


def _numbers_after(device_id: int, seq: int) -> set[int]:
    recorded = select(GateEvent.seq).where(GateEvent.device_id == device_id, GateEvent.seq > seq)
    rejected = select(GateRejection.seq).where(GateRejection.device_id == device_id, GateRejection.seq > seq)
    return {*current().scalars(recorded), *current().scalars(rejected)}


def _missing(pulse: GatePulse) -> int | None:
    return pulse.contiguous_seq + 1 if pulse.contiguous_seq < pulse.highest_seq else None
