"""How gunicorn serves the platform: many open streams in few processes, none of which stops for a database.

No preload: psycopg decides at import how it waits, so it may only be imported after gevent has patched a worker.
"""

import logging
import os
import re
import socket

import gevent
from gunicorn import util
from gunicorn.workers.base import Worker

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gevent"
worker_connections = 4_000  # open long polls count too, and they cost a greenlet each
preload_app = False
graceful_timeout = 25
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True
accesslog = None
limit_request_line = 8_190  # the longest cursor, each of its characters escaped


CAMERAS_SECRET = re.compile(r"(/camera/v1/[^/\s]*/)[^/\s?]+")


class WithoutSecrets(logging.Filter):
    """Gunicorn names the whole address of a request that failed; a camera's holds its secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line goes out, without secrets."""
        record.msg, record.args = CAMERAS_SECRET.sub(r"\1***", record.getMessage()), ()
        return True


def refuse(client: socket.socket, status: int, reason: str, _: str) -> None:
    """Answer what gunicorn itself refuses, such as too long an address, in the one shape of all refusals."""
    from app.web.errors import body_without_request  # noqa: PLC0415 - nothing of ours may be imported in the master

    body = body_without_request(status)
    head = {"Connection": "close", "Content-Type": "application/json", "Cache-Control": "no-store"}
    lines = [f"{name}: {value}" for name, value in {**head, "Content-Length": len(body)}.items()]
    util.write_nonblock(client, "\r\n".join([f"HTTP/1.1 {status} {reason}", *lines, "", ""]).encode("latin-1") + body)


def post_worker_init(worker: Worker) -> None:
    """Refuse a worker whose every query would stop all its other requests, silently."""
    worker.log.error_log.addFilter(WithoutSecrets())
    util.write_error = refuse  # gunicorn asks for its page nowhere else
    from psycopg import waiting  # noqa: PLC0415 - importing it in the master would bring about what is checked here

    if waiting.wait is waiting.wait_c:
        worker.log.critical("psycopg was imported before gevent patched this worker: queries would block it")
        os._exit(4)
    gevent.spawn(_send_polls_home, worker)


def _send_polls_home(worker: Worker) -> None:
    """A worker told to end finishes its requests; gates that only wait must not hold it up."""
    while worker.alive:
        gevent.sleep(0.2)
    worker.wsgi.extensions["gates"].waiting.close()
