import base64
import json

from sqlalchemy import select

from app.domain.motorists.models import Motorist
from app.kernel.db import transaction
from tests.miniprogram.stand import Phone


def test_the_first_sign_in_makes_a_motorist_and_the_second_finds_them(phone: Phone) -> None:
    phone.sign_in()
    first = _subject(phone)
    phone.sign_in()
    assert _subject(phone) == first


def test_an_openid_does_not_rest_in_the_clear(phone: Phone) -> None:
    phone.sign_in()
    with transaction() as session:
        rows = session.scalars(select(Motorist)).all()
    assert all(phone.openid.encode() not in (row.openid_enc or b"") + (row.openid_bidx or b"") for row in rows)


def test_a_login_code_that_wechat_does_not_know_is_refused(phone: Phone) -> None:
    assert phone.post("/sessions", {"code": "0a1b2c-never-given"}, expect=401)["code"] == "login_code_refused"


def test_a_login_code_is_good_once(phone: Phone) -> None:
    code = phone.login_code()
    phone.post("/sessions", {"code": code}, expect=201)
    assert phone.post("/sessions", {"code": code}, expect=401)["code"] == "login_code_refused"


def test_when_wechat_is_busy_nobody_is_signed_in_and_trying_again_is_offered(phone: Phone) -> None:
    phone.wechat.control("faults", operation="login", kind="errcode", errcode=-1)
    refused = phone.ask("POST", "/sessions", {"code": phone.login_code()})
    assert (refused.status_code, refused.get_json()["code"]) == (503, "wechat_unavailable")
    assert refused.headers["Retry-After"]


def test_the_eleventh_sign_in_of_a_minute_from_one_address_has_to_wait(phone: Phone) -> None:
    tries = [phone.ask("POST", "/sessions", {"code": "wrong"}).status_code for _ in range(11)]
    assert tries == [401] * 10 + [429]


def test_logging_out_ends_every_phone_of_the_motorist_at_once(phone: Phone) -> None:
    phone.sign_in()
    elsewhere = Phone(phone.client, phone.wechat, phone.openid).sign_in()
    phone.delete("/sessions")
    assert elsewhere.get("/vehicles", expect=401)["code"] == "invalid_token"
    assert elsewhere.post("/sessions/refresh", {"refresh_token": elsewhere.refresh}, expect=401)["code"] == "signed_out"


def _subject(phone: Phone) -> str:
    claims = phone.access.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"])
