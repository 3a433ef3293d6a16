"""A city with gates: a bay for each car whose promise holds now, and the hand with which a gate signs."""

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import psycopg
from flask import Flask

import wsgi
from app.domain.gates import actions as gates
from app.domain.motorists.actions import remember_plate
from app.domain.motorists.plates import PlateColour, plate_as_seen
from app.kernel.db import transaction
from app.settings import Settings
from bench.city import ACTOR, ALL_LOTS, BAYS, FIRST, LOTS, opened_lots
from bench.gates.suburbs import copied_lots
from bench.ground import MOMENT, Ground, ground
from launcher.backing import DATABASE
from simulators.gate.wire import digest, moment, signature

DIRECTIONS: Final = ("in", "out", "in", "out")
"""Of the gates of each lot."""


@dataclass
class Gate:
    """One gate as it is on the other side of the wire: it signs, and counts its events."""

    device_id: int
    key: str
    lot: int
    direction: str
    lag: float
    secret: bytes = field(repr=False)
    seq: int = 0

    def event(self, type_: str, car: int, at: float | None = None, **fields: Any) -> Mapping[str, Any]:
        """The next one: a car was seen `at` a second of the platform's clock, or now."""
        self.seq += 1
        return {
            "event_id": f"bench-{self.device_id}-{self.seq}", "seq": self.seq, "type": type_, "plate_raw": plate(car),
            "plate_color": "blue", "direction": self.direction, "lane": "1",
            "device_time": moment(self.now() if at is None else at), **fields,
        }  # fmt: skip

    def request(self, path: str, content: Mapping[str, Any]) -> bytes:
        """A signed POST, whole."""
        body, nonce, stamp = json.dumps(content).encode(), secrets.token_hex(16), str(int(self.now()))
        signed = signature(self.secret, "POST", path, stamp, nonce, digest(body))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-Gate-Id: {self.key}\r\nX-Key-Id: k1\r\nX-Timestamp: {stamp}\r\nX-Nonce: {nonce}\r\n"
            f"X-Content-SHA256: {digest(body)}\r\nX-Signature: {signed}\r\n\r\n"
        )
        return head.encode() + body

    def now(self) -> float:
        """Seconds since 1970 by the platform's clock."""
        return time.time() + self.lag


@dataclass(frozen=True)
class Yard:
    """The city, its gates, and how many cars are awaited in each lot; car `n` of lot `m` is `m * BAYS + n`."""

    stand: Ground
    app: Flask
    superuser: psycopg.Connection[Any]
    gates: Sequence[Gate]

    def grown(self, lots: int) -> Sequence[Gate]:
        """The gates of so many lots more, each as busy as those of the city; the app is not connected then."""
        copies = copied_lots(self.superuser, lots)
        with self.app.app_context():
            installed = [_install(lot, direction, self.gates[0].lag) for lot in copies for direction in DIRECTIONS]
            self.app.extensions["sqlalchemy"].engine.dispose()
        return installed

    def of(self, direction: str) -> Sequence[Gate]:
        """The gates that lead in, or out."""
        return [gate for gate in self.gates if gate.direction == direction]


def plate(car: int) -> str:
    """What stands on a car."""
    return f"浙A{car:05d}"


def awaited(gate: Gate, number: int) -> int:
    """A car whose promise holds now in the lot of a gate."""
    return (gate.lot - ALL_LOTS.start) * BAYS + number % BAYS


@contextmanager
def yard() -> Iterator[Yard]:
    """On servers of its own; the app is not connected."""
    with ground(opened_lots) as stand:
        app = wsgi.create_app(Settings.from_environment(stand.environment))
        admin_url = stand.servers.postgres.admin_url
        lag = float((stand.folder / "clock").read_text())
        with app.app_context(), psycopg.connect(admin_url, dbname=DATABASE, autocommit=True) as superuser:
            gates_ = [_install(lot, direction, lag) for lot in ALL_LOTS for direction in DIRECTIONS]
            _promise(superuser)
            app.extensions["sqlalchemy"].engine.dispose()
            yield Yard(stand, app, superuser, gates_)


def _install(lot: int, direction: str, lag: float) -> Gate:
    with transaction():
        device, secret = (
            gates.install_gate(lot, f"示例道闸{secrets.token_hex(3)}", "1", direction, ACTOR),
            secrets.token_bytes(32),
        )
        gates.add_key(device.id, "k1", secret, ACTOR)
        return Gate(device.id, str(device.key), lot, direction, lag, secret)


def _promise(superuser: psycopg.Connection[Any]) -> None:
    """Each bay to the car with its number, for these hours."""
    with transaction():
        plates = [remember_plate(plate_as_seen(plate(car), PlateColour.BLUE)) for car in range(LOTS * BAYS)]
    told = {"first": FIRST["bay"], "plates": plates, "from": MOMENT, "until": MOMENT + timedelta(hours=3)}
    superuser.execute(_PROMISES, told)
    superuser.execute("VACUUM ANALYZE")


_PROMISES: Final = """
WITH promised AS (
    INSERT INTO bay_claim (bay_id, plate_id, kind, state, during, admit_from, admit_until)
    SELECT %(first)s + number - 1, plate_id, 'reservation', 'confirmed', tstzrange(%(from)s, %(until)s), %(from)s,
           %(until)s
    FROM unnest(%(plates)s::bigint[]) WITH ORDINALITY AS told (plate_id, number)
    RETURNING id
)
INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at)
SELECT 'claim', id, '', 'confirmed', 'confirmed', 'reservation', %(from)s FROM promised
"""
