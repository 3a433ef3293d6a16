"""What can be asked of the gates; nothing here writes."""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Interval,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    case,
    func,
    join,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import distinct_on

from app.domain.claims.models import LIVE, BayClaim
from app.domain.gates.models import (
    GateClockSample,
    GateCommand,
    GateDevice,
    GateEvent,
    GateList,
    GatePulse,
    WhitelistRow,
)
from app.domain.gates.rules import clocks
from app.domain.gates.rules.lists import LIST_REACH, ListRow, wire_time
from app.domain.lots.models import Bay, Lot
from app.domain.lots.queries.places import within
from app.domain.motorists.models import NumberPlate
from app.domain.motorists.queries import plate_characters
from app.domain.staff.rules import Actor, reach
from app.kernel import clock, crypto
from app.kernel.db import current, transaction

SAMPLES = 5


@dataclass(frozen=True)
class DesiredRow:
    """A claim as a gate should know it; `not_after` is `None` while the car is inside."""

    claim_id: int
    plate_id: int
    direction: str
    not_before: datetime
    not_after: datetime | None


@dataclass(frozen=True)
class ListChange:
    """A row of a gate's list that must go, one that must come, or both under the same name."""

    row_id: int | None
    row_key: uuid.UUID | None
    wanted: DesiredRow | None


@dataclass(frozen=True)
class Gate:
    """Where a gate stands: what its events say nothing of."""

    id: int
    lot_id: int
    lane: str
    direction: str


@dataclass(frozen=True)
class Passage:
    """One event as the rooms above need it (过车). `plate_raw` is what the camera read, not what is true.

    `id` is the event's row, `event_id` the gate's own name for it.
    `direction` is in, out, or `None` where a gate that leads both ways did not say which: a person must look.
    """

    id: int
    event_id: str
    device_id: int
    lot_id: int
    lane: str
    type: str
    direction: str | None
    plate_raw: str | None
    plate_colour: str | None
    plate_id: int | None
    event_time: datetime
    received_at: datetime
    clock_suspect: bool
    opened_by: str | None
    decision_key: uuid.UUID | None
    offline: bool
    verified: bool
    reason_told: bool
    """Of an arm raised by hand: whether it was told by whom and why."""


@dataclass(frozen=True)
class ListedGate:
    """A gate as staff see it: which list it should hold, and which one it was proved to hold."""

    lot: str
    name: str
    profile: str
    direction: str
    enabled: bool
    seen_at: datetime | None
    desired_version: int
    acked_version: int
    key: uuid.UUID


def list_gates(by: Actor) -> list[ListedGate]:
    """The gates within this person's reach, lot by lot."""
    with transaction() as session:
        rows = session.execute(
            select(GateDevice, Lot.name, GatePulse.seen_at, GateList)
            .join(Lot, Lot.id == GateDevice.lot_id)
            .join(GatePulse, GatePulse.device_id == GateDevice.id)
            .join(GateList, GateList.device_id == GateDevice.id)
            .where(within(reach(by, "gates.see")))
            .order_by(Lot.id, GateDevice.id)
        )
        return [
            ListedGate(
                lot, gate.name, gate.profile, gate.direction, gate.enabled, seen_at, listed.desired_version,
                listed.acked_version, gate.key,
            )
            for gate, lot, seen_at, listed in rows
        ]  # fmt: skip


def passages(event_ids: Collection[int]) -> list[Passage]:
    """Events by their rows, in order of the corrected time at which they happened."""
    with transaction() as session:
        found = session.execute(
            select(GateEvent, GateDevice)
            .join(GateDevice, GateDevice.id == GateEvent.device_id)
            .where(GateEvent.id.in_(event_ids))
            .order_by(GateEvent.event_time, GateEvent.device_id, GateEvent.seq)
        )
        return [passage_of(event, device) for event, device in found]


def passage_of(event: GateEvent, device: Gate | GateDevice) -> Passage:
    """An event of a gate."""
    place = f"gate_event.plate_enc:{event.device_id}:{event.event_id}"
    return Passage(
        id=event.id, event_id=event.event_id, device_id=device.id, lot_id=device.lot_id, lane=device.lane,
        type=event.type,
        direction=_direction(event, device),
        plate_raw=None if event.plate_enc is None else crypto.unseal(event.plate_enc, place),
        plate_colour=event.plate_colour, plate_id=event.plate_id, event_time=event.event_time,
        received_at=event.received_at, clock_suspect=event.clock_suspect, opened_by=event.opened_by,
        decision_key=event.decision_key, offline=event.offline, verified=event.verified,
        reason_told=event.type == "manual_open" and _says(event, "operator", "reason"),
    )  # fmt: skip


def gate_events(device_id: int) -> list[int]:
    """All events of one gate, by the gate's own count."""
    with transaction() as session:
        ids = select(GateEvent.id).where(GateEvent.device_id == device_id).order_by(GateEvent.seq)
        return list(session.scalars(ids))


def gates_of(lot_id: int) -> list[int]:
    """The enabled gates of a lot."""
    with transaction() as session:
        enabled = select(GateDevice.id).where(GateDevice.lot_id == lot_id, GateDevice.enabled)
        return list(session.scalars(enabled.order_by(GateDevice.id)))


def reported_until(lot_id: int) -> datetime | None:
    """The moment up to which every enabled gate of a lot has told all it saw; `None` while one never did.

    A fee is final once this lies past the exit.
    """
    with transaction() as session:
        return session.scalar(select(told_until(lot_id)))


def told_until(lot_id: int | SQLColumnExpression[int]) -> ScalarSelect[datetime]:
    """The same of a lot that a statement names."""
    all_told = func.count() == func.count(GatePulse.reported_until)
    return (
        select(case((all_told, func.min(GatePulse.reported_until))))
        .join(GateDevice, GateDevice.id == GatePulse.device_id)
        .where(GateDevice.lot_id == lot_id, GateDevice.enabled)
        .scalar_subquery()
    )


def clock_offset(device_id: int) -> timedelta:
    """What must be added to a gate's clock: the median of its last five heartbeats."""
    with transaction() as session:
        return clocks.clock_offset(session.execute(select(clock_samples(device_id))).scalar_one())


def clock_samples(device_id: int | SQLColumnExpression[int]) -> ColumnElement[Sequence[timedelta]]:
    """What the last five heartbeats of a gate said of its clock, the newest first."""
    newest = (
        select(GateClockSample.clock_offset)
        .where(GateClockSample.device_id == device_id)
        .order_by(GateClockSample.at.desc(), GateClockSample.id.desc())
        .limit(SAMPLES)
        .correlate_except(GateClockSample)
    )
    return func.array(newest.scalar_subquery(), type_=ARRAY(Interval))


def gates_with_commands(device_ids: Collection[int]) -> set[int]:
    """Which of these gates have a command waiting; one query for all that poll in a process."""
    with transaction() as session:
        waiting = select(GateCommand.device_id).where(
            GateCommand.device_id.in_(device_ids), GateCommand.state == "pending"
        )
        return set(session.scalars(waiting))


def desired_rows(device_id: int) -> list[DesiredRow]:
    """The whitelist that a gate should hold: claims of its lot that admit a car within the next 48 hours.

    A car inside is listed at the gates that lead out, without end; it leaves when its stay ends.
    """
    with transaction() as session:
        return [DesiredRow(*row) for row in session.execute(_desired(device_id))]


def list_changes(device_id: int) -> list[ListChange]:
    """Where a gate's newest list and what it should hold differ.

    The database finds it: a list that is right costs one statement, however long it is.
    """
    listed = (
        select(WhitelistRow)
        .where(WhitelistRow.device_id == device_id, WhitelistRow.removed_version.is_(None))
        .subquery("listed")
    )
    with transaction() as session:
        desired = _desired(device_id).subquery("desired")
        has, wants = listed.c, desired.c
        differing = or_(
            has.id.is_(None), wants.claim_id.is_(None), has.plate_id != wants.plate_id,
            has.direction != wants.direction, has.not_before != wants.not_before,
            has.not_after.is_distinct_from(wants.not_after),
        )  # fmt: skip
        both = join(listed, desired, has.claim_id == wants.claim_id, full=True)
        found = session.execute(select(has.id, has.row_key, *wants).select_from(both).where(differing))
        return [
            ListChange(row_id, row_key, None if wanted[0] is None else DesiredRow(*wanted))
            for row_id, row_key, *wanted in found
        ]


def known_to_lot(device_id: int, plate_ids: Collection[int]) -> set[int]:
    """Which of these plates the lot of a gate expects, by a live claim, or holds: its last passage there led in."""
    with transaction() as session:
        lot_id = session.scalars(select(GateDevice.lot_id).where(GateDevice.id == device_id)).one()
        claimed = (
            select(BayClaim.plate_id)
            .join(Bay, Bay.id == BayClaim.bay_id)
            .where(Bay.lot_id == lot_id, text(LIVE), BayClaim.plate_id.in_(plate_ids))
        )
        inside = (row.plate_id for row in session.execute(_last_passages(lot_id, plate_ids)) if row.direction == "in")
        return {plate_id for plate_id in (*session.scalars(claimed), *inside) if plate_id is not None}


def _last_passages(lot_id: int, plate_ids: Collection[int]) -> Select[int | None, str]:
    return (
        select(GateEvent.plate_id, func.coalesce(GateEvent.direction, GateDevice.direction).label("direction"))
        .join(GateDevice, GateDevice.id == GateEvent.device_id)
        .where(GateDevice.lot_id == lot_id, GateEvent.type == "passed", GateEvent.plate_id.in_(plate_ids))
        .where(GateEvent.verified)
        .ext(distinct_on(GateEvent.plate_id))
        .order_by(GateEvent.plate_id, GateEvent.event_time.desc())
    )


def rows_at(device_id: int, version: int) -> list[ListRow]:
    """A gate's whole list at one version, as it goes over the wire."""
    removed = WhitelistRow.removed_version
    return _rows(device_id, (WhitelistRow.added_version <= version) & (removed.is_(None) | (removed > version)))


def rows_since(device_id: int, version: int) -> list[ListRow]:
    """The rows that are new or changed since a version."""
    return _rows(device_id, (WhitelistRow.added_version > version) & WhitelistRow.removed_version.is_(None))


def gone_since(device_id: int, version: int) -> list[uuid.UUID]:
    """The rows that a gate with this version still has and should not have."""
    with transaction() as session:
        of_gate = WhitelistRow.device_id == device_id
        listed = select(WhitelistRow.row_key).where(of_gate, WhitelistRow.removed_version.is_(None))
        gone = select(WhitelistRow.row_key).where(of_gate, WhitelistRow.removed_version > version)
        return list(session.scalars(gone.where(WhitelistRow.row_key.not_in(listed)).distinct()))


def _rows(device_id: int, wanted: ColumnElement[bool]) -> list[ListRow]:
    with transaction() as session:
        found = session.execute(
            select(WhitelistRow, NumberPlate)
            .join(NumberPlate, NumberPlate.id == WhitelistRow.plate_id)
            .where(WhitelistRow.device_id == device_id, wanted)
        )
        return sorted((_listed(row, plate) for row, plate in found), key=lambda row: row.row_id)


def _listed(row: WhitelistRow, plate: NumberPlate) -> ListRow:
    return ListRow(
        row_id=str(row.row_key), plate=plate_characters(plate), colour=plate.colour,
        not_before=wire_time(row.not_before), not_after=wire_time(row.not_after), direction=row.direction,
    )  # fmt: skip


def _desired(device_id: int) -> Select[Any]:
    """The columns of `DesiredRow`."""
    moment = clock.now()
    gate = current().execute(select(GateDevice.lot_id, GateDevice.direction).where(GateDevice.id == device_id)).one()
    inside = BayClaim.state == "in_use"
    awaited = (BayClaim.state == "confirmed") & (BayClaim.admit_until > moment)
    return (
        select(
            BayClaim.id.label("claim_id"), BayClaim.plate_id, case((inside, "out"), else_="both").label("direction"),
            BayClaim.admit_from.label("not_before"),
            case((inside, None), else_=BayClaim.admit_until).label("not_after"),
        )
        .join(Bay, Bay.id == BayClaim.bay_id)
        .where(Bay.lot_id == gate.lot_id, text(LIVE), BayClaim.plate_id.is_not(None))
        .where(BayClaim.admit_from < moment + LIST_REACH, awaited if gate.direction == "in" else awaited | inside)
    )  # fmt: skip


def picture_of(event_id: int) -> str | None:
    """The gate's own reference of an event's pictures, where it told one."""
    with transaction() as session:
        return _text(_body(session.get_one(GateEvent, event_id)), "image_ref")


def _says(event: GateEvent, *names: str) -> bool:
    body = _body(event)
    return all(_text(body, name) for name in names)


def _body(event: GateEvent) -> Mapping[str, Any]:
    """The event as it was told; nothing of it once it was forgotten."""
    if event.body_enc is None:
        return {}
    told = json.loads(crypto.unseal(event.body_enc, f"gate_event.body_enc:{event.device_id}:{event.event_id}"))
    return told if isinstance(told, dict) else {}


def _text(body: Mapping[str, Any], name: str) -> str | None:
    told = body.get(name)
    return told.strip() or None if isinstance(told, str) else None


def _direction(event: GateEvent, device: Gate | GateDevice) -> str | None:
    told = event.direction or device.direction
    return None if told == "both" else told
