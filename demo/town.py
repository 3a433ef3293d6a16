"""What all visits share: the lots, the clock, who tells, and a list of what was paid to whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.car import Barrier, Car, Lot
from demo.clock import PlatformClock
from demo.motorist import Motorist
from demo.patience import awaited
from demo.stage import Stage
from demo.teller import Teller, Voice
from demo.thumb import Thumb

CITY_TREASURY = "示例·杭州市本级财政专户"
WESTLAKE_TREASURY = "示例·西湖区本级财政专户"
BUILDERS = "示例·上城区某城建集团"
GATES_SECONDS = 30.0


@dataclass(frozen=True)
class Paid:
    """What one visit brought, to whom by the law (N3.4.1, N3.4.2)."""

    payee: str
    fen: int


@dataclass
class Town:
    """The stage as the visits see it."""

    stage: Stage
    clock: PlatformClock
    teller: Teller
    lots: Mapping[str, Lot]
    paid: list[Paid] = field(default_factory=list)
    _plates: int = 0

    def voice(self, name: str) -> Voice:
        """Under this name a visit tells its lines."""
        return Voice(self.teller, name)

    def motorist(self) -> Motorist:
        """Somebody new with a phone."""
        return Motorist(self.stage.platform, Thumb(self.stage.wechat), self.clock)

    def letters_to(self, address: str) -> list[Mapping[str, Any]]:
        """What the mail server has taken for an address."""
        return [each for each in self.stage.mail.get("/letters")["letters"] if each["to"] == [address]]

    def car(self) -> Car:
        """A car that nobody has seen yet."""
        self._plates += 1
        return Car(self.stage.gates, f"浙A9{self._plates:04d}")

    def move_clock(self, moment: datetime) -> None:
        """Let it be that moment for everybody, unless it is later already."""
        if self.clock.move_to(moment):
            self.voice("clock")(f"is moved to {moment:%H:%M}")

    def await_gates(self, *names: str) -> None:
        """Until the gates of these lots have heard from the platform."""
        gate_ids = [gate_id for name in names for gate_id in (self.lots[name].entrance, self.lots[name].exit)]
        for barrier in (Barrier(self.stage.gates, gate_id) for gate_id in gate_ids):
            awaited("a gate is online", barrier.is_online, GATES_SECONDS)


def read_lots(gates_file: Path) -> Mapping[str, Lot]:
    """The city's lots by name, from the file in which the gates find their keys."""
    ways: dict[str, dict[str, str]] = {}
    for gate in json.loads(gates_file.read_text(encoding="utf-8"))["gates"]:
        ways.setdefault(gate["lot_name"], {"key": gate["lot"]})[gate["direction"]] = gate["gate_id"]
    return {name: Lot(name, way["key"], way["in"], way["out"]) for name, way in ways.items()}
