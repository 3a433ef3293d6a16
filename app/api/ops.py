"""The platform's own door: is it alive, is it ready, how does it do; and the clock that development may move."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.api.standing import Standing
from app.domain.city_feed.queries import is_away
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import Invalid
from app.web import intake, metrics
from app.web.policy import LOOPBACK, PUBLIC, admits
from app.wiring import wiring

blueprint = Blueprint("ops", __name__)
development = Blueprint("development", __name__)
"""Registered everywhere but in production."""

development.before_request(intake.json_only)

MAX_OFFSET_SECONDS = 100 * 366 * 86_400


class NoSuchMoment(Invalid):
    code = "no_such_moment"
    message = "请给出 at（带时区的 ISO 8601 时刻）或 offset_s（秒）之一"


@blueprint.get("/healthz")
@admits(PUBLIC)
def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@admits(PUBLIC)
def readyz() -> Response:
    """Whether requests can be served. Without Redis they can, only slower: it is told, and counts as ready.

    `city_feed` says whether the city's own system is told of us: off, ok, or away; it too counts as ready.
    """
    parts = {
        "database": _asks("SELECT 1"),
        "queue": _asks("SELECT count(*) FROM procrastinate_jobs"),
        "redis": _redis(),
        "city_feed": _city_feed(),
    }
    ready = parts["database"] == parts["queue"] == "ok"
    response = jsonify(status="ok" if ready else "not_ready", parts=parts)
    response.status_code = 200 if ready else 503
    return response


def _asks(question: str) -> str:
    try:
        with transaction() as session:
            session.execute(text(question))
    except SQLAlchemyError:
        return "away"
    return "ok"


def _redis() -> str:
    try:
        wiring().redis.ping()
    except RedisError:
        return "away"
    return "ok"


def _city_feed() -> str:
    if wiring().city is None:
        return "off"
    try:
        return "away" if is_away() else "ok"
    except SQLAlchemyError:
        return "away"


@blueprint.get("/metrics")
@admits(LOOPBACK)
def show_metrics() -> Response:
    """Counters and gauges for Prometheus; scraped on this machine."""
    return metrics.exposition(Standing())


@development.get("/dev/clock")
@admits(LOOPBACK)
def read_clock() -> Response:
    """The platform's moment and how far it stands from the database's."""
    return jsonify(_clock())


def _clock() -> dict[str, Any]:
    return {"now": clock.now().isoformat(), "offset_s": clock.offset().total_seconds()}


@development.post("/dev/clock")
@admits(LOOPBACK)
def move_clock() -> Response:
    """Move the clock of all processes: to `at`, or to `offset_s` seconds from the database's time."""
    _write_offset(_wanted_offset(intake.parsed(request.get_data() or b"{}")))
    return jsonify(_clock())


def _wanted_offset(wanted: dict[str, Any]) -> float:
    if set(wanted) == {"offset_s"} and type(wanted["offset_s"]) in (int, float):
        seconds = float(wanted["offset_s"])
    elif set(wanted) == {"at"}:
        seconds = (_moment(wanted["at"]) - (clock.now() - clock.offset())).total_seconds()
    else:
        raise NoSuchMoment
    if abs(seconds) > MAX_OFFSET_SECONDS:
        raise NoSuchMoment
    return seconds


def _moment(said: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError) as wrong:
        raise NoSuchMoment from wrong
    if moment.tzinfo is None:
        raise NoSuchMoment
    return moment


class ClockDoesNotMove(Invalid):
    code = "clock_does_not_move"
    message = "未设置 CLOCK_FILE，时钟不可调整"


def _write_offset(seconds: float) -> None:
    """Whoever reads the file meanwhile sees the old number or the new one, never a part."""
    file = wiring().settings.clock_file
    if file is None:
        raise ClockDoesNotMove
    draft = Path(f"{file}.{os.getpid()}")
    draft.write_text(f"{seconds:.6f}")
    draft.replace(file)
