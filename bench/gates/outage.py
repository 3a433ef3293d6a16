"""The network of all lots was gone for two hours: every car of that time is told at once when it comes back."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any, Final

from bench.city import BAYS, LOTS
from bench.gates.scene import Gate, Yard
from bench.ground import MOMENT
from bench.load import requests_per_second
from bench.results import tell
from bench.serving import GEVENT, PLATFORM, serving

EVENTS: Final = 100_000
OF_A_VISIT: Final = 6
"""Arrived, opened, passed; on the way in, and on the way out."""
OUTAGE: Final = timedelta(hours=2)
STAY: Final = timedelta(minutes=10)
BATCH: Final = 200
AT_ONCE: Final = 8
"""Each batch keeps a database connection for seconds, and a web worker has fifteen."""
WARMING: Final = 8
"""So many batches come first: the server has loaded its program by then."""
PATIENCE_SECONDS: Final = 3600.0


def measure(yard: Yard, scale: float) -> None:
    """One line: events of visits without reservation, until all are recorded; a job understands them later."""
    visits = int(EVENTS * scale / OF_A_VISIT)
    with serving(PLATFORM, GEVENT, {**yard.stand.environment, "WEB_WORKERS": "2"}) as server:
        requests = list(_told(yard, visits))
        requests_per_second(server.port, iter(requests[:WARMING]), PATIENCE_SECONDS, connections=AT_ONCE)
        began = time.perf_counter()
        requests_per_second(server.port, iter(requests[WARMING:]), PATIENCE_SECONDS, connections=AT_ONCE)
        took = time.perf_counter() - began
    told = sum(request.count(b'"event_id"') for request in requests[WARMING:])
    tell(
        "late_events", {"per_s": told / took},
        "events/s of one outage, told in batches by all gates at once, until each is recorded and acknowledged",
        events=told, seconds=took,
    )  # fmt: skip


def _told(yard: Yard, visits: int) -> Iterator[bytes]:
    """The batches, gate by gate in turn, entries before exits: as they come when lines are mended."""
    begun = (MOMENT - OUTAGE).timestamp()
    span = OUTAGE.total_seconds() - STAY.total_seconds()
    for direction, later in (("in", 0.0), ("out", STAY.total_seconds())):
        events: dict[int, list[Mapping[str, Any]]] = {}
        gates = {gate.lot: gate for gate in yard.of(direction)}
        for visit in range(visits):
            gate = list(gates.values())[visit % LOTS]
            at = begun + later + span * visit / visits
            events.setdefault(gate.lot, []).extend(_passing(gate, LOTS * BAYS + visit, at))
        yield from _in_turn([_batches(gates[lot], told) for lot, told in events.items()])


def _passing(gate: Gate, car: int, at: float) -> Iterator[Mapping[str, Any]]:
    for type_ in ("arrived", "opened", "passed"):
        opener = {} if type_ == "arrived" else {"opened_by": "local_list"}
        yield gate.event(type_, car, at, offline=True, **opener)


def _batches(gate: Gate, told: Sequence[Mapping[str, Any]]) -> Sequence[bytes]:
    return [
        gate.request("/gate/v1/events", {"events": told[first : first + BATCH]}) for first in range(0, len(told), BATCH)
    ]


def _in_turn(of_gates: Sequence[Sequence[bytes]]) -> Iterator[bytes]:
    longest = max(len(each) for each in of_gates)
    return chain.from_iterable([each[turn] for each in of_gates if turn < len(each)] for turn in range(longest))
