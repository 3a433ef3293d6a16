"""What gates report is written down before anything is thought about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from app.domain.gates import queries
from app.domain.gates.actions.recognition import recognised_plate
from app.domain.gates.models import GateEvent, GatePulse, GateRejection
from app.domain.gates.rules import clocks, reports
from app.domain.gates.rules.reports import Report, Unreadable
from app.domain.motorists.plates import Plate, is_unplated, plate_as_seen
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


_Kept = GateEvent | Row[int, str, int]
"""An event that is written down, with its row's id, its own id and its number."""


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
        recording = _Batch(receipt, batch).recorded()
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


class _Batch:
    """Events that came together: what is known of them is asked once, and those of one car are written together."""

    def __init__(self, receipt: _Receipt, batch: Sequence[object]) -> None:
        self._receipt = receipt
        self._read = [(raw, _understood(raw)) for raw in batch]
        self._by_id: dict[str, _Kept] = {}
        self._by_seq: dict[int, _Kept] = {}
        self._seen: tuple[Plate, int] | None = None

    def recorded(self) -> Recording:
        """All of them, written down or rejected."""
        recording, taken = Recording(), list[_Kept]()
        for kept in _kept_of(self._receipt.device_id, [report for _, report in self._read]):
            self._note(kept)
        for raw, report in self._read:
            try:
                taken.append(self._written(report))
            except Unreadable as wrong:
                recording.rejected.append(_rejected(self._receipt, raw, wrong.code))
        current().flush()
        recording.event_ids = [kept.id for kept in taken]
        return recording

    def _written(self, report: Report | Unreadable) -> _Kept:
        if isinstance(report, Unreadable):
            raise report
        known = self._known(report)
        return known if known is not None else self._note(_new(self._receipt, report, self._plate_id(report)))

    def _known(self, report: Report) -> _Kept | None:
        numbered, named = self._by_seq.get(report.seq), self._by_id.get(report.event_id)
        if numbered is not None and numbered.event_id != report.event_id:
            raise Unreadable("seq_reused")
        if named is not None and named.seq != report.seq:
            raise Unreadable("event_id_reused")
        return named

    def _note(self, kept: _Kept) -> _Kept:
        self._by_id[kept.event_id] = self._by_seq[kept.seq] = kept
        return kept

    def _plate_id(self, report: Report) -> int | None:
        """A car is looked up once as it arrives, is let in and passes; to look up writes down what came before."""
        if report.plate_raw is None or is_unplated(report.plate_raw):
            return None
        plate = plate_as_seen(report.plate_raw, report.plate_colour)
        if self._seen is None or self._seen[0] != plate:
            self._seen = plate, recognised_plate(self._receipt.device_id, plate)
        return self._seen[1]


def _understood(raw: object) -> Report | Unreadable:
    try:
        return reports.read_report(raw)
    except Unreadable as wrong:
        return wrong


def _kept_of(device_id: int, read: Sequence[Report | Unreadable]) -> Sequence[_Kept]:
    """What was written down before under an id or a number of these."""
    told = [report for report in read if isinstance(report, Report)]
    ids, numbers = [report.event_id for report in told], [report.seq for report in told]
    return current().execute(
        select(GateEvent.id, GateEvent.event_id, GateEvent.seq)
        .where(GateEvent.device_id == device_id)
        .where(GateEvent.event_id.in_(ids) | GateEvent.seq.in_(numbers))
    ).all()  # fmt: skip


def _numbers_of(device_id: int, event_ids: Sequence[str]) -> dict[str, int]:
    known = select(GateEvent.event_id, GateEvent.seq).where(
        GateEvent.device_id == device_id, GateEvent.event_id.in_(event_ids)
    )
    return {row.event_id: row.seq for row in current().execute(known)}


def _new(receipt: _Receipt, report: Report, plate_id: int | None) -> GateEvent:
    offset = receipt.clock_offset if report.clock_offset is None else report.clock_offset
    if clocks.is_too_far_ahead(report.device_time, offset, receipt.received_at):
        raise Unreadable("device_time_in_the_future")
    event = GateEvent(
        device_id=receipt.device_id, event_id=report.event_id, seq=report.seq, type=report.type,
        direction=report.direction, plate_enc=_sealed_plate(receipt, report), plate_colour=str(report.plate_colour),
        plate_id=plate_id, device_time=report.device_time, received_at=receipt.received_at,
        clock_offset=offset, clock_suspect=abs(offset) > clocks.SUSPECT,
        event_time=clocks.corrected(report.device_time, offset, receipt.received_at),
        opened_by=report.opened_by, decision_key=report.decision_key, offline=report.offline,
        verified=receipt.verified,
        body_enc=crypto.seal(report.body, f"gate_event.body_enc:{receipt.device_id}:{report.event_id}"),
    )  # fmt: skip
    current().add(event)
    return event


def _sealed_plate(receipt: _Receipt, report: Report) -> bytes | None:
    if report.plate_raw is None:
        return None
    return crypto.seal(report.plate_raw, plate_place(receipt.device_id, report.event_id))


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
