"""A car-park's own system is served turn by turn: what drove through, what it holds, what it lacks.

It is one device whose list is its live reservations. Each turn asks before it tells, so that a word whose answer was
lost is found out and never said twice; whatever the system forgot or refused shows as a difference anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from app.adapters.gates.isecure import Crossing, ParkAccount
from app.adapters.gates.words import Habits, Step
from app.domain.gates.actions.events import lock_pulse, record_unnumbered
from app.domain.gates.actions.vendor_lists import next_step
from app.domain.gates.models import GateDevice, ParkSystem, VendorGate, VendorList
from app.domain.motorists.plates import ColourScheme, colour_from
from app.kernel import clock, crypto
from app.kernel.db import current, transaction

EVERY: Final = timedelta(seconds=10)
SOON: Final = timedelta(seconds=1)
TURN_LASTS: Final = timedelta(seconds=60)
"""Whoever took a turn and died gives it up after this."""

LATE_RECORDS: Final = timedelta(minutes=30)
"""Each turn reads so far back: barriers tell their system late."""

LATEST_RECORDS: Final = timedelta(hours=25)
"""And so far once an hour."""

AHEAD: Final = timedelta(hours=1)
"""A system whose clock is fast writes records of the future; they count as of now."""

HABITS: Final = Habits(puts=20, drops=20, reads_back=False, can=frozenset())


@dataclass(frozen=True)
class Turn:
    """One system to be served now: crossings since then are wanted; `mark` names this question about its list."""

    device_id: int
    account: ParkAccount = field(repr=False)
    since: datetime
    until: datetime
    mark: datetime


def take_turn() -> Turn | None:
    """The system that is due longest, for whoever takes it first; `None` when none is due."""
    with transaction() as session:
        now = clock.now()
        found = session.execute(
            select(ParkSystem, VendorGate)
            .join(VendorGate, VendorGate.device_id == ParkSystem.device_id)
            .join(GateDevice, GateDevice.id == ParkSystem.device_id)
            .where(GateDevice.enabled, ParkSystem.due_at <= now)
            .order_by(ParkSystem.due_at).limit(1)
            .with_for_update(of=ParkSystem, skip_locked=True)
        ).one_or_none()  # fmt: skip
        if found is None:
            return None
        system, vendor = found
        system.due_at = now + TURN_LASTS
        session.get_one(VendorList, system.device_id, with_for_update=True, populate_existing=True).asked_at = now
        return Turn(system.device_id, _account(system, vendor), _since(system, now), now + AHEAD, now)


def take_crossings(device_id: int, crossings: Sequence[Crossing]) -> list[int]:
    """Write down what drove through, each car once however often it is read; returns the rows of the passages."""
    with transaction() as session:
        now, pulse = clock.now(), lock_pulse(device_id)
        rows = record_unnumbered(device_id, [_passage(crossing) for crossing in crossings], verified=True)
        session.get_one(ParkSystem, device_id).read_until = now
        pulse.seen_at, pulse.mode, pulse.reported_until = now, "online", now
        return rows


def next_change(device_id: int) -> Step | None:
    """What this system lacks or should no longer hold, noted as told; a few at a time."""
    return next_step(device_id, HABITS)


def end_turn(device_id: int, *, soon: bool) -> None:
    """The next turn comes after ten seconds, or at once where something was told: it must be read back."""
    with transaction() as session:
        system = session.get_one(ParkSystem, device_id, with_for_update=True)
        system.due_at = min(system.due_at, clock.now() + (SOON if soon else EVERY))
        session.get_one(VendorList, device_id, with_for_update=True).asked_at = None


def hurry(device_id: int) -> None:
    """The system says that something happened. That is not believed, but asked about at once."""
    with transaction() as session:
        system = session.get_one(ParkSystem, device_id, with_for_update=True)
        system.due_at = min(system.due_at, clock.now())


def know_park_system(device_id: int, app_key: str, secret: str) -> None:
    """By which key a system that was just registered knows us; what drove through before is none of ours."""
    now, sealed = clock.now(), crypto.seal(secret, _place(device_id))
    current().add(ParkSystem(device_id=device_id, app_key=app_key, secret_enc=sealed, read_until=now, due_at=now))
    current().flush()


def _account(system: ParkSystem, vendor: VendorGate) -> ParkAccount:
    secret = crypto.unseal(system.secret_enc, _place(system.device_id))
    return ParkAccount(vendor.web_url or "", vendor.serial, system.app_key, secret.encode())


def _since(system: ParkSystem, now: datetime) -> datetime:
    an_hour_began = system.read_until.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) <= now
    return system.read_until - (LATEST_RECORDS if an_hour_began else LATE_RECORDS)


def _passage(crossing: Crossing) -> dict[str, object]:
    return {
        "event_id": f"is-{crossing.number}", "type": "passed", "direction": crossing.direction,
        "plate_raw": crossing.plate, "plate_color": str(colour_from(ColourScheme.HANGZHOU, crossing.colour)),
        "device_time": crossing.at.isoformat(), "clock_offset": 0,
        "opened_by": "manual" if crossing.manual else "local_list",
    }  # fmt: skip


def _place(device_id: int) -> str:
    return f"park_system.secret_enc:{device_id}"
