"""A car stands at the barrier: how many answers a second, beside the least that a signed message can cost."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from statistics import median
from typing import Final

from bench.gates.scene import Gate, Yard, awaited
from bench.http import rate
from bench.pace import waits
from bench.results import tell
from bench.serving import GEVENT, PLATFORM, serving
from bench.turns import in_turns, ratio

SIGNED: Final = "bench.signed:app"
ROUNDS: Final = 5
PACE, PACED_SECONDS = 100.0, 6.0
ENDURED: Final = 0.99


def measure(yard: Yard) -> None:
    """One line: rates in turns with all connections busy, then the waits of cars that come a hundred a second."""
    gates = yard.of("in")
    with ExitStack() as servers:
        ports = [servers.enter_context(serving(app, GEVENT, yard.stand.environment)).port for app in (PLATFORM, SIGNED)]
        decided, signed = ports
        rates = in_turns({"decide": rate(decided, arrivals(gates)), "signed": rate(signed, _greetings(gates))}, ROUNDS)
        took = sorted(waits(decided, arrivals(gates), PACE, PACED_SECONDS))
    tell(
        "gate_decision",
        {"ratio": ratio(rates["decide"], rates["signed"]), "p99_ms": 1000 * took[int(ENDURED * len(took))]},
        "entry decisions/s / requests/s of an endpoint with the same signature check and one committed INSERT",
        per_s=median(rates["decide"]), signed_per_s=median(rates["signed"]), median_ms=1000 * median(took),
        paced_per_s=PACE,
    )  # fmt: skip


def arrivals(gates: Sequence[Gate]) -> Iterator[bytes]:
    """Cars whose promise holds, at all gates in turn."""
    for number in count():
        gate = gates[number % len(gates)]
        yield gate.request("/gate/v1/decide", gate.event("arrived", awaited(gate, number // len(gates))))


def _greetings(gates: Sequence[Gate]) -> Iterator[bytes]:
    for number in count():
        gate = gates[number % len(gates)]
        yield gate.request("/signed/", {"ok": number})
