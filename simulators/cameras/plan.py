"""Which cameras there are and how they behave: read from a file, or put in at run time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class CameraPlan:
    """One camera as somebody set it up in its own web page.

    `path` is the address on the platform, secret included. `offline_check`: decide alone when nobody answers.
    `loop_input`: the contact behind the arm; none is wired without it. `alternates`: how many more times each push
    goes out at once, to servers that turn out to be the same. `old_firmware` leaves out the newer fields.
    """

    serial: str
    path: str = field(repr=False)
    user_name: str = "admin"
    pass_wd: str = field(default="admin-of-the-camera", repr=False)
    resends: int = 2
    offline_check: bool = True
    loop_input: int | None = None
    alternates: int = 0
    old_firmware: bool = False
    capacity: int = 20_000


@dataclass(frozen=True)
class Habits:
    """How all cameras of this process behave; times are seconds of the machine's own clock."""

    platform: str
    answer_seconds: float = 5.0
    poll_seconds: float = 30.0
    after_error_seconds: float = 2.0
    heartbeat_seconds: float = 5.0
    seed: int = 0


def read_plans(listed: Any) -> list[CameraPlan]:
    """The cameras in a JSON value `{"cameras": [...]}` or a plain list; raises ValueError naming what is wrong."""
    rows = listed.get("cameras", []) if isinstance(listed, Mapping) else listed
    if not isinstance(rows, list):
        raise ValueError("cameras must be a list")  # noqa: TRY004 - wrong content, not a programmer's mistake
    return [_plan(row) for row in rows]


def read_file(path: Path) -> list[CameraPlan]:
    """The cameras of a file; none when it is not there yet."""
    return read_plans(json.loads(path.read_text())) if path.exists() else []


def _plan(row: Mapping[str, Any]) -> CameraPlan:
    known = {each.name for each in fields(CameraPlan)}
    unknown = sorted(set(row) - known)
    if unknown or not row.get("serial") or not row.get("path"):
        raise ValueError(f"a camera needs serial and path, and has no {', '.join(unknown) or 'other fields'}")
    return CameraPlan(**row)
