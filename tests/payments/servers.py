"""The processes and doors around the money rooms."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.serving import make_server

from app.settings import Settings
from launcher.ports import is_taken
from launcher.processes import await_that
from tests.mortals import born
from tests.payments.mortal import open_doors

ROOT = Path(__file__).parents[2]
READY_SECONDS = 50
T = TypeVar("T")


def await_port(port: int, process: BaseProcess) -> None:
    """Return when something listens; fail when the process ended or took too long."""
    assert await_that(lambda: is_taken(port) or not process.is_alive(), READY_SECONDS), f"nothing listens on {port}"
    assert process.is_alive(), "the process ended before it listened"


@dataclass(frozen=True)
class Simulator:
    """The control of the WeChat stand-in."""

    port: int

    def control(self, method: str, path: str, wish: Mapping[str, Any] | None = None) -> dict[str, Any]:
        status, body = self.ask(method, path, wish)
        assert status == 200, body
        return body

    def ask(self, method: str, path: str, wish: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, f"/control{path}", json.dumps(wish) if wish is not None else None)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    def order(self, out_trade_no: str) -> dict[str, Any]:
        """One order in WeChat's own book."""
        shown: dict[str, Any] = self.control("GET", f"/book?out_trade_no={out_trade_no}")["orders"][0]
        return shown


class Door:
    """The app behind a threaded HTTP server on the port that WeChat was told."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.port = self.port_of(settings)
        self._server = make_server("127.0.0.1", self.port, app, threaded=True)

    @staticmethod
    def port_of(settings: Settings) -> int:
        return urlsplit(settings.wechat.notify_url).port or 0

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", "/wechat/notices/transactions", body, dict(headers))
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer


class MortalDoor:
    """The same door as a process of its own, which kills itself at a fault point."""

    def __init__(self, told: Mapping[str, str], port: int, plan: str) -> None:
        self.port = port
        self._environment = {**told, "FAULT_PLAN": plan}

    def __enter__(self) -> Self:
        self.process = born(self._environment, open_doors, self.port)
        await_port(self.port, self.process)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.join()


def in_parallel(app: Flask, copies: int, act: Callable[[], T]) -> list[T]:
    """Run the same act in threads of their own, each with a session of its own."""

    def once(_: int) -> T:
        with app.app_context():
            return act()

    with ThreadPoolExecutor(copies) as pool:
        return list(pool.map(once, range(copies)))
