"""A car, and the gates it meets; driven by the stand-in gates' control."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.patience import awaited, insist, insist_equal
from demo.wire import Wire


@dataclass(frozen=True)
class Lot:
    """One lot of the city: its public key, and the ids of its two gates."""

    name: str
    key: str
    entrance: str
    exit: str


class Barrier:
    """One gate as somebody who stands beside it sees it."""

    def __init__(self, gates: Wire, gate_id: str) -> None:
        self._gates = gates
        self._path = f"/control/gates/{gate_id}"

    def show(self) -> Mapping[str, Any]:
        """The gate's own memory and its arm."""
        shown: Mapping[str, Any] = self._gates.get(self._path)
        return shown

    def is_online(self) -> bool:
        """Whether the platform answered it last time."""
        return bool(self.show()["mode"] == "online")

    def lists(self, plate: str) -> bool:
        """Whether the gate's own list knows this plate."""
        return any(row["plate"] == plate for row in self.show()["list"])

    def do(self, deed: str, **wish: Any) -> Mapping[str, Any]:
        """Let something happen to it."""
        done: Mapping[str, Any] = self._gates.post(f"{self._path}/{deed}", wish)
        return done

    def cut_line(self) -> None:
        """From now on it is on its own."""
        self.do("network", up=False)

    def mend_line(self) -> None:
        """It reaches the platform again and tells what happened."""
        self.do("network", up=True)


class Car:
    """A car with a blue plate."""

    def __init__(self, gates: Wire, plate: str) -> None:
        self._gates = gates
        self.plate = plate

    def at(self, gate_id: str) -> Barrier:
        """The gate before the car."""
        return Barrier(self._gates, gate_id)

    def drive_in(self, lot: Lot, reason: str) -> None:
        """Drive in; the platform must open for this reason."""
        self._expect(self.stop_before(lot.entrance), "open", reason)

    def drive_out(self, lot: Lot) -> None:
        """Drive out; everything must be paid."""
        self._expect(self.stop_before(lot.exit), "open", "settled")

    def stop_before(self, gate_id: str) -> Mapping[str, Any]:
        """What the platform lets the gate do. A gate that got no answer in time and stayed shut is asked again."""
        return awaited("the platform answers the gate", lambda: self._asked(gate_id))

    def leave_on_its_own(self, lot: Lot) -> Mapping[str, Any]:
        """Drive out through a gate that reaches nobody."""
        left = self._arrive(lot.exit)
        insist_equal("the gate decides", left["mode"], "offline")
        insist(left["passed"], "the gate does not let the car out on its own")
        return left

    def _asked(self, gate_id: str) -> Mapping[str, Any] | None:
        said = self._arrive(gate_id)
        return said if said["mode"] == "online" or said["passed"] else None

    def _arrive(self, gate_id: str) -> Mapping[str, Any]:
        return self.at(gate_id).do("arrive", plate=self.plate, colour="blue")

    @staticmethod
    def _expect(said: Mapping[str, Any], decision: str, reason: str) -> None:
        insist_equal("the gate is told", (said["decision"], said["reason"]), (decision, reason))
        insist(said["passed"], "the barrier opened and the car did not pass")
