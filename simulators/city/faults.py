"""Everything that goes wrong between two houses, on demand."""

import random
from dataclasses import dataclass
from threading import Lock

KINDS = ("down", "slow", "error_500", "html", "busy", "lost_answer", "refuse")


@dataclass
class Fault:
    """One thing to go wrong: for which operation ('' = any), how many times (0 = until cleared), in which share.

    `down` hangs up before anything is done, `lost_answer` after it was stored; `slow` waits `seconds`; `error_500`
    and `html` are a proxy's answers, `busy` a resultCode of 500, `refuse` one of `code`.
    """

    kind: str
    operation: str = ""
    times: int = 1
    rate: float = 1.0
    seconds: float = 0.0
    code: int = 1099

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")


class Faults:
    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[Fault] = []
        self._random = random.Random(20260301)  # noqa: S311 - repeatable, and nobody's secret

    def plan(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this call, used up by it."""
        with self._lock:
            for fault in self._planned:
                if fault.operation in ("", operation) and self._random.random() < fault.rate:
                    return self._used(fault)
        return None

    def _used(self, fault: Fault) -> Fault:
        if fault.times == 1:
            self._planned.remove(fault)
        elif fault.times > 1:
            fault.times -= 1
        return fault
