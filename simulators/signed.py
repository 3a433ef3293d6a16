"""A platform that speaks signed JSON with one client: admission, faults, a side door, a file that outlives it."""

import argparse
import hmac
import json
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock, Thread
from types import FrameType
from typing import Any

from simulators.clock import Clock
from simulators.wire import Asked, Door, HangUp, Reply

SKEW_SECONDS = 300
KINDS = ("down", "slow", "error_500", "html", "busy", "lost_answer", "unsigned", "refuse")
Body = dict[str, Any]
Answered = tuple[int, Body]


@dataclass
class Fault:
    """One thing to go wrong: for which operation ('' = any), how many times (0 = until cleared), in which share.

    `down` hangs up before anything is done, `lost_answer` after it; `slow` waits `seconds`; `refuse` says `code`.
    """

    kind: str
    operation: str = ""
    times: int = 1
    rate: float = 1.0
    seconds: float = 0.0
    code: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")


class Book:
    """What the platform issued, by the client's request number; saved at each change when there is a file."""

    def __init__(self, file: Path | None) -> None:
        self.lock = Lock()
        self._file = file
        self.papers: dict[str, Body] = json.loads(file.read_text()) if file and file.is_file() else {}

    def save(self) -> None:
        if self._file is not None:
            draft = self._file.with_suffix(".draft")
            draft.write_text(json.dumps(self.papers, ensure_ascii=False))
            draft.replace(self._file)


@dataclass(frozen=True)
class Platform:
    """How one kind of platform answers: operations by path, and its own words for trouble."""

    name: str
    operations: Mapping[str, Callable[[Book, Clock, Body, Mapping[str, Any]], Answered]]
    refusal: Callable[[str], Answered]
    busy: Answered


class Desk:
    """The platform behind its door."""

    def __init__(self, platform: Platform, book: Book, clock: Clock, app_id: str, key: bytes) -> None:
        self._platform, self._book, self._clock = platform, book, clock
        self._app_id, self._key = app_id, key
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._random = random.Random(20260301)  # noqa: S311 - repeatable, and nobody's secret
        self.switches: dict[str, Any] = {}

    def answer(self, asked: Asked) -> Reply:
        if asked.path.startswith("/control/"):
            return self._control(asked)
        run = self._platform.operations.get(asked.path)
        if run is None or asked.method != "POST":
            return _json(404, {"error": "no such operation"})
        if not self._is_admitted(asked):
            return _json(401, {"error": "signature"})
        fault = self._take(asked.path)
        instead = self._instead(fault)
        if instead is not None:
            return self._signed(asked, instead) if fault and fault.kind in ("busy", "refuse") else _json(*instead)
        with self._book.lock:
            status, body = run(self._book, self._clock, json.loads(asked.body), self.switches)
            self._book.save()
        if fault and fault.kind == "lost_answer":
            raise HangUp
        told = (status, body)
        return _json(*told) if fault and fault.kind == "unsigned" else self._signed(asked, told)

    def _is_admitted(self, asked: Asked) -> bool:
        at, nonce, digest = asked.header("X-Timestamp"), asked.header("X-Nonce"), sha256(asked.body).hexdigest()
        right = _hmac(self._key, asked.method, asked.target, at, nonce, digest)
        fresh = at.isdecimal() and abs(self._clock.now() - int(at)) <= SKEW_SECONDS
        known = asked.header("X-App-Id") == self._app_id
        return known and fresh and hmac.compare_digest(right, asked.header("X-Signature"))

    def _signed(self, asked: Asked, told: Answered) -> Reply:
        reply, at = _json(*told), str(int(self._clock.now()))
        nonce, digest = asked.header("X-Nonce"), sha256(reply.body).hexdigest()
        signature = _hmac(self._key, str(reply.status), nonce, at, digest)
        return Reply(reply.status, reply.body, reply.headers | {"X-Timestamp": at, "X-Signature": signature})

    def _take(self, operation: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.operation in ("", operation) and self._random.random() < fault.rate:
                    if fault.times == 1:
                        self._faults.remove(fault)
                    elif fault.times > 1:
                        fault.times -= 1
                    return fault
        return None

    def _instead(self, fault: Fault | None) -> Answered | None:
        """What is answered though nothing was done; none when it is to be done."""
        match fault:
            case Fault(kind="down"):
                raise HangUp
            case Fault(kind="slow", seconds=seconds):
                time.sleep(seconds)
            case Fault(kind="error_500"):
                return 500, {"error": "server"}
            case Fault(kind="html"):
                return 502, {"html": "<html>Bad Gateway</html>"}
            case Fault(kind="busy"):
                return self._platform.busy
            case Fault(kind="refuse", code=code):
                return self._platform.refusal(code)
        return None

    def _control(self, asked: Asked) -> Reply:
        try:
            told = self._done(asked.method, asked.path.removeprefix("/control"), json.loads(asked.body or b"{}"))
        except (TypeError, ValueError) as wrong:
            return _json(400, {"error": str(wrong)})
        return _json(404, {"error": "no such control"}) if told is None else _json(200, told)

    def _done(self, method: str, path: str, wish: Body) -> Body | None:
        match method, path:
            case "GET", "/health":
                return {"status": "ok", "now": self._clock.now()}
            case "GET", "/book":
                return {"papers": list(self._book.papers.values())}
            case "POST", "/faults":
                self._faults.append(Fault(**wish))
                return wish
            case "DELETE", "/faults":
                self._faults.clear()
                return {}
            case "POST", "/switches":
                self.switches = wish
                return wish
        return None


def run(platform: Platform) -> None:
    """Reads the command line and serves until SIGTERM or SIGINT."""
    wanted = _arguments(platform.name)
    desk = Desk(platform, Book(wanted.state_file), Clock(wanted.clock_file), wanted.app_id, bytes.fromhex(wanted.key))
    door = Door(wanted.host, wanted.port, desk.answer)

    def stop(_: int, __: FrameType | None) -> None:
        Thread(target=door.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"{platform.name} stands in on http://{wanted.host}:{door.server_address[1]}", flush=True)
    door.serve_forever(poll_interval=0.1)
    door.socket.close()


def _arguments(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m simulators.{name}")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--app-id", default="development")
    parser.add_argument(
        "--key", default=os.environ.get(f"{name.upper()}_KEY"), help="64 hexadecimal digits, shared with the client"
    )
    parser.add_argument(
        "--clock-file", type=Path, default=Path(os.environ["CLOCK_FILE"]) if "CLOCK_FILE" in os.environ else None
    )
    parser.add_argument("--state-file", type=Path, help="keeps the book over restarts")
    return parser.parse_args()


def _json(status: int, body: Body) -> Reply:
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, raw, {"Content-Type": "application/json; charset=utf-8"})


def _hmac(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\n".join(parts).encode(), sha256).hexdigest()
