"""Which dialect a profile names. Only the device's own row decides; a message is never asked what it looks like."""

from collections.abc import Mapping
from typing import Final

from app.adapters.gates.parkingcam import ParkingCam
from app.adapters.gates.vzenith import Vzenith
from app.adapters.gates.words import Dialect

CAMERAS: Final[Mapping[str, Dialect]] = {"parkingcam-http": ParkingCam(), "vz-http": Vzenith()}
"""Vendors' cameras that speak at /camera/v1, by `gate_device.profile`."""
