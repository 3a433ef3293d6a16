"""Reminding motorists to leave in time, and what people do about a car that did not."""

from app.domain.departures.actions.call import NotOverstaying, call, reveal_number
from app.domain.departures.actions.escalate import escalate
from app.domain.departures.actions.remind import note_overstays, remind
from app.domain.departures.actions.tow import (
    OwnTow,
    TooEarlyToTow,
    TowInTheMaking,
    TowNotOpen,
    TowUntold,
    approve_tow,
    call_tow_off,
    order_tow,
    record_tow,
)

__all__ = [
    "NotOverstaying",
    "OwnTow",
    "TooEarlyToTow",
    "TowInTheMaking",
    "TowNotOpen",
    "TowUntold",
    "approve_tow",
    "call",
    "call_tow_off",
    "escalate",
    "note_overstays",
    "order_tow",
    "record_tow",
    "remind",
    "reveal_number",
]
