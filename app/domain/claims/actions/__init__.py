"""The only writers of claims: how one comes to be, and what becomes of it."""

from app.domain.claims.actions.change import (
    HoldOver,
    cancel,
    confirm,
    displace,
    enter,
    leave,
    miss,
    move_elsewhere,
    stretch,
)
from app.domain.claims.actions.take import (
    BayTaken,
    LotBusy,
    LotFull,
    OutsideOpenHours,
    PlateBusy,
    hold,
    lock_plate,
    promise,
    seat,
)

__all__ = [
    "BayTaken",
    "HoldOver",
    "LotBusy",
    "LotFull",
    "OutsideOpenHours",
    "PlateBusy",
    "cancel",
    "confirm",
    "displace",
    "enter",
    "hold",
    "leave",
    "lock_plate",
    "miss",
    "move_elsewhere",
    "promise",
    "seat",
    "stretch",
]
