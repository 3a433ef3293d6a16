"""Nobody is waited for beyond a deadline, however little of an answer comes however often."""

import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from app.adapters.city import client as city
from app.adapters.city import outcomes
from app.adapters.gates import isecure, vzenith_web
from app.adapters.identity import wire as identity
from app.adapters.mail import Letter, NotNow
from app.adapters.mail import client as mail
from app.adapters.outbound import Reach, TimelyAdapter
from app.adapters.receipts import wire as receipts
from app.kernel.deadline import NoDeadline, Overdue, within
from payments.wechat.http import Call, Wire
from payments.wechat.outcomes import Unknown
from tests.lines import Dripping

SHORT = 0.1
HERE = Reach(loopback=True)
HEADERS, BODY = b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
STAGES = {"headers": HEADERS, "body": BODY, "body without a length": ENDLESS}


@pytest.fixture(params=STAGES)
def peer(request: pytest.FixtureRequest) -> Iterator[str]:
    """One that says the first words of an answer at once, and then a byte now and then for ever."""
    with Dripping(STAGES[request.param]) as dripping:
        yield dripping.url


def now() -> datetime:
    return datetime.now(UTC)


def camera(url: str) -> Any:
    return vzenith_web.VzenithWeb(HERE).rows(url)


def park_list(url: str) -> Any:
    return isecure.Isecure(HERE, now).reservations(park_account(url))


def park_told(url: str) -> Any:
    return isecure.Isecure(HERE, now).cancel(park_account(url), "1")


def park_account(url: str) -> isecure.ParkAccount:
    return isecure.ParkAccount(url=url, app_key="key", secret=b"secret", park="1")


KEY = rsa.generate_private_key(65537, 2048)


def city_told(url: str) -> Any:
    account = city.CityAccount(url, "us", KEY.public_key(), KEY)
    return city.CitySystem(account, now, HERE)._exchange("/", {})


def platform(url: str) -> Any:
    try:
        return receipts.Wire(receipts.Account(url, "us", b"key"), now, HERE).post("/", {})
    except receipts.Silent as silent:
        return str(silent)


def mini_program(url: str) -> Any:
    try:
        return identity.Wire(url).get("/", {})
    except identity.Unanswered as unanswered:
        return str(unanswered)


class Unsigned:
    def authorization(self, *_: object) -> str:
        return ""


def pay(url: str) -> Wire:
    signer: Any = Unsigned()
    return Wire([url, url], signer, "serial", now)


def order(url: str) -> Any:
    return pay(url).exchange(Call("GET", "/", whole_seconds=SHORT))


def bill(url: str) -> Any:
    return pay(url).download(Call("GET", "/", whole_seconds=SHORT), f"{url}/bill", io.BytesIO(), 10_000)


ASKED: list[tuple[Callable[[str], Any], Any]] = [
    (camera, None),
    (park_list, None),
    (park_told, "unknown"),
    (city_told, outcomes.Unknown("no answer: Overdue")),
    (platform, "Overdue"),
    (mini_program, "no answer"),
    (order, Unknown("timeout")),
    (bill, Unknown("the download broke off")),
]


@pytest.mark.parametrize(("ask", "learned"), ASKED, ids=[ask.__name__ for ask, _ in ASKED])
def test_one_who_drips_an_answer_has_not_answered(
    peer: str, ask: Callable[[str], Any], learned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (
        (vzenith_web, "LIST_SECONDS"), (isecure, "LIST_SECONDS"), (isecure, "TELLING_SECONDS"),
        (city, "UPLOAD_SECONDS"), (receipts, "WHOLE_SECONDS"), (identity, "WHOLE_SECONDS"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, SHORT)
    began = time.monotonic()
    assert ask(peer) == learned
    assert time.monotonic() - began < 3, "each single piece came within the second"


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, TimelyAdapter())
        yield session


def test_a_greeting_of_tls_that_drips_is_ended_too(session: requests.Session) -> None:
    with Dripping(b"\x16\x03\x03\x20\x00") as dripping, pytest.raises(Overdue), within(SHORT):
        session.get(dripping.url.replace("http:", "https:"), timeout=3, verify=False)


def test_nobody_calls_out_without_a_deadline(session: requests.Session) -> None:
    with Dripping(BODY) as dripping, pytest.raises(NoDeadline):
        session.get(dripping.url, timeout=3)


def test_a_line_that_is_kept_is_ended_by_the_deadline_of_whoever_uses_it(session: requests.Session) -> None:
    with Dripping(BODY, first=ANSWER) as dripping:
        with within(SHORT):
            assert session.get(dripping.url, timeout=3).text == "ok"
        with pytest.raises(Overdue), within(SHORT):
            session.get(dripping.url, timeout=3)
        assert dripping.visitors == 1


def test_a_mail_server_that_drips_its_greeting_has_taken_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "ADMISSION_SECONDS", SHORT)
    letter = Letter(uuid4(), "caiwu@example.com.cn", "票据", "您好", now(), [])
    with Dripping(b"220 ", greets=True) as dripping:
        account = mail.MailAccount("127.0.0.1", dripping.port, "starttls", "us@gongbo.example")
        assert mail.MailServer(account, HERE).send(letter) == NotNow(None, for_all=True)
