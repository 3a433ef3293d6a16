"""Promises come and go all over the city: how long until all gates of the lot have proved to hold the new list."""

import time
from dataclasses import asdict
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
from bench.city import ALL_LOTS
from bench.gates.scene import Gate, Yard
from bench.ground import MOMENT
from bench.results import tell
from simulators.gate.wire import list_digest

PACE, SECONDS = 2.0, 40.0
"""Promises made or given back, a second: more than a city's busiest hour brings."""
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


def measure(yard: Yard) -> None:
    """One line. The actions of the platform and of the gates are called in turn, without worker and wire between."""
    listed = [Listed(gate) for gate in yard.gates]
    began = time.perf_counter()
    for lot in ALL_LOTS:
        _converge(yard.app, lot, listed)
    first = time.perf_counter() - began
    took = sorted(_steady(yard.app, listed))
    tell(
        "whitelist", {"p99_ms": 1000 * took[int(ENDURED * len(took))]},
        "milliseconds from a claim's change until all gates of its lot have acknowledged the list with it",
        median_ms=1000 * median(took), devices=len(listed), changes_per_s=PACE, first_seconds=first,
    )  # fmt: skip


def _steady(app: Flask, listed: list[Listed]) -> list[float]:
    """A change when it is due, in one lot after the other; a promise is given back, and made again."""
    began, took, given_back = time.perf_counter(), list[float](), dict[int, int]()
    for number in range(int(PACE * SECONDS)):
        lot = ALL_LOTS[number % len(ALL_LOTS)]
        due = began + number / PACE
        time.sleep(max(0.0, due - time.perf_counter()))
        with app.app_context():
            _change(lot, given_back)
        _converge(app, lot, listed)
        took.append(time.perf_counter() - due)
    return took


def _change(lot: int, given_back: dict[int, int]) -> None:
    """Give the first promise of a lot back, or make the one again whose plate was `given_back` there."""
    with transaction() as session:
        if lot in given_back:
            promise(lot, given_back.pop(lot), EVENING, EVENING)
            return
        of_lot = select(BayClaim.id, BayClaim.plate_id).join(Bay, Bay.id == BayClaim.bay_id).where(Bay.lot_id == lot)
        claim_id, plate_id = session.execute(of_lot.where(BayClaim.state == "confirmed").limit(1)).one()
        cancel(claim_by_id(claim_id), "bench")
        assert plate_id is not None
        given_back[lot] = plate_id


def _converge(app: Flask, lot: int, listed: list[Listed]) -> None:
    with app.app_context():
        gates.refresh_lot(lot)
        for each in listed:
            if each.lot == lot:
                each.synchronise()
