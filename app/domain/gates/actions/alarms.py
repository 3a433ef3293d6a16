"""Somebody is told when a car may soon stand before a gate that does not know it."""

from sqlalchemy import select

from app.domain.gates.actions.lists import refresh_whitelist
from app.domain.gates.models import GateDevice
from app.domain.gates.queries.readiness import gates_to_compare, readiness, unready
from app.domain.lots.queries import place_of
from app.domain.tasks.actions import open_task, settle_tasks
from app.domain.tasks.models import Task
from app.kernel.db import current, transaction

KIND = "gate_not_ready"


def watch_readiness() -> int:
    """Open a task for each promise that an entrance has not acknowledged `gate_alarm_minutes` before the arrival.

    The lists in question are compared first, so that one missed job is no alarm. A task whose cause is gone is
    settled. Returns how many promises are alarmed about now.
    """
    for device_id in gates_to_compare():
        refresh_whitelist(device_id)
    with transaction():
        found = {late.claim_id: late for late in unready()}
        for late in found.values():
            gate = current().get_one(GateDevice, late.device_id)
            open_task(
                KIND, "bay_claim", late.claim_id, {"gate": str(gate.key)}, place=place_of(late.lot_id),
                due_at=late.begins_at,
            )  # fmt: skip
        _settle(set(found))
        return len(found)


def _settle(still: set[int]) -> None:
    opened = select(Task.subject_id).where(Task.kind == KIND, Task.closed_at.is_(None))
    gone = [claim_id for claim_id in current().scalars(opened) if claim_id not in still]
    ready = readiness(gone)
    for claim_id in gone:
        settle_tasks(KIND, "bay_claim", claim_id, "道闸已确认名单" if ready.get(claim_id) else "车辆已不再等待入场")
