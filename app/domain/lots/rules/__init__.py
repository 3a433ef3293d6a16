"""Lots as pure functions: lives, open hours, what falls short, whose money is theirs."""

from app.domain.lots.rules.purses import purse_of
from app.domain.lots.rules.states import LOT, PLAN
from app.domain.lots.rules.windows import (
    DEFAULT_READINGS,
    HORIZON,
    Curfew,
    DayKinds,
    Hours,
    HoursMakeNoSense,
    OfficeHours,
    Readings,
    Span,
    closing_after,
    is_open,
    joined,
    next_opening,
    open_windows,
    open_windows_in_turn,
    today_text,
    without,
)

__all__ = [
    "DEFAULT_READINGS",
    "HORIZON",
    "LOT",
    "PLAN",
    "Curfew",
    "DayKinds",
    "Hours",
    "HoursMakeNoSense",
    "OfficeHours",
    "Readings",
    "Span",
    "closing_after",
    "is_open",
    "joined",
    "next_opening",
    "open_windows",
    "open_windows_in_turn",
    "purse_of",
    "today_text",
    "without",
]
