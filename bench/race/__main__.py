"""`python -m bench.race [ATTEMPTS]`: whether sixty-four clients can ever both have a bay; docs/testing.md.

Heats in which nothing is given back take turns with heats of cancelling and cars without reservation. After the
first kind also every refusal as full is held against the bays. The last line is `race: ok attempts=... overlaps=0
oversold=0 deadlocks=0`, or `race: failed: ...` with exit code 1.
"""

import sys
import time
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

import psycopg

from bench.crew import Crew, crew_of
from bench.race.clients import Heat, Outcome
from bench.race.scene import empty, stage
from bench.race.umpire import Umpire

ATTEMPTS: Final = 200_000
CLIENTS: Final = 64
PROCESSES: Final = 8
"""With the platform's own pool each: none of its eight clients waits for a connection."""
HEAT: Final = 5_120
EXPECTED: Final = frozenset(
    {"reserved", "cancelled", "driven in", "lot_full", "lot_busy", "plate_already_claimed", "too_many_reservations"}
)
"""How an attempt may end; anything else is a fault."""


@dataclass
class Score:
    """What the umpire saw in all heats."""

    overlaps: int = 0
    oversold: int = 0
    deadlocks: int = 0
    needless: int = 0
    outcome: Outcome = field(default_factory=Outcome)

    def faults(self) -> list[str]:
        """Everything for which the race is lost, in words."""
        codes = self.outcome.codes
        odd = {code: count for code, count in codes.items() if code not in EXPECTED}
        counted = {
            "overlaps": self.overlaps, "oversold": self.oversold, "deadlocks": self.deadlocks,
            "needlessly_refused": self.needless, **odd,
        }  # fmt: skip
        told = [f"{name}={count}" for name, count in counted.items() if count]
        return told if codes["reserved"] else [*told, "nobody reserved"]


def main() -> int:
    """Build the city, run, tell."""
    attempts = int(sys.argv[1]) if sys.argv[1:] else ATTEMPTS
    with stage() as (app, superuser), crew_of(app, PROCESSES, CLIENTS // PROCESSES) as crew:
        score = run(crew, superuser, attempts)
    return _tell(score)


def run(crew: Crew, superuser: psycopg.Connection[Any], attempts: int) -> Score:
    """As many heats as it takes."""
    umpire, score, number = Umpire(superuser), Score(), 0
    began = time.monotonic()
    while score.outcome.attempts < attempts:
        empty(superuser)
        churn = number % 2 == 1
        each = ceil(min(HEAT, attempts - score.outcome.attempts) / CLIENTS)
        outcome = Outcome.sum(crew.run([Heat(each, number * CLIENTS + one, churn) for one in range(CLIENTS)]))
        score.overlaps += umpire.overlaps()
        score.oversold += umpire.oversold()
        score.needless += 0 if churn else umpire.needlessly_refused(outcome.full)
        score.outcome.add(outcome)
        number += 1
        _progress(score, time.monotonic() - began)
    crew.hang_up()
    score.deadlocks = umpire.deadlocks()
    return score


def _progress(score: Score, seconds: float) -> None:
    made = score.outcome.attempts
    print(f"{made} attempts, {made / seconds:.0f}/s, {dict(score.outcome.codes)}", flush=True)


def _tell(score: Score) -> int:
    for fault in score.outcome.faults[:20]:
        print(fault)
    faults = score.faults()
    if faults:
        print(f"race: failed: {' '.join(faults)}")
        return 1
    print(f"race: ok attempts={score.outcome.attempts} overlaps=0 oversold=0 deadlocks=0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
