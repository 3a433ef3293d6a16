"""A Vzenith camera's messages, field by field as the vendor's text has them."""

from datetime import datetime
from typing import Any

from simulators.cameras.camera import Reading
from simulators.cameras.plan import CameraPlan
from simulators.clock import BEIJING

NEWER = ("plateid", "isoffline", "gioouts", "plates")


def local(at: float) -> str:
    """`2026-06-10 20:00:00` by the camera's clock."""
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def registration(plan: CameraPlan) -> dict[str, str]:
    """The parts of the form, the camera's own password among them."""
    return {
        "device_name": "示例相机", "ipaddr": "192.0.2.7", "port": "80", "user_name": plan.user_name,
        "pass_wd": plan.pass_wd, "serialno": plan.serial, "channel_num": "0",
    }  # fmt: skip


def alarm(plan: CameraPlan, reading: Reading, picture: str, *, offline: bool, opener: int) -> dict[str, Any]:
    """A plate push."""
    result = {
        "license": reading.plate or "_无_", "confidence": 97 if reading.plate else 0, "colorType": reading.colour,
        "type": 1 if reading.plate else 31, "direction": 4, "triggerType": 8, "isoffline": int(offline),
        "plateid": reading.number, "is_fake_plate": 0, "license_ext_type": 0,
        "timeStamp": {"Timeval": _stamp(reading.at)},
        "location": {"RECT": {"left": 800, "top": 500, "right": 980, "bottom": 560}}, "carColor": 1, "carBright": 0,
        "bright": 0, "colorValue": 0, "timeUsed": 0, "feature_code": 0, "plates": [], "imagePath": "/mnt/示例.jpg",
        "imageFile": picture, "imageFileLen": len(picture), "imageFragmentFile": "", "imageFragmentFileLen": 0,
        "gioouts": [{"ionum": 0, "ctrltype": opener}],
    }  # fmt: skip
    kept = {name: value for name, value in result.items() if not (plan.old_firmware and name in NEWER)}
    return {
        "AlarmInfoPlate": {
            "channel": 0, "deviceName": "示例相机", "ipaddr": "192.0.2.7", "serialno": plan.serial, "rule_id": 0,
            "user_data": "", "result": {"PlateResult": kept},
        }
    }  # fmt: skip


def _stamp(at: float) -> dict[str, int]:
    """Seconds since 1970, and the same in pieces by the clock on the wall."""
    wall = datetime.fromtimestamp(at, BEIJING)
    return {
        "sec": int(at), "usec": int(at % 1 * 1_000_000), "decyear": wall.year, "decmon": wall.month,
        "decday": wall.day, "dechour": wall.hour, "decmin": wall.minute, "decsec": wall.second,
    }  # fmt: skip
