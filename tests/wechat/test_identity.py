"""Signing in and phone numbers, through our client and the stand-in."""

import logging
from typing import Any

import pytest

from app.adapters.identity import (
    Identity,
    LoginCodeRefused,
    MemoryTokenStore,
    WeChatBusy,
    WeChatMiniProgram,
    WeChatMisconfigured,
)
from tests.wechat.stand import Stand, free_port


@pytest.fixture
def tokens() -> MemoryTokenStore:
    return MemoryTokenStore()


@pytest.fixture
def program(wechat: Stand, tokens: MemoryTokenStore) -> WeChatMiniProgram:
    return _program(wechat, tokens)


def _program(wechat: Stand, tokens: MemoryTokenStore, **changed: str) -> WeChatMiniProgram:
    named = {"app_id": wechat.environment["WECHAT_APP_ID"], "app_secret": wechat.environment["WECHAT_APP_SECRET"]}
    wanted = named | {"base_url": wechat.url} | changed
    return WeChatMiniProgram(wanted["app_id"], wanted["app_secret"], wanted["base_url"], wechat.time.now, tokens)


def test_a_login_code_brings_the_openid_once(wechat: Stand, program: WeChatMiniProgram) -> None:
    minted = wechat.control("login-codes")
    assert program.session_of(minted["code"]) == Identity(minted["openid"], None)
    with pytest.raises(LoginCodeRefused) as refused:
        program.session_of(minted["code"])
    assert refused.value.errcode == 40163


def test_the_same_person_signs_in_again_with_openid_and_unionid(wechat: Stand, program: WeChatMiniProgram) -> None:
    minted = wechat.control("login-codes", openid="oTheSamePerson", unionid="uEverywhere")
    again = wechat.control("login-codes", openid="oTheSamePerson")
    assert program.session_of(minted["code"]) == Identity("oTheSamePerson", "uEverywhere")
    assert program.session_of(again["code"]) == Identity("oTheSamePerson", "uEverywhere")


def test_a_code_is_good_for_five_minutes(wechat: Stand, program: WeChatMiniProgram) -> None:
    code = wechat.control("login-codes")["code"]
    wechat.time.set(300)
    with pytest.raises(LoginCodeRefused) as refused:
        program.session_of(code)
    assert refused.value.errcode == 40029


def test_login_codes_and_phone_codes_are_not_the_same(wechat: Stand, program: WeChatMiniProgram) -> None:
    login, phone = wechat.control("login-codes")["code"], wechat.control("phone-codes")["code"]
    with pytest.raises(LoginCodeRefused):
        program.session_of(phone)
    with pytest.raises(LoginCodeRefused):
        program.phone_number(login)


@pytest.mark.parametrize("phone", ["+8613800138000", "+85261234567", "+12025550123"])
def test_a_phone_code_brings_the_number_in_e164_once(wechat: Stand, program: WeChatMiniProgram, phone: str) -> None:
    code = wechat.control("phone-codes", phone=phone)["code"]
    assert program.phone_number(code) == phone
    with pytest.raises(LoginCodeRefused):
        program.phone_number(code)


def test_every_process_uses_the_same_token_until_shortly_before_its_end(
    wechat: Stand, tokens: MemoryTokenStore
) -> None:
    name = f"wechat:access_token:{wechat.environment['WECHAT_APP_ID']}"
    other = MemoryTokenStore()
    for store in (tokens, other):
        _program(wechat, store).phone_number(wechat.control("phone-codes")["code"])
    first = _token(tokens, name)
    assert first == _token(other, name)
    wechat.time.set(7200 - 299)
    _program(wechat, tokens).phone_number(wechat.control("phone-codes")["code"])
    assert first != _token(tokens, name)


def _token(store: MemoryTokenStore, name: str) -> str:
    return (store.get(name) or "").partition(" ")[2]


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_refused_token_is_fetched_anew_once(wechat: Stand, program: WeChatMiniProgram, errcode: int) -> None:
    wechat.control("faults", kind="errcode", operation="phone", errcode=errcode)
    minted = wechat.control("phone-codes")
    assert program.phone_number(minted["code"]) == minted["phone"]
    wechat.control("faults", kind="errcode", operation="phone", errcode=errcode, times=2)
    with pytest.raises(WeChatMisconfigured):
        program.phone_number(minted["code"])


def test_a_token_revoked_by_somebody_else_does_not_stop_us(wechat: Stand, program: WeChatMiniProgram) -> None:
    program.phone_number(wechat.control("phone-codes")["code"])
    wechat.control("revoke-tokens")
    minted = wechat.control("phone-codes")
    assert program.phone_number(minted["code"]) == minted["phone"]


def test_a_store_that_holds_nonsense_is_a_store_that_forgot(wechat: Stand, tokens: MemoryTokenStore) -> None:
    tokens.put(f"wechat:access_token:{wechat.environment['WECHAT_APP_ID']}", "nonsense")
    minted = wechat.control("phone-codes")
    assert _program(wechat, tokens).phone_number(minted["code"]) == minted["phone"]


@pytest.mark.parametrize("changed", [{"app_id": "wx0"}, {"app_secret": "no"}])
def test_a_wrong_appid_or_secret_is_ours_to_mend(
    wechat: Stand, tokens: MemoryTokenStore, changed: dict[str, str]
) -> None:
    with pytest.raises(WeChatMisconfigured):
        _program(wechat, tokens, **changed).session_of(wechat.control("login-codes")["code"])


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "errcode", "errcode": -1},
        {"kind": "errcode", "errcode": 45011},
        {"kind": "html", "status": 502},
        {"kind": "html", "status": 200},
        {"kind": "error_500"},
        {"kind": "reset_before", "times": 2},
    ],
)
def test_a_busy_wechat_is_told_as_busy(wechat: Stand, program: WeChatMiniProgram, fault: dict[str, Any]) -> None:
    code = wechat.control("login-codes")["code"]
    wechat.control("faults", operation="login", **fault)
    with pytest.raises(WeChatBusy):
        program.session_of(code)


def test_the_same_code_is_sent_once_more_when_no_answer_came(wechat: Stand, program: WeChatMiniProgram) -> None:
    minted = wechat.control("login-codes")
    wechat.control("faults", kind="reset_before", operation="login")
    assert program.session_of(minted["code"]).openid == minted["openid"]


def test_nothing_secret_is_logged_or_raised(
    wechat: Stand, tokens: MemoryTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    program = _program(wechat, tokens)
    login, phone = wechat.control("login-codes"), wechat.control("phone-codes")
    program.session_of(login["code"])
    program.phone_number(phone["code"])
    unreachable = _program(wechat, tokens, base_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(WeChatBusy) as busy:
        unreachable.session_of(login["code"])
    token = _token(tokens, f"wechat:access_token:{wechat.environment['WECHAT_APP_ID']}")
    secrets = [wechat.environment["WECHAT_APP_ID"], wechat.environment["WECHAT_APP_SECRET"], token]
    said = caplog.text + repr(busy.value) + repr(busy.value.__cause__) + repr(program.session_of)
    assert "/sns/jscode2session -> 200 errcode=0" in caplog.text
    assert [word for word in [*secrets, login["code"], login["openid"], phone["phone"]] if word in said] == []
