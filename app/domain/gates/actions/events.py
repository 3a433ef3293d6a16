"""What gates report is written down before anything is thought about it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, cast

from sqlalchemy import ARRAY, BigInteger, Row, Table, Text, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import NoResultFound

from app.domain.gates.actions.messages import Caller, Replayed, spending, spent_by
from app.domain.gates.actions.recognition import Recognition
from app.domain.gates.models import GateDevice, GateEvent, GatePulse, GateRejection
from app.domain.gates.queries import Gate, Passage, clock_samples, passage_of, passages
from app.domain.gates.rules import clocks, reports
from app.domain.gates.rules.reports import Report, Unreadable
from app.domain.motorists.plates import Plate, is_unplated, plate_as_seen
from app.domain.motorists.queries import Fitting, alike, fitting_among, indices_of
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.prepared import Prepared, told_rows
from app.kernel.refusals import Invalid
from app.kernel.signatures import SignedMessage

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


_Read = Sequence[tuple[object, Report | Unreadable]]
"""Events as they were told, with what was understood of them."""


@dataclass(frozen=True)
class Count:
    """How far a gate has counted, its pulse being locked."""

    device_id: int
    contiguous_seq: int
    highest_seq: int

    @property
    def missing(self) -> int | None:
        """The first number that is missing."""
        return self.contiguous_seq + 1 if self.contiguous_seq < self.highest_seq else None


@dataclass(frozen=True)
class Receipt:
    """A batch that arrived: from which gate, whose pulse is locked in the running transaction, and when.

    `read` are its events beside what was understood of them, `fitting` the plates that may be meant by theirs.
    """

    gate: Gate
    count: Count
    received_at: datetime
    clock_offset: timedelta
    verified: bool
    read: _Read = field(repr=False)
    fitting: Fitting = field(repr=False)

    @property
    def device_id(self) -> int:
        return self.gate.id


def admit_telling(caller: Caller, message: SignedMessage, told_by: Callable[[], Sequence[object]]) -> Receipt:
    """As `admit`, for a message that tells a batch of events: it is received by the same statement.

    `told_by` reads them out of a message that may be admitted.
    """
    spent = spent_by(caller, message)
    read, index = _understood_all(told_by())
    told = _ADMITTED.first(**spent, indices=list(index.values()))
    if told is None:
        raise Replayed
    return _received(told, caller.device_id, read, index, verified=True)


def receive(device_id: int, batch: Sequence[object], verified: bool = True) -> Receipt:
    """Take a batch of events: lock the gate's pulse, and learn with it what the time is and which plates may be meant.

    Plates are as they stood when the question came; a plate that is first kept while the lock is waited for is in no
    lot yet. Nothing moves a stay that is not `verified`. The receipt is good for the running transaction.
    """
    read, index = _understood_all(batch)
    told = _RECEIVED.first(gate=device_id, indices=list(index.values()))
    if told is None:
        raise NoResultFound(f"gate {device_id}")
    return _received(told, device_id, read, index, verified)


def record(receipt: Receipt) -> Recording:
    """Write events down, each at most once, however old they are.

    The same event again is no news; another event under a used id or number is rejected, as is one that cannot be
    read. What is rejected is kept too, sealed, and its number counts as heard.
    """
    return _recorded(receipt)[0]


def record_unnumbered(device_id: int, events: Sequence[Mapping[str, Any]], verified: bool) -> list[int]:
    """Write down events of a vendor's gate, which counts nothing: each gets the next number, the same one its own.

    Returns their rows. Nothing moves a stay that is not `verified`. Refuses `UnreadableEvent`.
    """
    with transaction():
        pulse = lock_pulse(device_id)
        used = _numbers_of(device_id, [event["event_id"] for event in events])
        fresh = count(pulse.highest_seq + 1)
        numbered = [{**event, "seq": used.get(event["event_id"]) or next(fresh)} for event in events]
        recording = record(receive(device_id, numbered, verified))
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
        _advance(Count(device_id, pulse.contiguous_seq, pulse.highest_seq), [seq])


def as_arrival(raw: object) -> object:
    """An event of a gate that asks about a car, whatever it calls it."""
    return {**raw, "type": "arrived"} if isinstance(raw, dict) else raw


def record_arrival(receipt: Receipt) -> Arrival:
    """Write down the one arrival that a gate asks about. Refuses `UnreadableEvent`."""
    recording, kept = _recorded(receipt)
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


def _received(told: Any, device_id: int, batch: _Read, index: Mapping[Plate, bytes], verified: bool) -> Receipt:
    return Receipt(
        Gate(device_id, told.lot_id, told.lane, told.direction),
        Count(device_id, told.contiguous_seq, told.highest_seq),
        clock.brought(told.at), clocks.clock_offset(told.samples), verified, batch,
        fitting_among(index, told.plates),
    )  # fmt: skip


_LOCKED: Final = (
    select(
        GatePulse.contiguous_seq, GatePulse.highest_seq, GateDevice.lot_id, GateDevice.lane, GateDevice.direction,
        clock_samples(GatePulse.device_id).label("samples"), func.clock_timestamp().label("at"),
        alike().label("plates"),
    )
    .join(GateDevice, GateDevice.id == GatePulse.device_id)
    .with_for_update(of=GatePulse)
)  # fmt: skip
_RECEIVED: Final = Prepared(_LOCKED.where(GatePulse.device_id == bindparam("gate", type_=BigInteger)))
_SPENT: Final = spending().cte("spent")
_ADMITTED: Final = Prepared(_LOCKED.join(_SPENT, _SPENT.c.device_id == GatePulse.device_id))


def _understood_all(batch: Sequence[object]) -> tuple[_Read, dict[Plate, bytes]]:
    """The events of a batch with what is understood of them, and where their plates are found."""
    read = [(raw, _understood(raw)) for raw in batch]
    return read, indices_of({plate for _, report in read if (plate := _plate(report))})


def _recorded(receipt: Receipt) -> tuple[Recording, Sequence[_Kept]]:
    """The report about a batch, and its events that are written down now, in their order.

    What goes on counting is news, as a rule: what was told before is only asked where numbers say so, or an id was
    used after all.
    """
    reports_ = [report for _, report in receipt.read]
    if all(report.seq > receipt.count.highest_seq for report in reports_ if isinstance(report, Report)):
        fresh = _Batch(receipt, [])
        if fresh.is_written:
            return fresh.recording, fresh.taken
    whole = _Batch(receipt, _kept_of(receipt.device_id, reports_))
    return whole.recording, whole.taken


class _Batch:
    """Events that came together: what is known of them and of their cars is asked once, and they are written together.

    Each is `taken` or rejected, unless something else was `known` than what it was told: then it is not `is_written`.
    """

    def __init__(self, receipt: Receipt, known: Sequence[_Kept]) -> None:
        self._receipt = receipt
        self._by_id: dict[str, _Kept] = {}
        self._by_seq: dict[int, _Kept] = {}
        self._heard: set[int] = set()
        self._new: list[GateEvent] = []
        self._plates = Recognition(receipt.device_id, receipt.fitting)
        self.taken: list[_Kept] = []
        self.recording = Recording()
        for kept in known:
            self._note(kept)
        for raw, report in receipt.read:
            self._take(raw, report)
        self.is_written = self._write()

    def _take(self, raw: object, report: Report | Unreadable) -> None:
        try:
            self.taken.append(self._written(report))
        except Unreadable as wrong:
            self.recording.rejected.append(self._reject(raw, wrong.code))

    def _write(self) -> bool:
        reached = _reached(self._receipt.count, self._heard)
        if not _write(self._new, reached):
            return False
        self.recording.event_ids = [kept.id for kept in self.taken]
        self.recording.acked_seq, self.recording.want_from_seq = reached.contiguous_seq, reached.missing
        return True

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
        self._heard.add(kept.seq)
        return kept

    def _plate_id(self, report: Report) -> int | None:
        plate = _plate(report)
        return None if plate is None else self._plates.of(plate)

    def _reject(self, raw: object, code: str) -> Rejection:
        rejection = _rejected(self._receipt, raw, code)
        if rejection.seq is not None:
            self._heard.add(rejection.seq)
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


def _new(receipt: Receipt, report: Report, plate_id: int | None) -> GateEvent:
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


def _write(events: Sequence[GateEvent], reached: Count) -> bool:
    """Write new events and the gate's count down by one statement, however many; each has its row's id afterwards.

    Says no where an id was used before: that event is not written.
    """
    count = {"gate": reached.device_id, "contiguous": reached.contiguous_seq, "highest": reached.highest_seq}
    if not events:
        _REACHED.run(**count)
        return True
    if len(events) == 1:
        rows = _NEW_EVENT.all(**{name: getattr(events[0], name) for name in _WRITTEN}, **count)
    else:
        rows = _NEW_EVENTS.all(**{name: [getattr(event, name) for event in events] for name in _WRITTEN}, **count)
    ids = {row.seq: row.id for row in rows}
    if len(ids) < len(events):
        return False
    for event in events:
        event.id = ids[event.seq]
    return True


_PULSES: Final = cast("Table", GatePulse.__table__)
_COUNT: Final = (
    update(_PULSES)
    .where(_PULSES.c.device_id == bindparam("gate"))
    .values(contiguous_seq=bindparam("contiguous"), highest_seq=bindparam("highest"))
)
_REACHED: Final = Prepared(_COUNT)


_EVENTS: Final = cast("Table", GateEvent.__table__)
_WRITTEN: Final = [column.name for column in _EVENTS.columns if column.name not in {"id", "forgotten_at"}]


def _counted(new: Insert) -> Prepared:
    news = new.on_conflict_do_nothing().returning(_EVENTS.c.id, _EVENTS.c.seq)
    return Prepared(news.add_cte(_COUNT.cte("counted")))


_NEW_EVENT: Final = _counted(insert(_EVENTS).values({name: bindparam(name) for name in _WRITTEN}))
"""A car at the barrier tells one event: lists of one would take the driver as long as all else of a decision."""
_NEW_EVENTS: Final = _counted(insert(_EVENTS).from_select(_WRITTEN, told_rows(_EVENTS, _WRITTEN)))


def _sealed_plate(receipt: Receipt, report: Report) -> bytes | None:
    if report.plate_raw is None:
        return None
    return crypto.seal(report.plate_raw, plate_place(receipt.device_id, report.event_id))


def _rejected(receipt: Receipt, raw: object, code: str) -> Rejection:
    seq = reports.seq_of(raw)
    if seq is not None:
        body = crypto.seal(reports.text_of(raw), rejection_place(receipt.device_id, seq))
        row = insert(GateRejection).values(
            device_id=receipt.device_id, seq=seq, code=code, body_enc=body, received_at=receipt.received_at
        )
        current().execute(row.on_conflict_do_nothing())
    event_id = raw.get("event_id") if isinstance(raw, dict) else None
    return Rejection(event_id if isinstance(event_id, str) else None, seq, code)


def _advance(before: Count, heard: Collection[int]) -> None:
    """Let the pulse follow what was heard."""
    _write([], _reached(before, heard))


def _reached(before: Count, heard: Collection[int]) -> Count:
    """How far the gate has counted now; only while something is missing may later numbers lie there already."""
    known = _numbers_after(before.device_id, before.contiguous_seq) if before.missing else set[int]()
    return Count(
        before.device_id, reports.contiguous(before.contiguous_seq, known | set(heard)),
        max([before.highest_seq, *heard]),
    )  # fmt: skip


def _numbers_after(device_id: int, seq: int) -> set[int]:
    recorded = select(GateEvent.seq).where(GateEvent.device_id == device_id, GateEvent.seq > seq)
    rejected = select(GateRejection.seq).where(GateRejection.device_id == device_id, GateRejection.seq > seq)
    return {*current().scalars(recorded), *current().scalars(rejected)}
