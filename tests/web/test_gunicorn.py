"""What gunicorn says by itself: its log holds no camera's secret, its refusals look like ours."""

import json
import logging
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn import util
from gunicorn.http.errors import InvalidRequestMethod, LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.base import Worker

from launcher import gunicorn_conf
from launcher.gunicorn_conf import WithoutSecrets


def test_the_address_of_a_failed_request_is_written_without_its_secret() -> None:
    told = "/camera/v1/0197b5c8-0000-7000-8000-000000000000/5ec2e7/events?x=1"
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, "Error handling request %s", (told,), None)
    assert WithoutSecrets().filter(record)
    assert record.getMessage() == (
        "Error handling request /camera/v1/0197b5c8-0000-7000-8000-000000000000/***/events?x=1"
    )


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (LimitRequestLine(9000, 8190), 414, "address_too_long"),
        (LimitRequestHeaders("too many"), 431, "headers_too_large"),
        (InvalidRequestMethod("get"), 400, "bad_request"),
    ],
)
def test_what_gunicorn_refuses_itself_is_answered_like_every_refusal(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int, code: str
) -> None:
    monkeypatch.setattr(util, "write_error", gunicorn_conf.refuse)
    worker: Any = SimpleNamespace(log=logging.getLogger("gunicorn.error"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Worker.handle_error(worker, None, ours, ("127.0.0.1", 1), failure)
        head, _, body = theirs.recv(4096).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/json" in head
    assert json.loads(body)["code"] == code
    assert set(json.loads(body)) == {"code", "message", "details", "request_id"}
