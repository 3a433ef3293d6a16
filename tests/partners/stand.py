"""Around a partner in tests: registered ones, a signing hand, and the reference client on the true door."""

import importlib.util
import json
import secrets
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app.domain.lots.models import Lot
from app.domain.partners import actions as partners
from app.domain.partners.actions import NewKey
from app.domain.partners.models import Partner
from app.domain.units.models import Operator, Unit
from app.kernel import clock
from app.kernel.db import transaction
from simulators.gate import wire
from tests.world import staff

CLIENT = Path(__file__).resolve().parents[2] / "docs" / "partner_client.py"


@dataclass(frozen=True)
class Registered:
    """A partner and its first key."""

    id: int
    key: uuid.UUID
    made: NewKey


def partner_of(unit_id: int | None = None, operator_id: int | None = None) -> Registered:
    """The system of a unit or of an operator, registered."""
    with transaction() as session:
        unit = session.get_one(Unit, unit_id).key if unit_id else None
        operator = session.get_one(Operator, operator_id).key if operator_id else None
    name = f"示例系统{secrets.token_hex(4)}"
    made = partners.register(staff("administrator"), name, unit=unit, operator=operator)
    with transaction() as session:
        return Registered(session.query(Partner.id).filter_by(key=made.partner).scalar() or 0, made.partner, made)


@dataclass
class Hand:
    """Signs like a partner and checks what comes back; everything it sends can be sent again as it was."""

    client: FlaskClient
    partner: Registered
    key_id: str = ""
    secret: bytes = field(default=b"", repr=False)
    skew: float = 0.0

    def __post_init__(self) -> None:
        self.key_id = self.key_id or self.partner.made.key_id
        self.secret = self.secret or self.partner.made.secret

    def headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        stamp, nonce = str(int(_now() + self.skew)), secrets.token_hex(16)
        return {
            "Content-Type": "application/json", "X-Partner-Id": str(self.partner.key), "X-Key-Id": self.key_id,
            "X-Timestamp": stamp, "X-Nonce": nonce, "X-Content-SHA256": wire.digest(body),
            "X-Signature": wire.signature(self.secret, method, target, stamp, nonce, wire.digest(body)),
            "Idempotency-Key": secrets.token_hex(8),
        }  # fmt: skip

    def repeat(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> TestResponse:
        return self.client.open(f"/partner/v1{path}", method=method, data=body, headers=dict(headers))

    def send(self, method: str, path: str, content: Any = None, **more: str) -> TestResponse:
        body = b"" if content is None else json.dumps(content).encode()
        return self.repeat(method, path, body, {**self.headers(method, f"/partner/v1{path}", body), **more})

    def ask(self, method: str, path: str, content: Any = None, expect: int = 200) -> Any:
        """The answer, whose signature is that of the platform for this very request."""
        body = b"" if content is None else json.dumps(content).encode()
        headers = self.headers(method, f"/partner/v1{path}", body)
        response = self.repeat(method, path, body, headers)
        assert response.status_code == expect, response.get_data(as_text=True)
        assert wire.is_signed(self.secret, expect, headers["X-Nonce"], dict(response.headers), response.data)
        return response.get_json()

    def verdicts(self, noun: str, *records: Any) -> list[Any]:
        """`recorded`, `repeated`, or the code of the refusal, for each record of one batch."""
        answer = self.ask("POST", f"/{noun}", {noun: list(records)})
        assert [verdict["index"] for verdict in answer["verdicts"]] == list(range(len(records)))
        return [verdict["code"] or verdict["outcome"] for verdict in answer["verdicts"]]


def count(lot: Lot, free: int = 3, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    """A record of `/counts`, of five shared bays."""
    moment = (at or clock.now()).isoformat()
    return {"lot": str(lot.key), "free": free, "total": 5, "counted_at": moment, **fields}


def visit(lot: Lot, uid: str = "V1", **fields: Any) -> dict[str, Any]:
    """A record of `/visits`: a car came an hour ago; fields that are None here are left out."""
    came = clock.now() - timedelta(hours=1)
    told = {
        "lot": str(lot.key), "uid": uid, "plate": "浙A12345", "plate_color": "blue", "entered_at": came.isoformat(),
        "told_at": came.isoformat(), **fields,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _now() -> float:
    return time.time() + clock.offset().total_seconds()


def reference_client() -> ModuleType:
    """docs/partner_client.py as it lies there."""
    told = importlib.util.spec_from_file_location("partner_client", CLIENT)
    assert told
    assert told.loader
    module = importlib.util.module_from_spec(told)
    told.loader.exec_module(module)
    return module


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The platform behind a WSGI server of this process; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
