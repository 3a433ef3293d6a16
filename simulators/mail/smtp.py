"""Submission by SMTP (RFC 5321, 3207, 4954): one thread a line; nothing is taken without TLS and a password."""

import base64
import binascii
import re
import socket
import socketserver
import ssl
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO

from simulators.clock import Clock
from simulators.mail.faults import Fault, Faults
from simulators.mail.mailbox import Mailbox

MOST_BYTES = 10 * 1024 * 1024
LONGEST_LINE = 2048
IDLE_SECONDS = 30.0
PATH = re.compile(r"(?:FROM|TO):<([^<>\s]*)>(?: (.*))?", re.IGNORECASE)


class HangUp(Exception):
    """The line is reset."""


class Over(Exception):
    """The line ends as it should, or the client has gone."""


@dataclass(frozen=True)
class Office:
    """What all lines share. With `tls` a line begins so; without, by STARTTLS."""

    mailbox: Mailbox
    faults: Faults
    clock: Clock
    trust: ssl.SSLContext
    user: str
    password: str
    tls: bool


class SmtpDoor(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, host: str, port: int, office: Office) -> None:
        if not ip_address(host).is_loopback:
            raise ValueError(f"{host} is no loopback address: a stand-in never serves a network")
        self.office = office
        super().__init__((host, port), Line)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up or dislikes our certificate is its own affair; the rest is a fault of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def trust_of(certificate: Path) -> ssl.SSLContext:
    """TLS with the certificate and key of a file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Line(socketserver.BaseRequestHandler):
    """One session, a command after the other."""

    server: SmtpDoor
    connection: socket.socket
    reader: BinaryIO

    def handle(self) -> None:
        self._office = self.server.office
        self._sender, self._to, self._is_known = "", list[str](), False
        self.request.settimeout(IDLE_SECONDS)
        self._use(self._wrapped(self.request) if self._office.tls else self.request)
        try:
            self._answer("connect", 220, "mail.gongbo.example ESMTP stand-in")
            while True:
                self._obey(self._read())
        except Over:
            return
        except HangUp:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            self.reader.close()
            self.connection.close()

    def _use(self, connection: socket.socket) -> None:
        self.connection, self.reader = connection, connection.makefile("rb")

    def _wrapped(self, connection: socket.socket) -> ssl.SSLSocket:
        return self._office.trust.wrap_socket(connection, server_side=True)

    @property
    def _tls(self) -> str:
        return (self.connection.version() or "") if isinstance(self.connection, ssl.SSLSocket) else ""

    def _read(self) -> str:
        line = self.reader.readline(LONGEST_LINE)
        if not line.endswith(b"\r\n"):
            raise Over
        return line[:-2].decode("ascii", "replace")

    def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        known = self._commands.get(word.upper())
        if known is None:
            self._say(502, "command not implemented")
        else:
            known(self, rest.strip())

    def _hello(self, _: str) -> None:
        offered = ["mail.gongbo.example", f"SIZE {MOST_BYTES}", "8BITMIME"]
        offered += ["AUTH PLAIN LOGIN"] if self._tls else ["STARTTLS"] if self._office.faults.offers_starttls else []
        self._answer("hello", 250, *offered)

    def _starttls(self, _: str) -> None:
        if self._tls or not self._office.faults.offers_starttls:
            self._say(503, "not offered")
            return
        self._say(220, "go ahead")
        self.reader.close()
        self._use(self._wrapped(self.connection))

    def _auth(self, rest: str) -> None:
        kind, _, first = rest.partition(" ")
        if not self._tls:
            self._say(530, "5.7.0 STARTTLS first")
            return
        self._is_known = self._gave(kind.upper(), first) == (self._office.user, self._office.password)
        if self._is_known:
            self._answer("auth", 235, "2.7.0 welcome")
        else:
            self._say(535, "5.7.8 wrong user or password")

    def _gave(self, kind: str, first: str) -> tuple[str, str]:
        if kind == "PLAIN":
            _, _, told = _decoded(first or self._asked("")).partition("\0")
            user, _, password = told.partition("\0")
            return user, password
        user = _decoded(first or self._asked("Username:"))
        return user, _decoded(self._asked("Password:"))

    def _asked(self, question: str) -> str:
        self._say(334, base64.b64encode(question.encode()).decode())
        return self._read()

    def _mail(self, rest: str) -> None:
        path = PATH.fullmatch(rest)
        size = re.search(r"SIZE=(\d+)", (path[2] or "").upper()) if path else None
        if not self._is_known:
            self._say(530, "5.7.0 who are you?")
        elif path is None or not path[1]:
            self._say(501, "5.5.4 no such sender")
        elif size and int(size[1]) > MOST_BYTES:
            self._say(552, "5.3.4 too large")
        elif self._answer("mail", 250, "2.1.0 sender ok"):
            self._sender, self._to = path[1], []

    def _rcpt(self, rest: str) -> None:
        path = PATH.fullmatch(rest)
        if not self._sender:
            self._say(503, "5.5.1 MAIL first")
        elif path is None or "@" not in path[1]:
            self._say(501, "5.1.3 no such address")
        elif self._answer("rcpt", 250, "2.1.5 recipient ok"):
            self._to.append(path[1])

    def _data(self, _: str) -> None:
        if not self._to:
            self._say(503, "5.5.1 RCPT first")
        elif self._answer("data", 354, "end with a dot"):
            self._take(self._letter())

    def _take(self, raw: bytes) -> None:
        office = self._office
        fault = office.faults.take("letter")
        if fault is None or fault.kind == "lost_answer":
            number = office.mailbox.take(self._sender, tuple(self._to), raw, self._tls, office.clock.now())
        if fault is None:
            self._say(250, f"2.0.0 taken as {number}")
        else:
            self._fail(fault)
        self._sender, self._to = "", []

    def _letter(self) -> bytes:
        lines: list[bytes] = []
        size = 0
        while (line := self.reader.readline(LONGEST_LINE)) != b".\r\n":
            size += len(line)
            if not line.endswith(b"\r\n") or size > MOST_BYTES:
                raise Over
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _reset(self, _: str) -> None:
        self._sender, self._to = "", []
        self._say(250, "2.0.0 ok")

    def _nothing(self, _: str) -> None:
        self._say(250, "2.0.0 ok")

    def _quit(self, _: str) -> None:
        self._say(221, "2.0.0 bye")
        raise Over

    def _answer(self, stage: str, code: int, *lines: str) -> bool:
        """Say it, unless something goes wrong at this stage; whether it was said."""
        fault = self._office.faults.take(stage)
        if fault is None:
            self._say(code, *lines)
        else:
            self._fail(fault)
        return fault is None

    def _fail(self, fault: Fault) -> None:
        match fault.kind:
            case "hang_up" | "lost_answer":
                raise HangUp
            case "garble":
                self.connection.sendall(b"<html>Bad Gateway</html>\r\n")
            case "defer":
                self._say(fault.code or 451, "4.7.1 later")
            case _:
                self._say(fault.code or 550, f"{fault.enhanced} {self._to or self._sender} not here")

    def _say(self, code: int, *lines: str) -> None:
        told = [f"{code}-{line}" for line in lines[:-1]] + [f"{code} {lines[-1]}"]
        self.connection.sendall("".join(f"{line}\r\n" for line in told).encode())

    _commands: dict[str, Callable[["Line", str], None]] = {  # noqa: RUF012 - a table
        "EHLO": _hello, "HELO": _hello, "STARTTLS": _starttls, "AUTH": _auth, "MAIL": _mail, "RCPT": _rcpt,
        "DATA": _data, "RSET": _reset, "NOOP": _nothing, "QUIT": _quit,
    }  # fmt: skip


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
