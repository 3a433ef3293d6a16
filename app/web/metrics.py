"""Counters for operators, by route and status, never by person.

One process needs nothing else. For several (web workers, the worker, the sweepers) set `PROMETHEUS_MULTIPROC_DIR` to an
empty directory that all of them may write: their numbers are then added up.
"""

import functools
import os
import time
from collections.abc import Iterable
from pathlib import Path

from flask import Flask, Response, g
from flask.globals import request_ctx
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.web import logs

REQUESTS = Counter("gongbo_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "gongbo_request_seconds",
    "How long an answer took",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 25),
)


def attach(app: Flask) -> None:
    """Count and log every request of this app. A folder for shared counters is made when it is not there."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)
    app.before_request(_begin)
    app.after_request(_count)


def _begin() -> None:
    g.began = time.perf_counter()


def _count(response: Response) -> Response:
    """Label by the route's pattern: a path holds ids, a query holds where somebody is."""
    asked = request_ctx.request
    route, method = asked.url_rule.rule if asked.url_rule else "none", asked.method
    method = method if method in _METHODS else "OTHER"
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    counter, histogram = _counters(method, route, response.status_code)
    counter.inc()
    histogram.observe(seconds)
    logs.tell_served(method, route, response.status_code, round(seconds * 1000, 1))
    return response


@functools.cache
def _counters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(route)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def exposition(standing: Collector) -> Response:
    """All counters in Prometheus' text format, and how things stand at this moment."""
    gauges = CollectorRegistry()
    gauges.register(standing)
    return Response(generate_latest(_registry()) + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    _Begun(registry)  # type: ignore[no-untyped-call]
    return registry


class _Begun(MultiProcessCollector):
    """The shared counters, but for a file that another process has just created and not written into yet."""

    def collect(self) -> Iterable[Metric]:
        begun = [str(file) for file in Path(self._path).glob("*.db") if file.stat().st_size > 0]
        return self.merge(begun, accumulate=True)  # type: ignore[no-untyped-call,no-any-return]
