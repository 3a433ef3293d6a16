"""What all doors share is tested on the whole platform."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.stdlib import ProcessorFormatter

from app.web import logs
from tests.miniprogram.stand import app, motorist, phone, stranger

__all__ = ["app", "motorist", "phone", "stranger"]

Told = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """The log lines of this test, as they would stand on stdout."""
    logs.configure()
    stream = io.StringIO()
    handlers = [each for each in logging.getLogger().handlers if isinstance(each.formatter, ProcessorFormatter)]
    assert isinstance(handlers[0], logging.StreamHandler)
    handlers[0].setStream(stream)
    monkeypatch.setattr(logs, "stdout", lambda: stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.configure()
