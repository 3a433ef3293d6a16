"""Searches and reservations over HTTP, beside the smallest answer that Flask can give."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from statistics import median

from bench import wishes
from bench.ground import Ground
from bench.load import CONNECTIONS, requests_per_second
from bench.motorists import GUESTS, SEARCHERS
from bench.results import tell
from bench.serving import BARE, GEVENT, GTHREAD, PLATFORM, serving
from bench.turns import Rates, Side, in_turns, ratio

ROUNDS = 4
SECONDS = 1.0


def measure(stand: Ground, jwt_keys: Mapping[str, bytes]) -> None:
    """Four lines: search, reservation, and the search of either worker class beside the other."""
    with ExitStack() as servers:
        ports = [
            servers.enter_context(serving(app, configuration, stand.environment)).port
            for app, configuration in ((BARE, GEVENT), (PLATFORM, GEVENT), (PLATFORM, GTHREAD))
        ]
        _tell(in_turns(_sides(ports, jwt_keys), ROUNDS))


def _sides(ports: list[int], jwt_keys: Mapping[str, bytes]) -> Mapping[str, Side]:
    bare, greenlets, threads = ports
    return {
        "bare": rate(bare, wishes.bare()),
        "search": rate(greenlets, wishes.searches(jwt_keys, SEARCHERS)),
        "search with threads": rate(threads, wishes.searches(jwt_keys, SEARCHERS)),
        "reserve": rate(greenlets, wishes.reservations(jwt_keys, GUESTS), status=201),
    }


def rate(port: int, requests: Iterator[bytes], status: int = 200) -> Side:
    """Requests per second of one server, once called."""
    return partial(requests_per_second, port, requests, SECONDS, status)


def _tell(rates: Rates) -> None:
    bare = rates["bare"]
    for bench, side in (("search", "search"), ("reserve_http", "reserve")):
        tell(
            bench, {"ratio": ratio(rates[side], bare)},
            "requests/s of the platform / requests/s of a bare Flask JSON endpoint",
            per_s=median(rates[side]), bare_per_s=median(bare), connections=CONNECTIONS,
        )  # fmt: skip
    for worker_class, ours, other in (
        ("gevent", "search", "search with threads"), ("gthread", "search with threads", "search"),
    ):  # fmt: skip
        tell(
            "worker_class", {"ratio": ratio(rates[ours], rates[other])},
            "searches/s of this worker class / of the other one",
            worker_class=worker_class, per_s=median(rates[ours]),
        )  # fmt: skip
