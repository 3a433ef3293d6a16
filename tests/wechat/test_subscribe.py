"""Subscribe messages, through our client and the stand-in: only what certainly was not sent is sent again."""

import logging
from typing import Any

import pytest

from app.adapters.identity import MemoryTokenStore
from app.adapters.messages import Notice, NotNow, Refused, Sent, SubscribeMessages, Unknown, fitted, is_field
from tests.wechat.stand import Stand, free_port

TEMPLATE = "tmpl-leaving-0001"


@pytest.fixture
def messages(wechat: Stand) -> SubscribeMessages:
    wechat.control("templates", template_id=TEMPLATE, keys=["thing1", "time2"])
    return client(wechat)


def client(wechat: Stand, **changed: str) -> SubscribeMessages:
    named = {"app_id": wechat.environment["WECHAT_APP_ID"], "app_secret": wechat.environment["WECHAT_APP_SECRET"]}
    wanted = named | {"base_url": wechat.url} | changed
    return SubscribeMessages(
        wanted["app_id"], wanted["app_secret"], wanted["base_url"], wechat.time.now, MemoryTokenStore()
    )


def notice(openid: str, **changed: Any) -> Notice:
    usual: dict[str, Any] = {
        "openid": openid, "template_id": TEMPLATE, "page": "pages/stay/index",
        "values": {"thing1": "示例停车场", "time2": "2026年6月11日 08:00"},
    }  # fmt: skip
    return Notice(**usual | changed)


def allowed(wechat: Stand, times: int = 1) -> str:
    openid = wechat.openid()
    wechat.control("subscriptions", openid=openid, template_id=TEMPLATE, times=times)
    return openid


def shown(wechat: Stand) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wechat.control("messages", method="GET")["messages"]
    return found


def test_each_consent_lets_one_message_through(wechat: Stand, messages: SubscribeMessages) -> None:
    openid = allowed(wechat)
    sent = messages.send(notice(openid))
    assert isinstance(sent, Sent)
    assert sent.message_id
    assert messages.send(notice(openid)) == Refused(43101)
    assert [(each["openid"], each["values"]["thing1"]) for each in shown(wechat)] == [(openid, "示例停车场")]


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"openid": "oNobody"}, 40003),
        ({"template_id": "tmpl-none"}, 40037),
        ({"page": "/pages/stay"}, 41030),
        ({"values": {"thing1": "示例"}}, 47003),
        ({"values": {"thing1": "长" * 21, "time2": "08:00"}}, 47003),
    ],
)
def test_a_message_that_cannot_be_taken_is_refused_for_good_and_costs_no_consent(
    wechat: Stand, messages: SubscribeMessages, changed: dict[str, Any], errcode: int
) -> None:
    openid = allowed(wechat)
    assert messages.send(notice(**{"openid": openid} | changed)) == Refused(errcode)
    assert isinstance(messages.send(notice(openid)), Sent)


def test_a_ban_is_a_refusal(wechat: Stand, messages: SubscribeMessages) -> None:
    openid = allowed(wechat)
    wechat.control("message-limits", banned=[openid])
    assert messages.send(notice(openid)) == Refused(43107)


@pytest.mark.parametrize(("errcode", "for_all"), [(45009, True), (45011, True), (-1, True), (43108, False)])
def test_what_passes_may_be_tried_again(
    wechat: Stand, messages: SubscribeMessages, errcode: int, for_all: bool
) -> None:
    wechat.control("faults", kind="errcode", operation="subscribe", errcode=errcode)
    openid = allowed(wechat)
    assert messages.send(notice(openid)) == NotNow(errcode, for_all)
    assert isinstance(messages.send(notice(openid)), Sent)


def test_a_quota_that_is_used_up_stands_in_everybodys_way(wechat: Stand, messages: SubscribeMessages) -> None:
    wechat.control("message-limits", quota=1)
    assert isinstance(messages.send(notice(allowed(wechat))), Sent)
    assert messages.send(notice(allowed(wechat))) == NotNow(45009, for_all=True)


def test_a_token_that_was_ended_is_fetched_anew_and_the_message_sent_once(
    wechat: Stand, messages: SubscribeMessages
) -> None:
    openid = allowed(wechat, 3)
    assert isinstance(messages.send(notice(openid)), Sent)
    wechat.control("revoke-tokens")
    assert isinstance(messages.send(notice(openid)), Sent)
    wechat.control("faults", kind="errcode", operation="subscribe", errcode=40001, times=2)
    assert messages.send(notice(openid)) == NotNow(40001, for_all=True)
    assert len(shown(wechat)) == 2


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "error_500_after", "error_503", "html"])
def test_without_an_answer_nobody_knows_and_it_is_not_sent_again(
    wechat: Stand, messages: SubscribeMessages, fault: str
) -> None:
    openid = allowed(wechat, 2)
    assert isinstance(messages.send(notice(openid)), Sent)
    wechat.control("faults", kind=fault, operation="subscribe", times=0)
    assert messages.send(notice(openid)) == Unknown()
    assert len(shown(wechat)) == (2 if fault.endswith("_after") else 1)


def test_without_a_connection_or_a_token_nothing_was_sent(wechat: Stand) -> None:
    nowhere = client(wechat, base_url=f"http://127.0.0.1:{free_port()}")
    assert nowhere.send(notice("oSomebody")) == NotNow(None, for_all=True)
    assert client(wechat, app_secret="wrong").send(notice("oSomebody")) == NotNow(40125, for_all=True)
    wechat.control("faults", kind="html", operation="token")
    assert client(wechat).send(notice("oSomebody")) == NotNow(None, for_all=True)


def test_a_send_that_cannot_connect_any_more_was_not_sent(wechat: Stand, messages: SubscribeMessages) -> None:
    """The token is kept; only the sending itself finds nobody."""
    store = MemoryTokenStore()
    named = (wechat.environment["WECHAT_APP_ID"], wechat.environment["WECHAT_APP_SECRET"])
    openid = allowed(wechat)
    assert isinstance(SubscribeMessages(*named, wechat.url, wechat.time.now, store).send(notice(openid)), Sent)
    gone = SubscribeMessages(*named, f"http://127.0.0.1:{free_port()}", wechat.time.now, store)
    assert gone.send(notice(openid)) == NotNow(None, for_all=True)


def test_neither_openid_nor_token_nor_words_reach_the_log(
    wechat: Stand, messages: SubscribeMessages, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    openid = allowed(wechat)
    messages.send(notice(openid))
    messages.send(notice(openid))
    wechat.control("faults", kind="reset_after", operation="subscribe")
    messages.send(notice(openid))
    assert openid not in caplog.text
    assert "access_token" not in caplog.text
    assert "示例停车场" not in caplog.text
    assert openid not in repr(notice(openid))


@pytest.mark.parametrize(
    ("key", "text", "fits"),
    [
        ("thing1", "短", "短"),
        ("thing1", "二十个字" * 5, "二十个字" * 5),
        ("thing12", "二十个字" * 5 + "又", ("二十个字" * 5)[:19] + "…"),
        ("thing3", " 换\n行 ", "换 行"),
        ("phrase2", "暂停预约服务", "暂停预约服"),
        ("time4", "08:00", "08:00"),
        ("time4", "2026年6月11日 08:00", "2026年6月11日 08:00"),
    ],
)
def test_a_text_is_made_to_fit_its_key(key: str, text: str, fits: str) -> None:
    assert is_field(key)
    assert fitted(key, text) == fits


@pytest.mark.parametrize(("key", "text"), [("time1", "8点"), ("thing1", "  "), ("thing", "x"), ("car_number1", "x")])
def test_what_cannot_be_made_to_fit_is_told(key: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        fitted(key, text)
