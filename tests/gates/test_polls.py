"""A thousand gates may wait in one process, and nothing is held by them."""

import http.client
import json
import selectors
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from app.adapters.gates.waiting import Place, WaitingRoom, WaitsInTransaction, announce
from app.domain.gates import actions as gates
from app.domain.gates.actions.devices import key_place
from app.domain.gates.models import GateDevice, GateKey, GateList, GateNonce, GatePulse
from app.domain.lots.models import Lot
from app.kernel import clock, crypto
from app.kernel.db import transaction
from app.kernel.ids import new_key
from tests import world
from tests.gates.stand import DEADLINE_SECONDS, Hand, eventually, installed, served

POLLS = 1000
MANY = 150
"""Ten times as many as a process has connections. So many of the thousand wait at the same moment on any machine: a
poll is held for 25 s, and a busy machine takes the last ones in when the first are over.
"""

pytestmark = pytest.mark.timeout(300)


def bytes_of(hand: Hand, method: str, path: str, content: object = None) -> bytes:
    body = b"" if content is None else json.dumps(content).encode()
    target = f"/gate/v1{path}"
    lines = [f"{name}: {value}" for name, value in hand.headers(method, target, body).items()]
    head = [f"{method} {target} HTTP/1.1", "Host: gates", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def many_gates(client: FlaskClient, lot: Lot, count: int) -> list[Hand]:
    """As `install_gate` and `add_key` leave them, but written all at once."""
    told = {"lot_id": lot.id, "lane": "1", "direction": "in", "profile": "gate-v1", "created_at": clock.now()}
    with transaction() as session:
        devices = [GateDevice(name=f"示例道闸{number}", key=new_key(), **told) for number in range(count)]
        session.add_all(devices)
        session.flush()
        hands = [Hand(client, device) for device in devices]
        session.add_all([GatePulse(device_id=device.id) for device in devices])
        session.add_all([GateList(device_id=device.id) for device in devices])
        session.add_all([_key(hand) for hand in hands])
        return hands


def _key(hand: Hand) -> GateKey:
    sealed = crypto.seal(hand.secret.hex(), key_place(hand.device.id, hand.key_id))
    return GateKey(
        device_id=hand.device.id, key_id=hand.key_id, slot=1, secret_enc=sealed, valid=Range(clock.now(), None)
    )


def connected(url: str, hand: Hand) -> socket.socket:
    parts = urlsplit(url)
    line = socket.create_connection((parts.hostname or "", parts.port or 0))
    line.sendall(bytes_of(hand, "GET", "/commands?wait=25"))
    return line


def answer_on(line: socket.socket) -> dict[str, Any]:
    line.settimeout(DEADLINE_SECONDS)
    response = http.client.HTTPResponse(line)
    response.begin()
    answer: dict[str, Any] = json.loads(response.read())
    return answer


def asked(url: str, hand: Hand, method: str, path: str, content: object = None) -> requests.Response:
    body = b"" if content is None else json.dumps(content).encode()
    headers = hand.headers(method, f"/gate/v1{path}", body)
    return requests.request(method, f"{url}/gate/v1{path}", data=body, headers=headers, timeout=DEADLINE_SECONDS)


def test_a_thousand_open_polls_hold_no_connection_and_no_transaction_while_others_are_served(
    client: FlaskClient, lot: Lot, environment: Mapping[str, str], redis: Redis, tmp_path: Path,
    admin: "psycopg.Connection[tuple[object, ...]]",
) -> None:  # fmt: skip
    hands = many_gates(client, lot, POLLS)
    with served({**environment, "GATE_POLL_SECONDS": "25"}, tmp_path / "log") as url, ExitStack() as lines:
        polls = [lines.enter_context(connected(url, hand)) for hand in hands]
        eventually(lambda: _taken_in() >= POLLS)

        def is_served_meanwhile() -> bool:
            """On a busy machine not at once: an answer may take as long as polls are held."""
            _ask_again(url, hands, polls, lines)
            arrived = hands[0].event("arrived", world.some_plate().characters)
            assert asked(url, hands[0], "POST", "/decide", arrived).json()["decision"] == "open"
            return sum(not _is_answered(poll) for poll in polls) > MANY

        eventually(is_served_meanwhile)
        eventually(lambda: _busy(admin) == 0)
        before, newest = _taken_in(), lines.enter_context(connected(url, hands[-1]))
        eventually(lambda: _taken_in() > before)
        gates.issue(hands[-1].device.id, "open", {}, "test")
        announce(redis, hands[-1].device.id)
        assert _types(answer_on(newest)) == ["open"]
        eventually(lambda: _busy(admin) == 0)


def _ask_again(url: str, hands: Sequence[Hand], polls: list[socket.socket], lines: ExitStack) -> None:
    """As gates do: whoever had an answer asks again. On a busy machine the first polls end before the last begin."""
    for place, poll in enumerate(polls):
        if _is_answered(poll):
            polls[place] = lines.enter_context(connected(url, hands[place]))


def test_a_command_reaches_a_waiting_gate_also_while_redis_is_away(
    client: FlaskClient, lot: Lot, environment: Mapping[str, str], tmp_path: Path
) -> None:
    hand = installed(client, lot)
    away = {**environment, "REDIS_URL": "redis://127.0.0.1:1/0"}
    with served(away, tmp_path / "log") as url, connected(url, hand) as line:
        eventually(lambda: _taken_in() == 1)
        gates.issue(hand.device.id, "close", {}, "test")
        assert _types(answer_on(line)) == ["close"]


def test_a_newer_poll_sends_the_older_one_home_and_gets_the_command(
    client: FlaskClient, lot: Lot, environment: Mapping[str, str], redis: Redis, tmp_path: Path
) -> None:
    hand = installed(client, lot)
    with served(environment, tmp_path / "log") as url, connected(url, hand) as older:
        eventually(lambda: _taken_in() == 1)
        with connected(url, hand) as newer:
            assert _types(answer_on(older)) == []
            gates.issue(hand.device.id, "close", {}, "test")
            announce(redis, hand.device.id)
            assert _types(answer_on(newer)) == ["close"]


def test_nobody_waits_within_a_transaction(lot: Lot) -> None:
    with transaction(), pytest.raises(WaitsInTransaction):
        Place(lot.id).wait(time.monotonic())


def test_a_place_is_given_up_when_its_poll_ends(redis: Redis) -> None:
    room = WaitingRoom(redis, lambda _: [], recheck=3600)
    with room.place(1) as first:
        with room.place(1) as second:
            assert first.displaced
            assert not second.displaced
        assert room.waiting() == 0
    room.close()


def test_a_poll_in_another_process_sends_ours_home(redis: Redis) -> None:
    here, there = (WaitingRoom(redis, lambda _: [], recheck=3600) for _ in range(2))

    def another_poll_sends_it_home(ours: Place) -> bool:
        with there.place(1):
            return ours.displaced

    with here.place(1) as ours:
        eventually(lambda: another_poll_sends_it_home(ours))
    here.close()
    there.close()


def _is_answered(line: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        return bool(selector.select(0))


def _taken_in() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(GateNonce)) or 0


def _types(answer: Mapping[str, Any]) -> list[str]:
    return [command["type"] for command in answer["commands"]]


def _busy(admin: "psycopg.Connection[tuple[object, ...]]") -> int:
    """Sessions on this database, other than the asking one, that hold a transaction open or run a query."""
    row = admin.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND state <> 'idle'"
    ).fetchone()
    assert row is not None
    return int(str(row[0]))
