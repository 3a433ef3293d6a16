"""What may go wrong at a gate, each for so many times; all zero unless a test asks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

CONFUSED = {"0": "D", "D": "0", "8": "B", "B": "8", "2": "Z", "Z": "2", "5": "S", "S": "5", "6": "G", "G": "6"}


@dataclass
class Faults:
    """Counters are spent one by one. `lose_replies` counts by call: the platform works, its answer is lost."""

    lose_replies: dict[str, int] = field(default_factory=dict)
    duplicate_events: int = 0
    reorder_events: int = 0
    no_pass: int = 0
    misread: int = 0
    hold_commands: bool = False

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Ask for faults by name; raises ValueError for a name that does not exist."""
        for name, value in wanted.items():
            if name not in asdict(self):
                raise ValueError(f"no such fault: {name}")
            setattr(self, name, value)

    def spend(self, name: str) -> bool:
        """Whether this fault happens now."""
        left = int(getattr(self, name))
        setattr(self, name, max(0, left - 1))
        return left > 0

    def loses(self, call: str) -> bool:
        """Whether the answer to this call is lost on the way."""
        left = self.lose_replies.get(call, 0)
        self.lose_replies[call] = max(0, left - 1)
        return left > 0


def misread(plate: str, random: Random) -> str:
    """One character mistaken for its lookalike, as cameras do; without one, the last is dropped."""
    places = [place for place, character in enumerate(plate) if place > 1 and character in CONFUSED]
    if not places:
        return plate[:-1]
    place = random.choice(places)
    return plate[:place] + CONFUSED[plate[place]] + plate[place + 1 :]
