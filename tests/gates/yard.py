"""Stand-in cameras as a process, the platform served beside them, and a gate of each vendor in the hand of a test."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select

from app.domain.gates import actions as gates
from app.domain.gates import queries
from app.domain.gates.models import GateDevice, GateList
from app.domain.lots.models import Lot
from app.jobs.camera_lists import read_camera_lists
from app.kernel.db import transaction
from launcher.ports import free_ports, is_taken
from tests import world
from tests.gates.stand import ROOT, eventually

PROGRAMS = {"parkingcam-http": "simulators.parkingcam", "vz-http": "simulators.vzenith"}
SERIALS = {
    "parkingcam-http": (f"{1:032x}", f"{2:032x}"),
    "vz-http": ("0a1b2c3d-00000001", "0a1b2c3d-00000002"),
}


@dataclass(frozen=True)
class Registered:
    """A vendor's gate as staff registered it."""

    device_id: int
    serial: str
    path: str = field(repr=False)

    @property
    def secret(self) -> str:
        return self.path.rpartition("/")[2]

    def told(self) -> list[str]:
        return [passage.type for passage in queries.passages(queries.gate_events(self.device_id))]

    def is_level(self) -> bool:
        """Whether the list that it should hold, and there is one, was proved."""
        with transaction() as session:
            row = session.scalars(select(GateList).filter_by(device_id=self.device_id)).one()
            return row.desired_version == row.acked_version > 0


def registered(lot: Lot, profile: str, direction: str = "in", **more: Any) -> Registered:
    """A gate of a vendor, registered by somebody of the lot's unit."""
    by = world.staff("unit", unit_id=lot.unit_id)
    serial = SERIALS[profile][direction == "out"]
    told = gates.NewVendorGate(f"示例{direction}", profile, serial, "1", direction, **more)
    made = gates.register_vendor_gate(by, lot.key, told)
    with transaction() as session:
        device_id = session.scalars(select(GateDevice.id).where(GateDevice.key == made.gate)).one()
    return Registered(device_id, serial, f"/camera/v1/{made.gate}/{made.secret}")


@dataclass
class Yard:
    """The stand-in cameras and their control API."""

    url: str
    state: Path

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        response = requests.request(method, f"{self.url}/control{path}", json=content, timeout=60)
        assert response.status_code == 200, response.text
        return response.json()

    def put(self, *cameras: tuple[Registered, Mapping[str, Any]]) -> None:
        self.ask("PUT", "/cameras", [{"serial": one.serial, "path": one.path, **more} for one, more in cameras])

    def do(self, gate: Registered, deed: str, **wish: Any) -> Any:
        return self.ask("POST", f"/cameras/{gate.serial}/{deed}", wish)

    def see(self, gate: Registered) -> Any:
        return self.ask("GET", f"/cameras/{gate.serial}")

    def plates(self, gate: Registered) -> list[str]:
        return [row["plate"] for row in self.see(gate)["list"]]

    def page(self, gate: Registered) -> str:
        """Where this camera's own web page is: all of a process share a port."""
        return f"{self.url}/cameras/{gate.serial}"


@contextmanager
def yard(profile: str, platform: str, state: Path, clock_file: Path) -> Iterator[Yard]:
    """Stand-in cameras of one vendor that speak with this platform."""
    [port] = free_ports(1)
    words = ["--platform", platform, "--port", str(port), "--state", str(state), "--clock-file", str(clock_file)]
    pace = ["--answer-seconds", "20", "--after-error-seconds", "0.2", "--heartbeat-seconds", "0.2", "--seed", "1"]
    process = subprocess.Popen([sys.executable, "-m", PROGRAMS[profile], *words, *pace], cwd=ROOT)
    try:
        eventually(lambda: is_taken(port) or process.poll() is not None)
        yield Yard(f"http://127.0.0.1:{port}", state)
    finally:
        process.terminate()
        assert process.wait(20) == 0


def swept() -> bool:
    """What the sweepers do for cameras' lists; true, to stand within a condition."""
    read_camera_lists()
    return True
