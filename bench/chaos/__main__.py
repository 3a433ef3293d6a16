"""`python -m bench.chaos`: payments while everything dies that can die, and both books to the fen; docs/reliability.md.

The payments come in waves; between two of them the clock jumps by a quarter of an hour. When all is told the processes
are left alone until nothing is open, and WeChat's own book is held beside ours. The last line is `chaos: ok seed=...
payments=... messages=... diff_fen=0 lost=0 doubled=0`, or `chaos: failed: ...` with exit code 1.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.chaos.crowd import Crowd
from bench.chaos.house import PLATFORM, House, house
from bench.chaos.line import WHOLE
from bench.chaos.nemesis import Nemesis
from bench.chaos.office import Office
from bench.chaos.plan import fates
from bench.chaos.scene import Stage, Visitor, stage
from bench.chaos.umpire import DOUBTS, Umpire, Verdict
from bench.chaos.visits import Visits
from launcher.processes import await_that

PAYMENTS: Final = 2_000
WAVE: Final = 500
LEAST_WAVES: Final = 2
HANDLERS: Final[Mapping[str, str]] = {"platform": PLATFORM, "naive": "bench.chaos.naive:app"}
WAVE_SECONDS_EACH: Final = 2.0
"""For each payment; a wave that takes longer is stuck."""
LEAST_WAVE_SECONDS: Final = 240.0
CALM_SECONDS: Final = 90.0
MINUTE: Final = 61.0
QUARTER: Final = 930.0
DOUBT_ROUNDS: Final = 12
"""Minutes: fewer than after which a doubt becomes a case."""
HEALING_ROUNDS: Final = 20
HEALING_SECONDS: Final = 12.0
IN_FLIGHT_SECONDS: Final = 0.5


class NotOver(Exception):
    """Something never ended."""


@dataclass
class Run:
    """One run, with everybody in it."""

    stage: Stage
    house: House
    nemesis: Nemesis
    crowd: Crowd
    visits: Visits
    umpire: Umpire

    def wave(self, visitors: Sequence[Visitor]) -> None:
        """These come, and those who waited for the clock go on, while misfortune happens."""
        seconds = max(LEAST_WAVE_SECONDS, WAVE_SECONDS_EACH * len(visitors))
        with self.nemesis.at_large():
            for visitor in visitors:
                self.crowd.add(self.visits.of(visitor))
            self.crowd.await_rest(seconds)
        if not self.crowd.await_rest(CALM_SECONDS):
            raise NotOver(f"{self.crowd.left} visits do not end")

    def let_time_pass(self) -> None:
        """A quarter of an hour, once nothing is in doubt: whatever is, is asked about again after some minutes."""
        for _ in range(DOUBT_ROUNDS):
            self.jump(MINUTE)
            if await_that(lambda: not self.umpire.left(DOUBTS), HEALING_SECONDS):
                break
        else:
            raise NotOver(f"in doubt: {dict(self.umpire.left(DOUBTS))}")
        self.jump(QUARTER)
        self.crowd.jumped()

    def heal(self) -> Mapping[str, int]:
        """Leave everybody alone until nothing is open; returns what is left all the same."""
        left: Mapping[str, int] = {}
        for _ in range(HEALING_ROUNDS):
            if await_that(lambda: not self.umpire.left() and not self.umpire.undelivered(), HEALING_SECONDS):
                return {}
            left = self.umpire.left()
            self.jump(MINUTE)
        return left or {"notices": self.umpire.undelivered()}

    def jump(self, seconds: float) -> None:
        """The clock of all processes; lines are down for a moment, so that no call is under way meanwhile."""
        for line in self.stage.lines.values():
            line.set("refuse")
        time.sleep(IN_FLIGHT_SECONDS)
        file = self.stage.clock_file
        draft = file.with_suffix(".draft")
        draft.write_text(str(float(file.read_text()) + seconds))
        draft.replace(file)
        for line in self.stage.lines.values():
            line.set(WHOLE)


def main() -> int:
    """Run, tell."""
    wanted = _arguments()
    print(f"chaos: seed={wanted.seed} payments={wanted.payments} handler={wanted.handler}", flush=True)
    began = time.monotonic()
    try:
        with (
            stage(fates(wanted.payments, wanted.seed)) as set_,
            _logs() as logs,
            house(set_.environment, HANDLERS[wanted.handler], Path(logs)) as processes,
        ):
            verdict = _play(set_, processes, wanted.seed)
    except NotOver as stuck:
        print(f"chaos: failed: seed={wanted.seed} {stuck}")
        return 1
    return _tell(verdict, wanted, time.monotonic() - began)


def _logs() -> AbstractContextManager[str]:
    """Where the processes write what they say: a folder that is gone afterwards, or the one that `CHAOS_LOGS` names."""
    kept = os.environ.get("CHAOS_LOGS")
    return nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="gongbo-chaos-")


def _play(set_: Stage, processes: House, seed: int) -> Verdict:
    crowd = Crowd(seed)
    nemesis = Nemesis(seed, processes, set_.stand.servers, set_.lines, lambda: crowd.over)
    run = Run(set_, processes, nemesis, crowd, Visits(set_, crowd, Office(set_.app, set_.people)), Umpire(set_))
    set_.wechat.usual_habit("duplicate", rate=0.4)  # of refunds; payments have a habit of their own each
    try:
        size = min(WAVE, -(-len(set_.visitors) // LEAST_WAVES))
        for first in range(0, len(set_.visitors), size):
            run.wave(set_.visitors[first : first + size])
            _progress(run, first + size)
            run.let_time_pass()
        run.wave([])
    finally:
        crowd.go_home()
    left = run.heal()
    verdict = run.umpire.verdict(run.visits.said)
    verdict.must_be_none("not_over", sum(left.values()))
    verdict.examples += [f"not over: {name} {count}" for name, count in left.items()]
    verdict.examples += [f"open job: {each}" for each in run.umpire.open_jobs() if left]
    verdict.counts |= {f"misfortune: {name}": count for name, count in sorted(nemesis.deeds.items())}
    verdict.counts |= {f"started: {name}": count for name, count in sorted(processes.started.items())}
    verdict.counts |= {f"visitors heard: {name}": count for name, count in sorted(run.visits.said.answers.items())}
    return verdict


def _progress(run: Run, paid: int) -> None:
    print(f"{min(paid, len(run.stage.visitors))} payments, {sum(run.nemesis.deeds.values())} misfortunes", flush=True)


def _tell(verdict: Verdict, wanted: argparse.Namespace, seconds: float) -> int:
    rows = {"payments": wanted.payments, **verdict.counts, "seconds": round(seconds), **verdict.faults}
    width = max(len(name) for name in rows)
    for name, count in rows.items():
        print(f"{name:<{width}} {count:>12,}")
    for example in verdict.examples:
        print(example)
    faults = [f"{name}={count}" for name, count in verdict.faults.items() if count]
    if faults:
        print(f"chaos: failed: seed={wanted.seed} {' '.join(faults)}")
        return 1
    messages = verdict.counts["messages"]
    print(f"chaos: ok seed={wanted.seed} payments={wanted.payments} messages={messages} diff_fen=0 lost=0 doubled=0")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--payments", type=int, default=PAYMENTS)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--handler", choices=HANDLERS, default="platform")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
