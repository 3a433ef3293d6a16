"""Which gates there are: read from a file, or put in at run time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class GatePlan:
    """One gate as it was registered: who it is, how it signs, where it stands."""

    gate_id: str
    key_id: str
    secret: bytes = field(repr=False)
    lot: str
    lane: str
    direction: str


@dataclass(frozen=True)
class Habits:
    """How all gates of this process behave; times are seconds of the machine's own clock."""

    platform: str
    poll_seconds: int = 20
    heartbeat_seconds: float = 10.0
    answer_seconds: float = 5.0
    decide_seconds: float = 1.5
    seed: int | None = None


def read_plans(listed: Any) -> list[GatePlan]:
    """The gates in a JSON value `{"gates": [...]}` or a plain list; raises ValueError naming what is missing."""
    rows = listed.get("gates", []) if isinstance(listed, Mapping) else listed
    if not isinstance(rows, list):
        raise ValueError("gates must be a list")  # noqa: TRY004 - wrong content, not a programmer's mistake
    return [_plan(row) for row in rows]


def read_file(path: Path) -> list[GatePlan]:
    """The gates of a file; none when it is not there yet."""
    return read_plans(json.loads(path.read_text())) if path.exists() else []


def _plan(row: Mapping[str, Any]) -> GatePlan:
    missing = [name for name in ("gate_id", "key_id", "secret") if not row.get(name)]
    if missing:
        raise ValueError(f"a gate lacks {', '.join(missing)}")
    return GatePlan(
        gate_id=str(row["gate_id"]), key_id=str(row["key_id"]), secret=bytes.fromhex(row["secret"]),
        lot=str(row.get("lot", "")), lane=str(row.get("lane", "1")), direction=str(row.get("direction", "both")),
    )  # fmt: skip
