"""What a gate may be told, and what it may be asked to do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

OPEN_LIVES = timedelta(seconds=10)
"""A car that was to be let in ten seconds ago is not the car that stands there now."""

NUDGE_LIVES = timedelta(seconds=60)
RESULT_WAITS = timedelta(seconds=60)
"""How long after its end a command's result may still come before it is called unknown."""

RESULTS = {"done": "finish", "failed": "fail", "expired": "expire", "unknown": "lose"}


@dataclass(frozen=True)
class Decision:
    """What a gate is told about the car before it.

    `decision` is open, deny or manual (an attendant comes); `reason` a stable code; `display` and
    `voice` are Chinese sentences for the car; `charge` says what is owed, in fen, or is `None`.
    """

    decision: str
    reason: str
    display: str
    voice: str
    charge: dict[str, Any] | None = None


BUSY: Final = Decision("manual", "busy", "请稍候", "系统繁忙，请联系值守人员")
"""What must be written down about the car is held by somebody else, longer than a car may wait."""
LONG_AGO: Final = Decision("manual", "long_ago", "请稍候", "请联系值守人员")
"""The gate asks about a car of long ago: what it was told then is forgotten."""
