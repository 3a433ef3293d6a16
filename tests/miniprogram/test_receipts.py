"""A motorist keeps titles, asks for an invoice, and opens its PDF by a link that ends."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select

from app.domain.receipts.models import ReceiptMail
from app.domain.receipts.queries import describe
from app.jobs.worker import work
from app.kernel import clock as kernel_clock
from app.kernel.db import transaction
from app.wiring import outside_transactions, wiring
from miniprogram_api import receipts
from payments.charges.actions.settle import settle
from payments.charges.queries import charge, orders_of
from payments.payees.queries import accept_samples
from payments.receipts.actions import issue_due, plan_due
from tests import world
from tests.conftest import MovableClock
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import ready
from tests.miniprogram.test_stays import drive_in
from tests.payments.platforms import Stands, standing
from tests.receipts.post import PostOffice, post_office

COMPANY = "91350100M000100Y43"


@pytest.fixture(scope="module")
def running_platforms(environment: Mapping[str, str]) -> Iterator[Stands]:
    with standing(environment["CLOCK_FILE"]) as stands:
        yield stands


@pytest.fixture
def platforms(running_platforms: Stands) -> Iterator[Stands]:
    running_platforms.calm()
    accept_samples(True)
    yield running_platforms
    accept_samples(False)


@pytest.fixture(scope="module")
def running_post(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostOffice]:
    with post_office(environment["CLOCK_FILE"], tmp_path_factory.mktemp("mail")) as office:
        yield office


@pytest.fixture
def mail(running_post: PostOffice, app: Flask, monkeypatch: pytest.MonkeyPatch) -> PostOffice:
    """A mail server on a good day, to which the platform is wired."""
    running_post.calm()
    monkeypatch.setitem(app.extensions, "gongbo", replace(wiring(), mail=outside_transactions(running_post.server())))
    return running_post


@pytest.fixture
def payer(motorist: Phone, evening: datetime, clock: MovableClock, platforms: Stands) -> Phone:
    """A motorist who has just paid six yuan to an enterprise; sample terms hold."""
    assert kernel_clock.now() - evening < timedelta(hours=1)
    lot = world.open_lot(bays=2)
    ready(motorist)
    drive_in(motorist, world.gate(lot))
    clock.move_by(timedelta(minutes=70))
    motorist.sign_in()
    stay = motorist.get("/stays/current")["stay"]["key"]
    key = uuid.UUID(motorist.post(f"/stays/{stay}/payment", expect=201)["charge"]["key"])
    believed(key)
    return motorist


def believed(charge_key: uuid.UUID) -> None:
    """WeChat vouches for the newest order of a charge."""
    with transaction():
        assert settle(world.vouched(orders_of(charge(charge_key).id)[-1]), "test") == "paid"


def issued(platforms: Stands) -> None:
    plan_due(describe)
    issue_due(platforms.clients)


def test_an_invoice_is_asked_for_issued_and_opened_by_a_link_that_ends(
    payer: Phone, stranger: Phone, platforms: Stands, clock: MovableClock
) -> None:
    title = payer.post("/invoice-titles", {"name": "某某科技公司", "tax_number": COMPANY}, expect=201)
    [owed] = payer.get("/receipts")["items"]
    assert (owed["kind"], owed["state"], owed["amount_fen"]) == ("tax_invoice", "owed", 600)
    wish = {"receipt_keys": [owed["key"]], "title_key": title["key"]}
    stranger.sign_in()
    assert stranger.post("/receipts/invoices", {"receipt_keys": [owed["key"]]}, expect=404)["code"] == "no_such_receipt"
    assert payer.post("/receipts/invoices", wish, expect=201)["items"][0]["state"] == "wanted"
    assert payer.post("/receipts/invoices", wish, expect=409)["code"] == "receipt_asked_before"
    assert payer.get(f"/receipts/{owed['key']}/file", expect=404)["code"] == "no_such_receipt"
    issued(platforms)
    shown = payer.get(f"/receipts/{owed['key']}")
    assert (shown["state"], len(shown["number"])) == ("issued", 20)
    link = payer.get(f"/receipts/{owed['key']}/file")
    assert stranger.get(f"/receipts/{owed['key']}/file", expect=404)["code"] == "no_such_receipt"
    assert not any(word in link["url"] for word in ("浙", "%E6%B5%99", COMPANY, payer.openid))
    opened = payer.client.get(link["url"])
    assert (opened.status_code, opened.mimetype, opened.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert payer.client.get(link["url"][:-3] + "abc").get_json()["code"] == "link_ended"
    clock.move_by(timedelta(minutes=11))
    assert payer.client.get(link["url"]).get_json()["code"] == "link_ended"


def test_the_remark_names_plate_and_times(payer: Phone, platforms: Stands) -> None:
    [owed] = payer.get("/receipts")["items"]
    payer.post("/receipts/invoices", {"receipt_keys": [owed["key"]]}, expect=201)
    issued(platforms)
    number = payer.get(f"/receipts/{owed['key']}")["number"]
    [taken] = [each for each in platforms.tax.control("GET", "book")["papers"] if each["number"] == number]
    plate = payer.get("/vehicles")[0]["plate"].replace("·", "")
    assert plate in taken["asked"]["remark"].replace("·", "")
    assert taken["asked"]["buyer_name"] == "个人"


@pytest.mark.parametrize("name", ["\u200b", "\ufeff", "某\u202e公司", "某\x07公司", " "])
def test_a_title_shows_all_that_it_says(motorist: Phone, name: str) -> None:
    assert motorist.post("/invoice-titles", {"name": name}, expect=422)["code"] == "title_name_wrong"


def test_titles_are_ones_own_checked_and_removed(motorist: Phone, stranger: Phone) -> None:
    wrong = motorist.post("/invoice-titles", {"name": "某公司", "tax_number": COMPANY[:-1] + "4"}, expect=422)
    assert wrong["code"] == "tax_number_wrong"
    kept = motorist.post("/invoice-titles", {"name": "某公司", "tax_number": COMPANY, "is_usual": True}, expect=201)
    other = motorist.post("/invoice-titles", {"name": "本人"}, expect=201)
    assert [each["name"] for each in motorist.get("/invoice-titles")["items"]] == ["某公司", "本人"]
    assert stranger.get("/invoice-titles") == {"items": []}
    assert stranger.delete(f"/invoice-titles/{kept['key']}", expect=404) is not None
    motorist.delete(f"/invoice-titles/{other['key']}")
    assert [each["key"] for each in motorist.get("/invoice-titles")["items"]] == [kept["key"]]


def test_receipts_are_sent_by_email_and_the_mail_is_ones_own(
    payer: Phone, stranger: Phone, platforms: Stands, mail: PostOffice, app: Flask
) -> None:
    [owed] = payer.get("/receipts")["items"]
    wish = {"receipt_keys": [owed["key"]], "email": "caiwu@example.com.cn"}
    assert payer.post("/receipts/mails", wish, expect=409)["code"] == "receipt_not_issued"
    payer.post("/receipts/invoices", {"receipt_keys": [owed["key"]]}, expect=201)
    issued(platforms)
    asked = payer.post("/receipts/mails", wish, expect=202, key="asked-for-this-once")
    assert (asked["state"], asked["ended_at"]) == ("due", None)
    assert payer.post("/receipts/mails", wish, expect=202, key="asked-for-this-once") == asked
    stranger.sign_in()
    assert stranger.post("/receipts/mails", wish, expect=404)["code"] == "no_such_receipt"
    assert stranger.get(f"/receipts/mails/{asked['key']}", expect=404)["code"] == "no_such_receipt_mail"
    work(app, wiring().settings, until_empty=True)
    shown = payer.get(f"/receipts/mails/{asked['key']}")
    assert (shown["state"], shown["ended_at"] is None) == ("delivered", False)
    assert "caiwu" not in str(shown)
    assert [each["to"] for each in mail.letters()] == [["caiwu@example.com.cn"]]


def test_what_is_no_address_is_refused_and_not_said_back(motorist: Phone, mail: PostOffice) -> None:
    wish = {"receipt_keys": [str(uuid.uuid4())]}
    for email, code in [("a@example.cn\r\nBcc: b@example.cn", "email_unfit"), ("x" * 300, "invalid")]:
        refused = motorist.post("/receipts/mails", {**wish, "email": email}, expect=422)
        assert refused["code"] == code
        assert email not in str(refused)
    assert mail.letters() == []


@pytest.fixture
def wish(payer: Phone, platforms: Stands) -> dict[str, Any]:
    """To have the payer's invoice, which was issued, sent to an address that takes two mails a day."""
    [owed] = payer.get("/receipts")["items"]
    payer.post("/receipts/invoices", {"receipt_keys": [owed["key"]]}, expect=201)
    issued(platforms)
    return {"receipt_keys": [owed["key"]], "email": "caiwu@example.com.cn"}


def mails() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(ReceiptMail)) or 0


def test_one_mailbox_is_not_filled_whoever_asks(
    payer: Phone, mail: PostOffice, redis: Redis, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "TO_ONE_ADDRESS", "2/day")
    first = payer.post("/receipts/mails", wish, expect=202, key="asked-for-this-once")
    payer.post("/receipts/mails", wish | {"email": "CAIWU@example.com.cn"}, expect=202)
    before = mails()
    assert payer.post("/receipts/mails", wish, expect=429)["code"]
    assert mails() == before
    assert payer.post("/receipts/mails", wish, expect=202, key="asked-for-this-once") == first
    payer.post("/receipts/mails", wish | {"email": "another@example.com.cn"}, expect=202)
    assert mail.letters() == []
    assert not [key for key in redis.scan_iter() if b"caiwu" in key.lower()]


def test_what_comes_to_nothing_uses_nobodys_day_up(
    payer: Phone, stranger: Phone, mail: PostOffice, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "TO_ONE_ADDRESS", "2/day")
    stranger.sign_in()
    for keys in (wish["receipt_keys"], [str(uuid.uuid4())], [str(uuid.uuid4())]):
        stranger.post("/receipts/mails", wish | {"receipt_keys": keys}, expect=404)
    for _ in range(3):
        payer.post("/receipts/mails", wish, expect=202, key="asked-for-this-once")
    payer.post("/receipts/mails", wish, expect=202)
    assert mail.letters() == []


def test_without_a_mail_server_nothing_is_promised(payer: Phone) -> None:
    assert wiring().mail is None
    [owed] = payer.get("/receipts")["items"]
    wish = {"receipt_keys": [owed["key"]], "email": "caiwu@example.com.cn"}
    assert payer.post("/receipts/mails", wish, expect=503)["code"] == "receipt_mail_not_offered"
