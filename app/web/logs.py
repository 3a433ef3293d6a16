"""One JSON line per event on stdout; only fields on the list below ever get in.

Personal data (phones, openids, plates, coordinates) has no field, so it cannot be logged by accident. Of an
exception we keep its class and where it was raised, never its message: messages quote values.
"""

import logging
import logging.config
import sys
import traceback
from collections.abc import MutableMapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, TextIO

import orjson
import structlog

from app.kernel.trace import request_id

ALLOWED = frozenset(
    {
        "event", "level", "logger", "timestamp", "request_id", "where", "error", "sqlstate", "code",
        "method", "route", "status", "duration_ms", "policy",
        "job", "job_id", "queue", "attempt", "sweeper", "count", "seconds", "environment", "process", "fields_left_out",
    }
)  # fmt: skip
"""Names of the fields that may be logged; beside them every integer whose name ends in `_id`."""

SHOWN_OF_A_GROUP = 3
OURS = ("app", "payments", "miniprogram_api", "errors", "limits", "jobs")
"""Loggers whose words we chose ourselves."""

Event = MutableMapping[str, Any]


def _name_request(_logger: Any, _method: str, event: Event) -> Event:
    event["request_id"] = request_id.get()
    return event


def _place_of_error(_logger: Any, _method: str, event: Event) -> Event:
    """Replace an exception by its class and the lines that raised it."""
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["error"] = " ".join(type(each).__name__ for each in _within(error))
        event["where"] = [place for each in _within(error) for place in _places(each)]
    return event


def _within(error: BaseException) -> Sequence[BaseException]:
    """The error, and of a group the first of what it holds."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    held = chain.from_iterable(map(_within, error.exceptions))
    return [error, *islice(held, SHOWN_OF_A_GROUP)]


def _places(error: BaseException) -> Sequence[str]:
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _may_stay(name: str, value: Any) -> bool:
    return name in ALLOWED or name.startswith("_") or (name.endswith("_id") and isinstance(value, int))


def only_allowed(_logger: Any, _method: str, event: Event) -> Event:
    """Drop every field that is not on the list, and say which ones were dropped."""
    left_out = sorted(name for name, value in event.items() if not _may_stay(name, value))
    for name in left_out:
        del event[name]
    if left_out:
        event["fields_left_out"] = left_out
    return event


_SHARED: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _name_request,
    _place_of_error,
    only_allowed,
]


class TemplatesOnly(logging.Filter):
    """Libraries keep the template of their message; the values they would fill in are dropped."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str) and record.name.partition(".")[0] not in OURS:
            record.args = ()
        return True


def stdout() -> TextIO:
    """Where lines go."""
    return sys.stdout


def tell_served(method: str, route: str, status: int, duration_ms: float) -> None:
    """The one line of each request, with the fields of all others but without their machinery: it is the hot one."""
    line = {
        "event": "served", "method": method, "route": route, "status": status, "duration_ms": duration_ms,
        "level": "info", "logger": "requests_served", "timestamp": datetime.now(UTC), "request_id": request_id.get(),
    }  # fmt: skip
    stdout().write(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE).decode())


def configure() -> None:
    """Send our own and all libraries' log lines to stdout as JSON; libraries only from WARNING up."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_configuration())


def to_stderr() -> None:
    """For a program whose stdout holds its answers and nothing else."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)


def _configuration() -> dict[str, Any]:
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    unwrapped = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": unwrapped,
        "foreign_pre_chain": _SHARED,
    }
    stdout = {
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stdout",
        "formatter": "json",
        "filters": ["templates"],
    }
    ours = {name: {"level": "INFO"} for name in ("errors", "limits", "app", "payments", "jobs")}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "filters": {"templates": {"()": TemplatesOnly}},
        "handlers": {"stdout": stdout},
        "root": {"level": "WARNING", "handlers": ["stdout"]},
        # urllib3 warns with whole URLs, and those to WeChat carry tokens.
        "loggers": {**ours, "urllib3": {"level": "CRITICAL"}, "werkzeug": {"level": "WARNING"}},
    }
