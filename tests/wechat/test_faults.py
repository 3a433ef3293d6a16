"""Whatever happens on the line, an outcome says neither more nor less than is known."""

import logging
import time
from typing import Any

import pytest

from payments.wechat import Done, Refused, Unknown
from tests.wechat.stand import SUB_MCHID, Stand, free_port


@pytest.mark.parametrize(
    ("fault", "why", "happened"),
    [
        ({"kind": "reset_before"}, "connection lost", False),
        ({"kind": "reset_after"}, "connection lost", True),
        ({"kind": "error_500"}, "HTTP 500", False),
        ({"kind": "error_500_after"}, "HTTP 500", True),
        ({"kind": "error_503"}, "HTTP 503", False),
        ({"kind": "html", "status": 502}, "HTTP 502", False),
        ({"kind": "html", "status": 200}, "unverified answer: missing_header", False),
        ({"kind": "html", "status": 302}, "HTTP 302", False),
        ({"kind": "wrong_signature"}, "unverified answer: wrong_signature", True),
        ({"kind": "unsigned"}, "unverified answer: missing_header", True),
    ],
)
def test_an_unproven_answer_is_unknown_and_the_same_bytes_again_settle_it(
    wechat: Stand, fault: dict[str, Any], why: str, happened: bool
) -> None:
    order, pay = wechat.order(), wechat.client()
    wechat.control("faults", operation="create", **fault)
    assert pay.create_order(order.body()) == Unknown(why)
    assert (wechat.answer("cancel", out_trade_no=order.out_trade_no).status_code == 200) is happened
    assert isinstance(pay.create_order(order.body()), Done)
    assert len(wechat.book(order.out_trade_no)["orders"]) == 1


def test_too_many_requests_are_a_refusal_that_proves_nothing(wechat: Stand) -> None:
    wechat.control("faults", kind="error_429")
    refused = wechat.client().create_order(wechat.order().body())
    assert isinstance(refused, Refused)
    assert (refused.code, refused.status, refused.signed) == ("FREQUENCY_LIMITED", 429, False)


def test_a_proxys_page_with_a_4xx_has_no_code_of_wechats(wechat: Stand) -> None:
    wechat.control("faults", kind="html", status=403)
    assert wechat.client().query_order("Nobody000001", SUB_MCHID) == Refused("HTTP_403", 403, None, signed=False)


def test_a_silent_wechat_is_unknown_in_time(wechat: Stand) -> None:
    order, pay = wechat.order(), wechat.client()
    wechat.control("faults", kind="latency", seconds=8)
    started = time.monotonic()
    assert pay.create_order(order.body()) == Unknown("timeout")
    assert time.monotonic() - started < 7.5


def test_the_backup_serves_when_the_primary_cannot_be_reached(wechat: Stand) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    order = wechat.order()
    assert isinstance(wechat.client(nowhere, wechat.url).create_order(order.body()), Done)
    assert wechat.client(nowhere).create_order(order.body()) == Unknown("unreachable")


def test_only_a_query_is_repeated_after_a_lost_connection(wechat: Stand) -> None:
    order, pay = wechat.order(), wechat.client(wechat.url, wechat.url)
    assert isinstance(pay.create_order(order.body()), Done)
    wechat.control("faults", kind="reset_before", operation="query")
    assert isinstance(pay.query_order(order.out_trade_no, SUB_MCHID), Done)
    wechat.control("faults", kind="reset_before", operation="close")
    assert pay.close_order(order.out_trade_no, SUB_MCHID) == Unknown("connection lost")


def test_an_answer_of_an_hour_ago_is_not_believed(wechat: Stand) -> None:
    order, pay = wechat.order(), wechat.client()
    assert isinstance(pay.create_order(order.body()), Done)
    late = wechat.time.now()
    wechat.time.set(-3600)
    pay._now = lambda: late
    assert pay.query_order(order.out_trade_no, SUB_MCHID) == Unknown("unverified answer: clock_skew")


def test_the_log_holds_neither_secrets_nor_persons_nor_numbers(wechat: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    order, pay = wechat.order(), wechat.client()
    wechat.session.close()
    pay.create_order(order.body())
    pay.query_order(order.out_trade_no, SUB_MCHID)
    pay.query_order("Nobody000001", SUB_MCHID)
    wechat.client("http://127.0.0.1:1").close_order(order.out_trade_no, SUB_MCHID)
    lines = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert "POST /v3/pay/partner/transactions/jsapi -> 200 request_id=" in lines[0]
    assert any("refused code=ORDER_NOT_EXIST signed=False" in line for line in lines)
    private = (order.out_trade_no, order.sp_openid, SUB_MCHID, "Nobody000001", wechat.environment["WECHAT_SP_MCHID"])
    assert [line for line in lines if any(word in line for word in private)] == []
