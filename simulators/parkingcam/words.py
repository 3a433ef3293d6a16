"""A ParkingCam camera's messages, field by field and misspelling by misspelling as the maker's text has them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from simulators.cameras.camera import Reading
from simulators.cameras.plan import CameraPlan
from simulators.clock import BEIJING

NEWER = ("plateid", "isoffline", "gioouts")


def local(at: float) -> str:
    """`20260610200000` by the camera's clock."""
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y%m%d%H%M%S")


def heartbeat(serial: str, count: int, at: float) -> dict[str, Any]:
    """A sign of life; `countid` begins anew with each start."""
    return {"Heartbeat": {"countid": count, "timeStamp": {"Timeval": _stamp(at)}, "serialno": serial}}


def alarm(plan: CameraPlan, reading: Reading, picture: str, *, offline: bool, opener: int) -> dict[str, Any]:
    """A plate push."""
    result = {
        "license": reading.plate or "_无_", "confidence": 96 if reading.plate else 0, "colorType": reading.colour,
        "type": 1 if reading.plate else 0, "direction": 1, "triggerType": 2, "isoffline": int(offline),
        "plateid": reading.number, "timeStamp": {"Timeval": _stamp(reading.at)}, "imageFile": picture,
        "imageFileLen": len(picture), "imagePath": "", "gioouts": [{"ionum": 0, "ctrltype": opener}],
    }  # fmt: skip
    kept = {name: value for name, value in result.items() if not (plan.old_firmware and name in NEWER)}
    return _pushed("AlarmInfoPlate", plan.serial, "PlateResult", kept)


def contact(serial: str, source: int) -> dict[str, Any]:
    """A contact that closed."""
    return _pushed("AlarmGioIn", serial, "TriggerResult", {"source": source, "value": 1})


def outcome(name: str, serial: str, ok: bool) -> dict[str, Any]:
    """What became of an operation on the list."""
    return {name: {"reponse": "ok" if ok else "no", "serialno": serial}}


def part(serial: str, rows: Sequence[Mapping[str, str]], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A part of the list."""
    first, most = int(wanted["listPosition"]), min(int(wanted["queryNumList"]), 1000)
    shown = rows[first : first + most]
    told = [{"carnum": row["plate"], "startime": row["begins"], "endtime": row["ends"]} for row in shown]
    return {
        "Response_whiteList": {
            "totalList": len(rows), "queryNumList": len(told), "listPosition": first, "data": told, "serialno": serial
        }
    }  # fmt: skip


def heard(answer: bytes) -> Any:
    """An answer as the camera reads it: plates to delete are GB 2312, all else UTF-8; raises ValueError."""
    return json.loads(answer.decode("gb2312" if b'"deleteWhiteList"' in answer else "utf-8"))


def _pushed(root: str, serial: str, kind: str, result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        root: {
            "channel": 0, "deviceName": "示例相机", "ipaddr": "192.0.2.8", "serialno": serial, "result": {kind: result}
        }
    }  # fmt: skip


def _stamp(at: float) -> dict[str, int]:
    return {"sec": int(at), "usec": int(at % 1 * 1_000_000)}
