"""What may go wrong at a camera, each for so many times; nothing unless a test asks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Faults:
    """Counters are spent one by one.

    `lose_replies`: the platform works, its answer is lost. `slow`: nothing is sent until the camera has given up.
    `locked`: the relay closes and the arm does not move. `refuse_rows`, `forget_rows`: changes of the list that are
    refused, or said to be done and not kept. `preempt`: a live car
    comes before the answer to a replayed record is read, so the record goes out again.
    """

    lose_replies: int = 0
    slow: int = 0
    no_pass: int = 0
    misread: int = 0
    locked: int = 0
    refuse_rows: int = 0
    forget_rows: int = 0
    lose_list_answers: int = 0
    preempt: int = 0

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Ask for faults by name; raises ValueError for a name that does not exist."""
        for name, value in wanted.items():
            if name not in asdict(self):
                raise ValueError(f"no such fault: {name}")
            setattr(self, name, int(value))

    def spend(self, name: str) -> bool:
        """Whether this fault happens now."""
        left = int(getattr(self, name))
        setattr(self, name, max(0, left - 1))
        return left > 0
