"""Around a gate in tests: a signing hand, the served platform, the stand-in gates."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.gates import actions as gates
from app.domain.gates.models import GateDevice
from app.domain.lots.models import Lot
from app.kernel import clock
from launcher.ports import free_ports, is_taken
from simulators.gate import wire
from tests import world

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 120.0


def eventually(condition: Callable[[], Any]) -> Any:
    """The first true answer; fails when none comes in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not become true in time")


@dataclass
class Hand:
    """Signs like a gate and checks what comes back; everything it sends can be sent again as it was."""

    client: FlaskClient
    device: GateDevice
    key_id: str = "k1"
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    skew: float = 0.0
    seq: int = 0

    def headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        stamp, nonce = str(int(_now() + self.skew)), secrets.token_hex(16)
        return {
            "Content-Type": "application/json", "X-Gate-Id": str(self.device.key), "X-Key-Id": self.key_id,
            "X-Timestamp": stamp, "X-Nonce": nonce, "X-Content-SHA256": wire.digest(body),
            "X-Signature": wire.signature(self.secret, method, target, stamp, nonce, wire.digest(body)),
        }  # fmt: skip

    def send(self, method: str, path: str, content: Any = None) -> TestResponse:
        body = b"" if content is None else json.dumps(content).encode()
        target = f"/gate/v1{path}"
        return self.repeat(method, target, body, self.headers(method, target, body))

    def repeat(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> TestResponse:
        return self.client.open(target, method=method, data=body, headers=dict(headers))

    def ask(self, method: str, path: str, content: Any = None, expect: int = 200) -> dict[str, Any]:
        """The answer, whose signature is that of the platform for this very request."""
        body = b"" if content is None else json.dumps(content).encode()
        target = f"/gate/v1{path}"
        headers = self.headers(method, target, body)
        response = self.repeat(method, target, body, headers)
        assert response.status_code == expect, response.get_data(as_text=True)
        assert wire.is_signed(self.secret, expect, headers["X-Nonce"], dict(response.headers), response.data)
        answer: dict[str, Any] = response.get_json()
        return answer

    def event(self, type_: str = "passed", plate: str = "浙A12345", **fields: Any) -> dict[str, Any]:
        """The next event of this gate."""
        self.seq += 1
        return {
            "event_id": f"ev-{self.device.id}-{self.seq}", "seq": self.seq, "type": type_, "plate_raw": plate,
            "plate_color": "blue", "direction": "in", "device_time": wire.moment(_now()), **fields,
        }  # fmt: skip

    def beat(self, **fields: Any) -> dict[str, Any]:
        """A heartbeat of a gate that has told everything and holds nothing."""
        told = {
            "device_time": wire.moment(_now()), "list_version": 0, "list_sha256": wire.list_digest([]), "queue_len": 0,
            "last_seq": self.seq, "mode": "online", "barrier": "closed", "fw": "test", **fields,
        }  # fmt: skip
        return self.ask("POST", "/heartbeat", told)


def _now() -> float:
    return time.time() + clock.offset().total_seconds()


def installed(client: FlaskClient, lot: Lot, direction: str = "in") -> Hand:
    """A gate with one key, in the hand of a test."""
    device = world.gate(lot, direction)
    hand = Hand(client, device)
    gates.add_key(device.id, hand.key_id, hand.secret, "test")
    return hand


def plan(hand: Hand, lot: Lot) -> dict[str, Any]:
    """The same gate, as the stand-in is told of it."""
    return {
        "gate_id": str(hand.device.key), "key_id": hand.key_id, "secret": hand.secret.hex(), "lot": lot.name,
        "lane": hand.device.lane, "direction": hand.device.direction,
    }  # fmt: skip


@contextmanager
def served(environ: Mapping[str, str], log: Path) -> Iterator[str]:
    """The whole platform behind one gunicorn worker with gevent; its address."""
    [port] = free_ports(1)
    words = ["--config", "launcher/gunicorn_conf.py", "--log-level", "warning", "--log-file", str(log)]
    command = [sys.executable, "-m", "gunicorn", *words, "wsgi:app"]
    told = {**os.environ, **environ, "PORT": str(port), "WEB_WORKERS": "1"}
    with log.open("ab") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=told, stdout=said, stderr=said)
    try:
        eventually(lambda: is_taken(port) or process.poll() is not None)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@dataclass
class Street:
    """The stand-in gates as a process, and its control API."""

    url: str
    process: subprocess.Popen[bytes]
    state: Path

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        response = requests.request(method, f"{self.url}/control{path}", json=content, timeout=DEADLINE_SECONDS)
        assert response.status_code == 200, response.text
        return response.json()

    def do(self, hand: Hand, deed: str, **wish: Any) -> Any:
        return self.ask("POST", f"/gates/{hand.device.key}/{deed}", wish)

    def see(self, hand: Hand) -> Any:
        return self.ask("GET", f"/gates/{hand.device.key}")


@contextmanager
def street(platform: str, state: Path, clock_file: Path) -> Iterator[Street]:
    """Stand-in gates that speak with this platform."""
    [port] = free_ports(1)
    words = ["--platform", platform, "--port", str(port), "--state", str(state), "--clock-file", str(clock_file)]
    pace = ["--poll-seconds", "2", "--heartbeat-seconds", "0.5", "--decide-seconds", "20", "--seed", "1"]
    process = subprocess.Popen([sys.executable, "-m", "simulators.gate", *words, *pace], cwd=ROOT)
    try:
        eventually(lambda: is_taken(port) or process.poll() is not None)
        yield Street(f"http://127.0.0.1:{port}", process, state)
    finally:
        process.terminate()
        assert process.wait(20) == 0
