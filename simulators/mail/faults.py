"""What can go wrong between us and a mail server, on demand."""

from dataclasses import dataclass
from threading import Lock

KINDS = ("defer", "reject", "hang_up", "lost_answer", "garble")
STAGES = ("connect", "hello", "auth", "mail", "rcpt", "data", "letter")


@dataclass
class Fault:
    """One thing to go wrong at a stage of a session, how many times (0 = until cleared).

    `defer` answers with 451 or the 4xx `code`, `reject` with 550 or the 5xx `code`, and with the enhanced code
    `enhanced`; `hang_up` resets the line instead of answering, `garble` answers what is no reply; `lost_answer` keeps
    the letter, then resets the line.
    """

    kind: str
    stage: str
    times: int = 1
    code: int = 0
    enhanced: str = "5.1.1"

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.stage not in STAGES:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, stage one of {', '.join(STAGES)}")
        if self.kind == "lost_answer" and self.stage != "letter":
            raise ValueError("an answer is lost at the stage letter")


class Faults:
    """Those that are planned, and whether STARTTLS is offered."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[Fault] = []
        self.offers_starttls = True

    def plan(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
            self.offers_starttls = True

    def take(self, stage: str) -> Fault | None:
        """The fault that strikes this stage, used up by it."""
        with self._lock:
            for fault in self._planned:
                if fault.stage == stage:
                    if fault.times == 1:
                        self._planned.remove(fault)
                    elif fault.times > 1:
                        fault.times -= 1
                    return fault
        return None
