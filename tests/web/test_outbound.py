"""Calls outward end where we mean them to, whatever a name says of itself."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
import requests

from app.adapters.gates.vzenith_web import VzenithWeb
from app.adapters.outbound import Reach, bounded, guarded_session

CITY = Reach([ip_network("10.20.0.0/16")])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "::", "169.254.169.254", "fe80::1%eth0", "224.0.0.1", "10.0.0.1", "192.168.1.1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fd00::1", "100.64.0.1",
    ],
)  # fmt: skip
def test_this_machine_its_neighbours_and_metadata_are_out_of_reach(address: str) -> None:
    assert not CITY.holds(address)


@pytest.mark.parametrize("address", ["10.20.3.4", "::ffff:10.20.3.4", "8.8.8.8", "2606:4700::1"])
def test_public_addresses_and_named_networks_are_within_reach(address: str) -> None:
    assert CITY.holds(address)


class _Door(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.asked = True  # type: ignore[attr-defined]
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def door() -> Iterator[Any]:
    """A program on this machine that would send us elsewhere."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Door) as server:
        server.asked = False  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001"])
def test_however_it_is_written_this_machine_is_not_called(door: Any, host: str) -> None:
    with pytest.raises(requests.ConnectionError):
        guarded_session(CITY).post(f"http://{host}:{door.server_port}/")
    assert not door.asked


def test_a_name_is_resolved_once_and_what_was_looked_at_is_called(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["93.184.215.14", "127.0.0.1"])
    looked_up: list[str] = []

    def changing(host: str, port: int, *_: object, **__: object) -> list[Any]:
        if host != "camera.example":
            looked_up.append(host)
            raise OSError("the address that was looked at")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    with pytest.raises(requests.ConnectionError):
        guarded_session(CITY).post(f"http://camera.example:{door.server_port}/", timeout=1)
    assert (looked_up, door.asked) == (["93.184.215.14"], False)


def test_one_bad_address_among_good_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("8.8.8.8", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(requests.ConnectionError):
        guarded_session(CITY).post("http://camera.example/", timeout=1)


def test_a_camera_that_sends_us_elsewhere_has_not_answered(door: Any) -> None:
    assert VzenithWeb(Reach(loopback=True)).rows(f"http://127.0.0.1:{door.server_port}") is None
    assert door.asked


def test_an_answer_without_end_is_cut() -> None:
    assert len(bounded(iter([b"x" * 1000] * 5000), most=10_000)) == 10_001
