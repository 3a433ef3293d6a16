"""The whole platform in a test: real database, the WeChat stand-in as a process, motorists on their phones."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.motorists.actions import publish_agreement
from app.domain.motorists.published import SAMPLE_TITLE, SAMPLE_VERSION, sample_agreement
from tests.wechat.stand import Stand

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass
class Phone:
    """A motorist's phone: signed in or not, at an address of its own."""

    client: FlaskClient
    wechat: Stand
    openid: str = ""
    access: str = ""
    refresh: str = ""
    address: str = field(default_factory=lambda: ".".join(str(1 + secrets.randbelow(254)) for _ in range(4)))

    def login_code(self) -> str:
        minted = self.wechat.control("login-codes", **({"openid": self.openid} if self.openid else {}))
        self.openid = str(minted["openid"])
        return str(minted["code"])

    def phone_code(self) -> str:
        return str(self.wechat.control("phone-codes", openid=self.openid)["code"])

    def sign_in(self) -> "Phone":
        self.keep(self.post("/sessions", {"code": self.login_code()}, expect=201))
        return self

    def keep(self, session: dict[str, Any]) -> None:
        self.access, self.refresh = session["access_token"], session["refresh_token"]

    def signed(self) -> "Phone":
        """Signed in, with the agreement signed."""
        self.sign_in()
        self.post("/agreement/signatures", {"version": self.get("/agreement")["version"]}, expect=201)
        return self

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None, **words: Any) -> TestResponse:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, **words.pop("headers", {})}
        if self.access:
            headers.setdefault("Authorization", f"Bearer {self.access}")
        if body is not None:
            words["json"] = body
        base = {"REMOTE_ADDR": self.address}
        return self.client.open(f"/mp/v1{path}", method=method, headers=headers, environ_base=base, **words)

    def post(self, path: str, body: Any = None, expect: int = 200, key: str | None = None) -> Any:
        return _expected(self.ask("POST", path, body, key), expect)

    def get(self, path: str, query: Mapping[str, Any] | None = None, expect: int = 200) -> Any:
        return _expected(self.ask("GET", path, query_string=query), expect)

    def put(self, path: str, body: Any, expect: int = 200) -> Any:
        return _expected(self.ask("PUT", path, body), expect)

    def delete(self, path: str, expect: int = 204) -> Any:
        return _expected(self.ask("DELETE", path), expect)


def _expected(response: TestResponse, status: int) -> Any:
    assert response.status_code == status, response.get_data(as_text=True)
    return response.get_json(silent=True)


def a_plate() -> str:
    """An ordinary plate that no other test uses."""
    return "浙A" + "".join(secrets.choice("0123456789") for _ in range(3)) + "".join(
        secrets.choice(LETTERS) for _ in range(2)
    )  # fmt: skip


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""Before every moment at which a test plays."""


@pytest.fixture
def app(app: Flask) -> Flask:
    """The platform in an empty city where the sample agreement is in force."""
    publish_agreement(SAMPLE_VERSION, SAMPLE_TITLE, sample_agreement(), LONG_AGO)
    return app


@pytest.fixture
def phone(app: Flask, wechat_stand_in: Stand) -> Phone:
    """The phone of somebody who has never been here."""
    return Phone(app.test_client(), wechat_stand_in)


@pytest.fixture
def motorist(phone: Phone) -> Phone:
    """Somebody signed in who has signed the agreement."""
    return phone.signed()


@pytest.fixture
def stranger(app: Flask, wechat_stand_in: Stand) -> Phone:
    """Somebody else, signed in and with the agreement signed."""
    return Phone(app.test_client(), wechat_stand_in).signed()
