"""Heartbeats and free bays: absolute news, of which only the newest counts and none is kept for later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.adapters.city import Accepted, Barred, Berths, CitySystem, Heartbeat, LotState, Outcome, Refused, Unknown
from app.domain.city_feed.actions.line import locked_line, may_try, note_heard, note_unheard
from app.domain.city_feed.models import CityLot
from app.domain.city_feed.queries import berths, next_pulse
from app.domain.policies.queries import numbers
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import transaction


@dataclass(frozen=True)
class _Pulse:
    lot_id: int
    parking_code: str
    berths: Berths
    wants_state: bool


def _never() -> bool:
    return False


def pulse(city: CitySystem, limit: int = 200, enough: Callable[[], bool] = _never) -> int:
    """Send each lot's heartbeat when it is due, and its free bays when they changed; returns how many lots.

    After the city was away each lot's absolute count is told anew, once nothing older of that lot waits to be told.
    Outside any transaction. The round ends when the city does not answer.
    """
    told = 0
    while told < limit and not enough() and (due := _lease()) is not None:
        told += 1
        if not _tell(city, due):
            break
    return told


def _tell(city: CitySystem, due: _Pulse) -> bool:
    outcome = city.upload(Heartbeat(due.parking_code))
    if isinstance(outcome, Accepted) and due.wants_state:
        outcome = city.upload(LotState(due.parking_code, due.berths))
    return _write_down(due, outcome)


def _lease() -> _Pulse | None:
    with transaction():
        line = locked_line()
        now = clock.now()
        lot = next_pulse(now, line.reconnected_at) if may_try(line) else None
        if lot is None:
            return None
        lot.pulse_at = now + timedelta(minutes=numbers()["city_feed_pulse_minutes"])
        counted = berths(lot.lot_id, now)
        missed = line.reconnected_at is not None and (lot.state_at is None or lot.state_at < line.reconnected_at)
        return _Pulse(lot.lot_id, lot.parking_code, counted, missed or lot.free != counted.free)


def _write_down(due: _Pulse, outcome: Outcome) -> bool:
    with transaction() as session:
        line = locked_line()
        if isinstance(outcome, Unknown | Barred):
            note_unheard(line, outcome)
            return False
        note_heard(line)
        _note_state(session.get_one(CityLot, due.lot_id), due, outcome)
        return True


def _note_state(lot: CityLot, due: _Pulse, outcome: Accepted | Refused) -> None:
    if isinstance(outcome, Refused):
        open_task("city_pulse_refused", "city_lot", lot.lot_id, {"code": outcome.code})
    lot.state_code = outcome.code if isinstance(outcome, Refused) else None
    if due.wants_state:
        lot.free, lot.state_at = due.berths.free, clock.now()
