"""The stand-in WeChat as tests see it: a process, its side door, and a merchant's notice address."""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any

import requests

from payments.wechat import JsapiOrder, KeyRing, MerchantAccount, WeChatPay, read_private_key

DEADLINE_SECONDS = 20.0
SUB_MCHID = "1900000109"


@dataclass
class Time:
    """Our clock and the stand-in's: the machine's plus the offset in one file."""

    file: Path

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.file.read_text()))

    def set(self, offset_seconds: float) -> None:
        draft = self.file.with_suffix(".draft")
        draft.write_text(str(offset_seconds))
        draft.replace(self.file)


@dataclass
class Stand:
    """A running stand-in."""

    url: str
    environment: dict[str, str]
    time: Time
    session: requests.Session = field(default_factory=requests.Session)

    def control(self, path: str, method: str = "POST", **wish: Any) -> dict[str, Any]:
        response = self.answer(path, method, **wish)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def answer(self, path: str, method: str = "POST", **wish: Any) -> requests.Response:
        return self.session.request(method, f"{self.url}/control/{path}", json=wish or None, timeout=10)

    def book(self, number: str) -> dict[str, Any]:
        response = self.session.get(f"{self.url}/control/book", params={"out_trade_no": number}, timeout=10)
        book: dict[str, Any] = response.json()
        return book

    def openid(self) -> str:
        return str(self.control("login-codes")["openid"])

    def calm(self) -> None:
        """Everything as WeChat is on a good day, at whatever time it is."""
        self.control("calm")

    def account(self) -> MerchantAccount:
        return account_of(self.environment)

    def client(self, *urls: str) -> WeChatPay:
        return WeChatPay(self.account(), urls or (self.url,), self.time.now)

    def order(self, notify_url: str = "http://127.0.0.1:9/notices", **changed: Any) -> JsapiOrder:
        wanted: dict[str, Any] = {
            "out_trade_no": f"T{uuid.uuid4().hex[:24]}",
            "sub_mchid": SUB_MCHID,
            "description": "杭州共泊停车费",
            "amount_fen": 1250,
            "sp_openid": self.openid(),
            "notify_url": notify_url,
            "time_expire": self.time.now() + timedelta(minutes=15),
        }
        return JsapiOrder(**(wanted | changed))


def account_of(environment: dict[str, str]) -> MerchantAccount:
    """The merchant account that an environment file describes."""
    named = dict(pair.split("=", 1) for pair in environment["WECHAT_PUBLIC_KEYS"].split(","))
    return MerchantAccount(
        sp_mchid=environment["WECHAT_SP_MCHID"],
        sp_appid=environment["WECHAT_APP_ID"],
        certificate_serial=environment["WECHAT_MERCHANT_SERIAL"],
        private_key=read_private_key(Path(environment["WECHAT_MERCHANT_KEY_FILE"])),
        apiv3_keys=(environment["WECHAT_APIV3_KEY"].encode(),),
        platform_keys=KeyRing.read({serial: Path(path) for serial, path in named.items()}),
    )


@contextmanager
def standing(directory: Path, *options: str) -> Iterator[Stand]:
    """A stand-in of its own, with keys in `directory`, killed when left."""
    clock_file = directory / "clock"
    clock_file.write_text("0")
    port = free_port()
    command = [sys.executable, "-m", "simulators.wechat", "--port", str(port), "--keys", str(directory / "keys")]
    process = subprocess.Popen(
        [*command, "--clock-file", str(clock_file), *options],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"CLOCK_FILE": ""},
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: process.poll() is None and _is_healthy(url))
        stand = Stand(url, read_environment(directory / "keys" / "wechat.env"), Time(clock_file))
        yield stand
        stand.session.close()
    finally:
        process.terminate()
        process.wait(10)


def read_environment(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(holds: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """Waits until `holds()`; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def _is_healthy(url: str) -> bool:
    try:
        return requests.get(f"{url}/control/health", timeout=1).status_code == 200
    except requests.ConnectionError:
        return False


@dataclass
class Received:
    """One notice as it lay at the door."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return str(json.loads(self.body)["id"])


class Merchant:
    """A merchant's notice address: answers the next of `statuses`, then 204; not at all while it is not `awake`."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.received: list[Received] = []
        self.awake = Event()
        self.awake.set()
        self._arrival = Condition()
        merchant = self

        class Post(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = merchant.accept(Received(dict(self.headers), body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Tests look at `received`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Post)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/notices/wechat"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def accept(self, notice: Received) -> int:
        self.awake.wait(DEADLINE_SECONDS)
        with self._arrival:
            self.received.append(notice)
            self._arrival.notify_all()
            return self.statuses.pop(0) if self.statuses else 204

    def wait_for(self, count: int) -> list[Received]:
        with self._arrival:
            assert self._arrival.wait_for(lambda: len(self.received) >= count, DEADLINE_SECONDS)
            return list(self.received)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
