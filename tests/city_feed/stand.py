"""The stand-in for the city's system as tests see it: a process, its side door, and a client of ours."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from app.adapters.city import CityAccount, CitySystem, read_private_key, read_public_key
from app.adapters.outbound import Reach
from app.domain.lots import actions as lots
from app.domain.lots.models import Lot
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from app.wiring import outside_transactions
from launcher.ports import free_ports, is_taken
from launcher.processes import await_that
from simulators.city.keys import KeyMaterial
from tests.world import staff

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class CityStand:
    """A running stand-in."""

    url: str
    material: KeyMaterial
    session: requests.Session = field(default_factory=requests.Session)

    def client(self, **changed: Any) -> CitySystem:
        """Our client with the right keys, unless told otherwise."""
        told: dict[str, Any] = {
            "url": self.url,
            "access_id": self.material.access_id,
            "city_key": read_public_key(self.material.directory / "city_public.pem"),
            "own_key": read_private_key(self.material.directory / "platform_key.pem"),
        }
        return outside_transactions(CitySystem(CityAccount(**(told | changed)), clock.now, Reach(loopback=True)))

    def control(self, method: str, path: str, **wish: Any) -> dict[str, Any]:
        response = self.session.request(method, f"{self.url}/control/{path}", json=wish or None, timeout=10)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    @property
    def book(self) -> dict[str, Any]:
        """Everything the city knows."""
        return self.control("GET", "book")

    @property
    def taken(self) -> list[tuple[str, str]]:
        """What it took, in order."""
        return [(news["kind"], news["name"]) for news in self.book["taken"]]

    def suffer(self, kind: str, **wish: Any) -> None:
        self.control("POST", "faults", kind=kind, **wish)

    def recover(self) -> None:
        self.control("DELETE", "faults")

    def calm(self) -> None:
        """Everything as on a good day, and nothing known."""
        self.recover()
        self.control("DELETE", "book")


@contextmanager
def standing(folder: Path, clock_file: str) -> Iterator[CityStand]:
    """A stand-in of its own, ended when left."""
    material = KeyMaterial.at(folder)
    [port] = free_ports(1)
    command = ["--port", str(port), "--keys", str(folder), "--clock-file", clock_file]
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.city", *command], cwd=ROOT, stdout=subprocess.DEVNULL
    )  # fmt: skip
    try:
        assert await_that(lambda: is_taken(port), seconds=20)
        stand = CityStand(f"http://127.0.0.1:{port}", material)
        yield stand
        stand.session.close()
    finally:
        process.terminate()
        process.wait(10)


def find_secret(lot: Lot) -> None:
    """The unit of a lot turns out to handle state secrets."""
    with transaction() as session:
        key = session.get_one(Unit, lot.unit_id).key
    lots.exclude(staff("regulator"), key, "secret", "示例理由", "示例依据")
