"""One park: its reservations, the cars inside, what drove through, and the faults that a test asks for."""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.clock import BEIJING, Clock


@dataclass(frozen=True)
class ParkPlan:
    """One park as its owner set it up; `push`: where events are told, empty for nowhere."""

    park: str
    app_key: str
    secret: str = field(repr=False)
    push: str = ""


@dataclass
class Reservation:
    """A reservation that waits for its car."""

    order: str
    plate: str
    begins: str
    ends: str


@dataclass
class Crossing:
    """A car that drove through a barrier."""

    number: str
    plate: str
    at: str
    out: int
    way: int


@dataclass
class Faults:
    """Counters, spent one by one.

    `lose_answers` does the work and drops the connection, `refuse` does nothing, `forget` says that it did.
    """

    lose_answers: int = 0
    refuse: int = 0
    forget: int = 0


class Refused(Exception):
    """The system does not do it, and says why."""


class Park:
    """What one park knows. It keeps its state in a file of its own, but for planned faults."""

    def __init__(self, plan: ParkPlan, file: Path, clock: Clock) -> None:
        self.plan, self._file, self._clock = plan, file, clock
        self.faults, self.up, self.lock = Faults(), True, threading.RLock()
        kept = json.loads(file.read_text()) if file.exists() else {}
        self.count: int = kept.get("count", 0)
        self.waiting = {row["plate"]: Reservation(**row) for row in kept.get("waiting", [])}
        self.inside: set[str] = set(kept.get("inside", []))
        self.crossings = [Crossing(**row) for row in kept.get("crossings", [])]

    def add(self, plate: str, begins: str, ends: str) -> str:
        """Reserve; one live reservation a plate, and none for a car that is inside."""
        if plate in self.waiting or plate in self.inside or not plate:
            raise Refused("该车辆不允许预约")
        order = f"R{self._next():08d}"
        if not self._spend("forget"):
            self.waiting[plate] = Reservation(order, plate, begins, ends)
        self.save()
        return order

    def delete(self, order: str) -> None:
        """Cancel."""
        found = [plate for plate, row in self.waiting.items() if row.order == order]
        if not found:
            raise Refused("预约记录不存在")
        if not self._spend("forget"):
            del self.waiting[found[0]]
        self.save()

    def live(self) -> list[Reservation]:
        """Those that wait for their car and whose time is not over."""
        now = self.now()
        return [row for row in self.waiting.values() if datetime.fromisoformat(row.ends) > now]

    def comes(self, plate: str) -> bool:
        """A car stands at the entrance; it drives in if it is reserved now. Whoever runs the network has no say."""
        now, row = self.now(), self.waiting.get(plate)
        if row is None or not datetime.fromisoformat(row.begins) <= now < datetime.fromisoformat(row.ends):
            return False
        del self.waiting[plate]
        self.crosses(plate, out=0)
        return True

    def crosses(self, plate: str, out: int, way: int = 0, ago: float = 0.0) -> None:
        """A car drives through, or did so many seconds `ago`; `way` 1: a person raised the arm."""
        self.inside.discard(plate) if out else self.inside.add(plate)
        at = (self.now() - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
        self.crossings.append(Crossing(f"C{self._next():08d}", plate, at, out, way))
        self.save()

    def reset(self) -> None:
        """To the maker's state, but for who is inside and what drove through: that is in another database."""
        self.waiting.clear()
        self.save()

    def now(self) -> datetime:
        """By its own clock."""
        return datetime.fromtimestamp(self._clock.now(), BEIJING)

    def refuses(self) -> bool:
        """Whether the next change is refused."""
        return self._spend("refuse")

    def loses_answer(self) -> bool:
        """Whether the next answer is lost."""
        return self._spend("lose_answers")

    def save(self) -> None:
        """Everything is on disk."""
        kept = {
            "count": self.count, "waiting": [asdict(row) for row in self.waiting.values()],
            "inside": sorted(self.inside), "crossings": [asdict(row) for row in self.crossings],
        }  # fmt: skip
        self._file.write_text(json.dumps(kept, ensure_ascii=False))

    def _next(self) -> int:
        self.count += 1
        return self.count

    def _spend(self, name: str) -> bool:
        left = int(getattr(self.faults, name))
        setattr(self.faults, name, max(0, left - 1))
        return left > 0


class Parks:
    """All parks of this system."""

    def __init__(self, state: Path, clock: Clock) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._state, self._clock, self._parks = state, clock, dict[str, Park]()

    def put(self, plans: Iterable[ParkPlan]) -> None:
        """These parks and no others."""
        self._parks = {plan.park: Park(plan, self._state / f"{plan.park}.json", self._clock) for plan in plans}

    def find(self, park: str) -> Park | None:
        """A park by its `parkSyscode`."""
        return self._parks.get(park)

    def of_key(self, app_key: str) -> list[Park]:
        """The parks that an access key opens."""
        return [park for park in self._parks.values() if park.plan.app_key == app_key]


def read_plans(listed: Any) -> list[ParkPlan]:
    """The parks of a JSON list; raises TypeError or ValueError naming what is wrong."""
    if not isinstance(listed, list) or not all(isinstance(row, Mapping) for row in listed):
        raise ValueError("parks must be a list of objects")
    return [ParkPlan(**row) for row in listed]
