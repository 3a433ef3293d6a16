"""HTTP/1.1 on a loopback address: one thread a connection, the raw request line kept as it came."""

import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from urllib.parse import parse_qsl

MOST_BYTES = 1024 * 1024
IDLE_SECONDS = 8.0


@dataclass(frozen=True)
class Asked:
    """A request; `target` is path and query exactly as sent, because that is what was signed."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def header(self, name: str) -> str:
        return str(self.headers.get(name, ""))


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class HangUp(Exception):
    """The connection is reset instead of answered."""


Answerer = Callable[[Asked], Reply]


class Door(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, host: str, port: int, answer: Answerer) -> None:
        if not ip_address(host).is_loopback:
            raise ValueError(f"{host} is no loopback address: a stand-in never serves a network")
        self.answer = answer
        super().__init__((host, port), Connection)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Closes at once: the polite half-close would turn a reset into an ordinary end."""
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is its own affair; anything else is a fault of ours and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Connection(BaseHTTPRequestHandler):
    server: Door
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    timeout = IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self) -> None:
        try:
            body = self._read()
            reply = self.server.answer(Asked(self.command, self.path, self.headers, body))
        except HangUp:
            self._reset()
            return
        self._send(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server's names

    def _read(self) -> bytes:
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BYTES or self.headers.get("Transfer-Encoding"):
            raise HangUp
        return self.rfile.read(length)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Connection", "keep-alive")
        self.send_header("Keep-Alive", f"timeout={IDLE_SECONDS:.0f}")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        # A 204 has no body and therefore no length.
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Silent: request lines hold secrets and persons."""
