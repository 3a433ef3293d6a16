"""Promises come and go all over the city: how long until all gates of the lot have proved to hold the new list."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Final

from flask import Flask
from sqlalchemy import select

from app.domain.claims.actions import cancel, promise
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id
from app.domain.gates import actions as gates
from app.domain.lots.models import Bay
from app.kernel.db import transaction
from app.kernel.spans import span
from bench.city import LOTS
from bench.crew import crew_of
from bench.gates.scene import DIRECTIONS, Gate, Yard
from bench.ground import MOMENT
from bench.results import tell
from simulators.gate.wire import list_digest

DEVICES: Final = 5_000
"""At full size."""
PACE, SECONDS = 2.0, 15.0
"""Promises made or given back, a second: more than a city's busiest hour brings."""
PROCESSES: Final = 2
ENDURED: Final = 0.99
EVENING: Final = span(MOMENT, MOMENT + timedelta(hours=3))


class NotHeld(Exception):
    """A gate holds another list than it should: what was measured is worth nothing."""


class Listed:
    """A gate's own copy of its list, and what it does with the platform: pull a difference, prove the whole."""

    def __init__(self, gate: Gate) -> None:
        self.lot = gate.lot
        self._device_id, self._version, self._rows = gate.device_id, 0, dict[str, Any]()

    def synchronise(self) -> None:
        """Raises `NotHeld`."""
        pulled = gates.pull(self._device_id, self._version)
        self._rows = {} if pulled.full else self._rows
        for key in pulled.delete:
            self._rows.pop(str(key), None)
        self._rows |= {row.row_id: asdict(row) for row in pulled.upsert}
        self._version = pulled.to
        if not gates.acknowledge(self._device_id, self._version, list_digest(self._rows.values())):
            raise NotHeld


@dataclass(frozen=True)
class First:
    """The gates of a lot hold no list yet; one of two processes gives them their first."""

    of_lot: Sequence[Listed]

    def run(self, app: Flask) -> Sequence[Listed]:
        """As they are then."""
        _converge(app, self.of_lot)
        return self.of_lot


def measure(yard: Yard, scale: float) -> None:
    """One line. The actions of the platform and of the gates are called in turn, without worker and wire between."""
    more = yard.grown(max(0, int(DEVICES * scale) // len(DIRECTIONS) - LOTS))
    listed: dict[int, Sequence[Listed]] = {}
    for gate in [*yard.gates, *more]:
        listed[gate.lot] = [*listed.get(gate.lot, ()), Listed(gate)]
    began = time.perf_counter()
    with crew_of(yard.app, PROCESSES, 1) as crew:
        converged = crew.run([First(of_lot) for of_lot in listed.values()])
    listed = {of_lot[0].lot: of_lot for of_lot in converged}
    first = time.perf_counter() - began
    took = sorted(_steady(yard.app, listed))
    tell(
        "whitelist", {"p99_ms": 1000 * took[int(ENDURED * len(took))]},
        "milliseconds from a claim's change until all gates of its lot have acknowledged the list with it",
        median_ms=1000 * median(took), devices=sum(map(len, listed.values())), changes_per_s=PACE, first_seconds=first,
    )  # fmt: skip


def _steady(app: Flask, listed: Mapping[int, Sequence[Listed]]) -> list[float]:
    """A change when it is due, in one lot after the other; a promise is given back, and made again."""
    began, took, given_back, lots = time.perf_counter(), list[float](), dict[int, int](), _far_apart(listed)
    for number in range(int(PACE * SECONDS)):
        lot = lots[number % len(lots)]
        due = began + number / PACE
        time.sleep(max(0.0, due - time.perf_counter()))
        with app.app_context():
            _change(lot, given_back)
        _converge(app, listed[lot])
        took.append(time.perf_counter() - due)
    return took


def _far_apart(listed: Mapping[int, Sequence[Listed]]) -> Sequence[int]:
    """Half as many lots as there are changes, from all over the city: each loses a promise and gets it back."""
    half = int(PACE * SECONDS) // 2
    return list(listed)[:: max(1, len(listed) // half)][:half]


def _change(lot: int, given_back: dict[int, int]) -> None:
    """Give the first promise of a lot back, or make the one again whose plate was `given_back` there."""
    with transaction() as session:
        if lot in given_back:
            promise(lot, given_back.pop(lot), EVENING, EVENING, exclusive_plate=False)
            return
        of_lot = select(BayClaim.id, BayClaim.plate_id).join(Bay, Bay.id == BayClaim.bay_id).where(Bay.lot_id == lot)
        claim_id, plate_id = session.execute(of_lot.where(BayClaim.state == "confirmed").limit(1)).one()
        cancel(claim_by_id(claim_id), "bench")
        assert plate_id is not None
        given_back[lot] = plate_id


def _converge(app: Flask, of_lot: Sequence[Listed]) -> None:
    with app.app_context():
        gates.refresh_lot(of_lot[0].lot)
        for each in of_lot:
            each.synchronise()
