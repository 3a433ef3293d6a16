"""What gates report is written down before anything is thought about it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, cast

from sqlalchemy import ARRAY, BigInteger, Row, Table, Text, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import NoResultFound

from app.domain.gates.actions.recognition import Recognition
from app.domain.gates.models import GateDevice, GateEvent, GatePulse, GateRejection
from app.domain.gates.queries import Gate, Passage, clock_samples, passage_of, passages
from app.domain.gates.rules import clocks, reports
from app.domain.gates.rules.reports import Report, Unreadable
from app.domain.motorists.plates import Plate, is_unplated, plate_as_seen
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.prepared import Prepared
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
class Arrival:
    """A car at a barrier, written down; `is_new` when nobody told of it before: then nothing was decided about it."""

    passage: Passage
    is_new: bool


_Kept = GateEvent | Row[int, str, int]
"""An event that is written down, with its row's id, its own id and its number."""


@dataclass(frozen=True)
class _Count:
    """How far a gate has counted, its pulse being locked."""

    device_id: int
    contiguous_seq: int
    highest_seq: int

    @property
    def missing(self) -> int | None:
        """The first number that is missing."""
        return self.contiguous_seq + 1 if self.contiguous_seq < self.highest_seq else None


@dataclass(frozen=True)
class _Receipt:
    """The circumstances in which a batch arrived: from which gate, whose pulse is locked, and when."""

    gate: Gate
    count: _Count
    received_at: datetime
    clock_offset: timedelta
    verified: bool

    @property
    def device_id(self) -> int:
        return self.gate.id


def record(device_id: int, batch: Sequence[object], verified: bool = True) -> Recording:
    """Write events down, each at most once, however old they are.

    The same event again is no news; another event under a used id or number is rejected, as is one that cannot be
    read. What is rejected is kept too, sealed, and its number counts as heard. Nothing moves a stay that is not
    `verified`.
    """
    with transaction():
        return _recorded(_receive(device_id, verified), batch)[0]


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
        _advance(_Count(device_id, pulse.contiguous_seq, pulse.highest_seq), [seq])


def record_arrival(device_id: int, raw: object) -> Arrival:
    """Write down the arrival that a gate asks about. Refuses `UnreadableEvent`."""
    told = {**raw, "type": "arrived"} if isinstance(raw, dict) else raw
    with transaction():
        receipt = _receive(device_id, verified=True)
        recording, kept = _recorded(receipt, [told])
        if recording.rejected:
            raise UnreadableEvent(event=recording.rejected[0].code)
        if isinstance(kept[0], GateEvent):
            return Arrival(passage_of(kept[0], receipt.gate), is_new=True)
        arrival = Arrival(passages(recording.event_ids)[0], is_new=False)
        if arrival.passage.type != "arrived":
            raise UnreadableEvent(event="event_id_reused")
        return arrival


def lock_pulse(device_id: int) -> GatePulse:
    """One message of a gate is written down at a time; nothing else waits for this lock."""
    return current().get_one(GatePulse, device_id, with_for_update=True, populate_existing=True)


def plate_place(device_id: int, event_id: str) -> str:
    """Where an event's plate lies."""
    return f"gate_event.plate_enc:{device_id}:{event_id}"


def rejection_place(device_id: int, seq: int) -> str:
    """Where a rejected message lies."""
    return f"gate_rejection.body_enc:{device_id}:{seq}"


def _receive(device_id: int, verified: bool) -> _Receipt:
    """Lock the gate's pulse, and learn with it what the time is and how far the gate's clock stands from it."""
    told = _RECEIPT.first(device_id=device_id)
    if told is None:
        raise NoResultFound(f"gate {device_id}")
    return _Receipt(
        Gate(device_id, told.lot_id, told.lane, told.direction),
        _Count(device_id, told.contiguous_seq, told.highest_seq),
        clock.brought(told.at), clocks.clock_offset(told.samples), verified,
    )  # fmt: skip


_RECEIPT: Final = Prepared(
    select(
        GatePulse.contiguous_seq, GatePulse.highest_seq, GateDevice.lot_id, GateDevice.lane, GateDevice.direction,
        clock_samples(GatePulse.device_id).label("samples"), func.clock_timestamp().label("at"),
    )
    .join(GateDevice, GateDevice.id == GatePulse.device_id)
    .where(GatePulse.device_id == bindparam("device_id"))
    .with_for_update(of=GatePulse)
)  # fmt: skip


def _recorded(receipt: _Receipt, batch: Sequence[object]) -> tuple[Recording, Sequence[_Kept]]:
    """The report about a batch, and its events that are written down now, in their order."""
    written = _Batch(receipt, batch)
    recording, kept = written.recorded()
    reached = _advance(receipt.count, written.heard)
    recording.acked_seq, recording.want_from_seq = reached.contiguous_seq, reached.missing
    return recording, kept


class _Batch:
    """Events that came together: what is known of them and of their cars is asked once, and they are written together.

    `heard` are the numbers that are accounted for now.
    """

    def __init__(self, receipt: _Receipt, batch: Sequence[object]) -> None:
        self._receipt = receipt
        self._read = [(raw, _understood(raw)) for raw in batch]
        self._by_id: dict[str, _Kept] = {}
        self._by_seq: dict[int, _Kept] = {}
        self._new: list[GateEvent] = []
        self._plates = Recognition(receipt.device_id, [plate for _, report in self._read if (plate := _plate(report))])
        self.heard: set[int] = set()

    def recorded(self) -> tuple[Recording, Sequence[_Kept]]:
        """All of them, written down or rejected."""
        recording, taken = Recording(), list[_Kept]()
        for kept in _kept_of(self._receipt.device_id, [report for _, report in self._read]):
            self._note(kept)
        for raw, report in self._read:
            try:
                taken.append(self._written(report))
            except Unreadable as wrong:
                recording.rejected.append(self._reject(raw, wrong.code))
        _write(self._new)
        recording.event_ids = [kept.id for kept in taken]
        return recording, taken

    def _written(self, report: Report | Unreadable) -> _Kept:
        if isinstance(report, Unreadable):
            raise report
        known = self._known(report)
        if known is not None:
            return known
        event = _new(self._receipt, report, self._plate_id(report))
        self._new.append(event)
        return self._note(event)

    def _known(self, report: Report) -> _Kept | None:
        numbered, named = self._by_seq.get(report.seq), self._by_id.get(report.event_id)
        if numbered is not None and numbered.event_id != report.event_id:
            raise Unreadable("seq_reused")
        if named is not None and named.seq != report.seq:
            raise Unreadable("event_id_reused")
        return named

    def _note(self, kept: _Kept) -> _Kept:
        self._by_id[kept.event_id] = self._by_seq[kept.seq] = kept
        self.heard.add(kept.seq)
        return kept

    def _plate_id(self, report: Report) -> int | None:
        plate = _plate(report)
        return None if plate is None else self._plates.of(plate)

    def _reject(self, raw: object, code: str) -> Rejection:
        rejection = _rejected(self._receipt, raw, code)
        if rejection.seq is not None:
            self.heard.add(rejection.seq)
        return rejection


def _plate(report: Report | Unreadable) -> Plate | None:
    if isinstance(report, Unreadable) or report.plate_raw is None or is_unplated(report.plate_raw):
        return None
    return plate_as_seen(report.plate_raw, report.plate_colour)


def _understood(raw: object) -> Report | Unreadable:
    try:
        return reports.read_report(raw)
    except Unreadable as wrong:
        return wrong


def _kept_of(device_id: int, read: Sequence[Report | Unreadable]) -> Sequence[_Kept]:
    """What was written down before under an id or a number of these."""
    told = [report for report in read if isinstance(report, Report)]
    ids, numbers = [report.event_id for report in told], [report.seq for report in told]
    return _KEPT.all(device_id=device_id, ids=ids, numbers=numbers)


_KEPT: Final = Prepared(
    select(GateEvent.id, GateEvent.event_id, GateEvent.seq)
    .where(GateEvent.device_id == bindparam("device_id"))
    .where(
        (GateEvent.event_id == any_(bindparam("ids", type_=ARRAY(Text))))
        | (GateEvent.seq == any_(bindparam("numbers", type_=ARRAY(BigInteger))))
    )
)


def _numbers_of(device_id: int, event_ids: Sequence[str]) -> dict[str, int]:
    known = select(GateEvent.event_id, GateEvent.seq).where(
        GateEvent.device_id == device_id, GateEvent.event_id.in_(event_ids)
    )
    return {row.event_id: row.seq for row in current().execute(known)}


def _new(receipt: _Receipt, report: Report, plate_id: int | None) -> GateEvent:
    offset = receipt.clock_offset if report.clock_offset is None else report.clock_offset
    if clocks.is_too_far_ahead(report.device_time, offset, receipt.received_at):
        raise Unreadable("device_time_in_the_future")
    return GateEvent(
        device_id=receipt.device_id, event_id=report.event_id, seq=report.seq, type=report.type,
        direction=report.direction, plate_enc=_sealed_plate(receipt, report), plate_colour=str(report.plate_colour),
        plate_id=plate_id, device_time=report.device_time, received_at=receipt.received_at,
        clock_offset=offset, clock_suspect=abs(offset) > clocks.SUSPECT,
        event_time=clocks.corrected(report.device_time, offset, receipt.received_at),
        opened_by=report.opened_by, decision_key=report.decision_key, offline=report.offline,
        verified=receipt.verified,
        body_enc=crypto.seal(report.body, f"gate_event.body_enc:{receipt.device_id}:{report.event_id}"),
    )  # fmt: skip


def _write(events: Sequence[GateEvent]) -> None:
    """Write new events down by one statement, however many; each has its row's number afterwards."""
    if not events:
        return
    columns = {name: [getattr(event, name) for event in events] for name in _WRITTEN}
    numbers = {row.seq: row.id for row in _NEW_EVENTS.all(**columns)}
    for event in events:
        event.id = numbers[event.seq]


_EVENTS: Final = cast("Table", GateEvent.__table__)
_WRITTEN: Final = [column.name for column in _EVENTS.columns if column.name != "id"]
_TOLD: Final = func.unnest(
    *(bindparam(name, type_=ARRAY(_EVENTS.c[name].type)) for name in _WRITTEN)
).table_valued(*_WRITTEN).render_derived()  # fmt: skip
_NEW_EVENTS: Final = Prepared(
    insert(_EVENTS).from_select(_WRITTEN, select(*_TOLD.c)).returning(_EVENTS.c.id, _EVENTS.c.seq)
)


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


def _advance(before: _Count, heard: Collection[int]) -> _Count:
    """Let the pulse follow what was heard; only while something is missing may later numbers lie there already."""
    known = _numbers_after(before.device_id, before.contiguous_seq) if before.missing else set[int]()
    reached = _Count(
        before.device_id, reports.contiguous(before.contiguous_seq, known | set(heard)),
        max([before.highest_seq, *heard]),
    )  # fmt: skip
    if reached != before:
        _REACHED.run(gate=reached.device_id, contiguous=reached.contiguous_seq, highest=reached.highest_seq)
    return reached


_REACHED: Final = Prepared(
    update(cast("Table", GatePulse.__table__))
    .where(GatePulse.device_id == bindparam("gate"))
    .values(contiguous_seq=bindparam("contiguous"), highest_seq=bindparam("highest"))
)


def _numbers_after(device_id: int, seq: int) -> set[int]:
    recorded = select(GateEvent.seq).where(GateEvent.device_id == device_id, GateEvent.seq > seq)
    rejected = select(GateRejection.seq).where(GateRejection.device_id == device_id, GateRejection.seq > seq)
    return {*current().scalars(recorded), *current().scalars(rejected)}
