"""Cars pass the gates of a lot, as the gates' door would take it in."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.domain.gates import actions as gates
from app.domain.motorists.plates import Plate
from app.domain.stays import actions as stays
from app.jobs.sample_city.gates import Lane
from app.kernel import clock
from app.kernel.db import transaction

BEFORE_THE_BARRIER = timedelta(seconds=9)
"""How long a car stands at a gate before it has passed."""


@dataclass
class Gates:
    """The gates of the city while its past is played: they count what they tell."""

    _told: Counter[int] = field(default_factory=Counter)

    def drive_in(self, entrance: Lane, plate: Plate, motorist_id: int | None = None) -> bool:
        """A car asks to be let in now, and drives in if it may; says whether it did.

        A motorist who came without a booking scans the code on the barrier's screen.
        """
        with transaction():
            given = self._ask(entrance, plate)
            if given.decision.decision != "open":
                return False
            self._pass(entrance, plate, opened_by="server", decision_id=str(given.key))
            if motorist_id is not None and given.decision.charge is not None:
                stays.adopt(motorist_id, given.decision.charge["code"])
            return True

    def drive_out(self, exit_: Lane, plate: Plate) -> None:
        """A car leaves now. One that has not paid is let out by an attendant, and owes."""
        with transaction():
            given = self._ask(exit_, plate)
            opened_by = "server" if given.decision.decision == "open" else "manual"
            if opened_by == "manual":
                self._record(exit_, plate, "manual_open", clock.now())
            self._pass(exit_, plate, opened_by=opened_by, decision_id=str(given.key))

    def _ask(self, lane: Lane, plate: Plate) -> gates.Given:
        arrival = self._event(lane, plate, "arrived", clock.now() - BEFORE_THE_BARRIER)
        arrived = gates.record_arrival(gates.receive(lane.device_id, [arrival]))
        return gates.decide_once(arrived, lambda: stays.decide(arrived.passage))

    def _pass(self, lane: Lane, plate: Plate, **how: str) -> None:
        stays.project(self._record(lane, plate, "passed", clock.now(), **how))

    def _record(self, lane: Lane, plate: Plate, type_: str, at: datetime, **how: str) -> list[int]:
        return gates.record(gates.receive(lane.device_id, [self._event(lane, plate, type_, at, **how)])).event_ids

    def _event(self, lane: Lane, plate: Plate, type_: str, at: datetime, **how: str) -> dict[str, Any]:
        self._told[lane.device_id] += 1
        number = self._told[lane.device_id]
        return {
            "event_id": f"sample-{number}", "seq": number, "type": type_, "lane": lane.lane,
            "direction": lane.direction, "plate_raw": plate.characters, "plate_color": str(plate.colour),
            "device_time": at.isoformat(), "offline": False, **how,
        }  # fmt: skip
