"""The camera's own web page, from which its list can be read (`/dbopr.php`)."""

from collections.abc import Mapping
from typing import Any

from simulators.cameras.camera import Camera
from simulators.cameras.control import Page


def dbopr(camera: Camera, wanted: Mapping[str, Any]) -> Any:
    """Count the list's rows, or read some of them."""
    if wanted.get("cmd") != "white_list_operator":
        raise ValueError("unknown cmd")
    rows = [row for row in camera.memory.rows() if wanted.get("plate", "") in row["plate"]]
    if wanted.get("operator_type") == "select_count_by_plate":
        return {"id": wanted.get("id"), "total_count": len(rows)}
    first, most = int(wanted["start_pos"]), int(wanted["select_count"])
    return {"id": wanted.get("id"), "dldb_rec": [_row(row) for row in rows[first : first + most]]}


def _row(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "plate": row["plate"], "enable": 1, "enable_time": row["begins"], "overdue_time": row["ends"], "need_alarm": 0,
        "time_seg_enable": 0, "seg_time_start": "00:00:00", "seg_time_end": "00:00:00", "context": "",
    }  # fmt: skip


PAGES: Mapping[str, Page] = {"dbopr.php": dbopr}
