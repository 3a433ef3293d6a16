"""What happens at gates: reservations, entries, exits."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.domain.gates import actions as gates
from app.domain.gates.models import GateDevice
from app.domain.gates.queries import passages
from app.domain.lots.models import Lot
from app.domain.motorists.plates import Plate
from app.domain.reservations import actions as reservations
from app.domain.reservations.models import Reservation
from app.domain.stays import actions as stays
from app.domain.stays.models import Stay
from app.kernel import clock
from app.kernel.db import transaction
from tests.world.city import ACTOR
from tests.world.motorists import Driver


def reservation_ready_to_cancel(who: Driver, lot: Lot, hours: float = 2) -> Reservation:
    """A confirmed reservation that begins in an hour."""
    begins_at = clock.now() + timedelta(hours=1)
    return reservations.reserve(who.id, who.vehicle_key, lot.key, begins_at, begins_at + timedelta(hours=hours))


def gate(lot: Lot, direction: str = "in") -> GateDevice:
    """One lane's gate."""
    return gates.install_gate(lot.id, f"示例道闸{secrets.token_hex(3)}", "1", direction, ACTOR)


_numbers: dict[int, int] = {}


def gate_event(device: GateDevice, plate: Plate | None, at: datetime, type_: str = "passed") -> int:
    """A gate's event, stored as the door stores it; returns its row."""
    number = _numbers[device.id] = _numbers.get(device.id, 0) + 1
    told = {
        "event_id": f"E{device.id}-{number}", "seq": number, "type": type_,
        "plate_raw": plate.characters if plate else "_无_", "plate_color": plate.colour if plate else "unknown",
        "device_time": at.isoformat(), "lane": "1",
    }  # fmt: skip
    return recorded(device, [told])[0]


def recorded(device: GateDevice, batch: Sequence[Mapping[str, Any]]) -> list[int]:
    """The rows of events that a gate told together."""
    with transaction():
        return gates.record(gates.receive(device.id, batch)).event_ids


def ask(device: GateDevice, plate: Plate | None) -> Any:
    """A car stands at the gate now; what the gate is told."""
    passage = passages([gate_event(device, plate, clock.now(), "arrived")])[0]
    return gates.decide_once(gates.Arrival(passage, is_new=True), lambda: stays.decide(passage)).decision


def drive(device: GateDevice, plate: Plate | None, at: datetime | None = None) -> int:
    """A car passes the gate (now, if not told otherwise) and the passage is understood; returns the event's row."""
    event_id = gate_event(device, plate, at or clock.now())
    stays.project([event_id])
    return event_id


def parked_stay(who: Driver, entrance: GateDevice) -> Stay:
    """A car that drove in just now without a reservation; its motorist scanned the code on the barrier's screen."""
    told = ask(entrance, who.plate)
    assert told.decision == "open"
    drive(entrance, who.plate)
    return stays.adopt(who.id, told.charge["code"])
