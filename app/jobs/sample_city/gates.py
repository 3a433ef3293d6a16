"""An entrance and an exit for each lot, and the file from which the stand-in gates learn their keys."""

import json
import os
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from app.domain.gates.actions import add_key, install_gate, retire_key
from app.domain.gates.models import GateDevice, GateKey
from app.domain.lots.models import Lot
from app.domain.units.models import Unit
from app.jobs.sample_city.table import lots
from app.kernel import clock
from app.kernel.db import transaction

ACTOR: Final = "sample-city"
LANES: Final = (("入口道闸", "1", "in"), ("出口道闸", "2", "out"))


def install_gates(lot_ids: Sequence[int]) -> None:
    """An entrance and an exit each; they get their keys from `hand_over_keys`."""
    for lot_id in lot_ids:
        for name, lane, direction in LANES:
            install_gate(lot_id, name, lane, direction, ACTOR)


@dataclass(frozen=True)
class Lane:
    """A gate of the sample city with its lot."""

    device_id: int
    key: uuid.UUID
    lane: str
    direction: str
    lot_key: uuid.UUID
    lot_name: str


@dataclass(frozen=True)
class _Keyed:
    """A gate as the stand-in must know it."""

    lane: Lane
    key_id: str
    secret: bytes = field(repr=False)

    def line(self) -> dict[str, Any]:
        return {
            "gate_id": str(self.lane.key), "key_id": self.key_id, "secret": self.secret.hex(),
            "lot": str(self.lane.lot_key), "lot_name": self.lane.lot_name, "lane": self.lane.lane,
            "direction": self.lane.direction,
        }  # fmt: skip


def hand_over_keys(path: Path) -> bool:
    """Write the gates with fresh keys to `path` (mode 0600), unless it names these very gates; says whether it did.

    A secret is told once, so without the file every gate of the city gets a new key and its old one is retired.
    """
    lanes = city_lanes()
    if _names(path) == {str(lane.key) for lane in lanes}:
        return False
    _write(path, {"gates": [_rekeyed(lane).line() for lane in lanes]})
    return True


def city_lanes() -> list[Lane]:
    """All gates of the sample's lots, lot by lot."""
    named = [opened.unit for opened in lots()]
    with transaction() as session:
        found = session.execute(
            select(GateDevice.id, GateDevice.key, GateDevice.lane, GateDevice.direction, Lot.key, Lot.name)
            .join(Lot, Lot.id == GateDevice.lot_id)
            .join(Unit, Unit.id == Lot.unit_id)
            .where(Unit.name.in_(named))
            .order_by(GateDevice.id)
        )
        return [Lane(*row) for row in found]


def _names(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    return {gate["gate_id"] for gate in json.loads(path.read_text(encoding="utf-8"))["gates"]}


def _rekeyed(lane: Lane) -> _Keyed:
    keyed = _Keyed(lane, f"sample-{secrets.token_hex(4)}", secrets.token_bytes(32))
    with transaction() as session:
        valid = GateKey.valid.op("@>")(clock.now())
        for key_id in session.scalars(select(GateKey.key_id).where(GateKey.device_id == lane.device_id, valid)).all():
            retire_key(lane.device_id, key_id, ACTOR)
        add_key(lane.device_id, keyed.key_id, keyed.secret, ACTOR)
    return keyed


def _write(path: Path, content: dict[str, Any]) -> None:
    """All or nothing, readable by this account alone from its first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    draft.replace(path)
