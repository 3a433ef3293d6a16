"""Orders, from our client through HTTP to the stand-in's own book."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from payments.wechat import Done, JsapiOrder, Refused, WeChatPay
from tests.wechat.stand import SUB_MCHID, Stand


def _placed(wechat: Stand, pay: WeChatPay) -> JsapiOrder:
    order = wechat.order()
    assert isinstance(pay.create_order(order.body()), Done)
    return order


def _paid(wechat: Stand, pay: WeChatPay) -> JsapiOrder:
    order = _placed(wechat, pay)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    return order


def test_a_new_order_has_a_prepay_id_and_nothing_else_yet(wechat: Stand, pay: WeChatPay) -> None:
    order = wechat.order(attach="charge 7")
    prepay = pay.create_order(order.body())
    query = pay.query_order(order.out_trade_no, SUB_MCHID)
    assert isinstance(prepay, Done)
    assert prepay.value.startswith("wx")
    assert len(prepay.value) == 36
    assert isinstance(query, Done)
    transaction = query.value
    assert (transaction.trade_state, transaction.total_fen, transaction.attach) == ("NOTPAY", 1250, "charge 7")
    assert (transaction.transaction_id, transaction.trade_type, transaction.success_time) == (None, None, None)
    assert (transaction.sp_openid, transaction.payer_total_fen) == (None, None)


def test_the_same_order_gives_the_same_bytes(wechat: Stand) -> None:
    order = wechat.order()
    assert order.body() == dataclasses.replace(order).body()


def test_an_order_sent_twice_gets_a_fresh_prepay_id(wechat: Stand, pay: WeChatPay) -> None:
    order = wechat.order()
    first, second = pay.create_order(order.body()), pay.create_order(order.body())
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert first.value != second.value
    assert wechat.book(order.out_trade_no)["orders"][0]["prepay_ids"] == [first.value, second.value]


@pytest.mark.parametrize("changed", [{"amount_fen": 1251}, {"description": "another"}, {"sub_mchid": "1900000110"}])
def test_a_number_stands_for_one_set_of_parameters(wechat: Stand, pay: WeChatPay, changed: dict[str, object]) -> None:
    order = _placed(wechat, pay)
    again = pay.create_order(dataclasses.replace(order, **changed).body())  # type: ignore[arg-type]
    assert isinstance(again, Refused)
    assert (again.code, again.status, again.signed) == ("OUT_TRADE_NO_USED", 403, False)


def test_the_user_pays_with_the_parameters_we_signed(wechat: Stand, pay: WeChatPay) -> None:
    order = wechat.order()
    prepay = pay.create_order(order.body())
    assert isinstance(prepay, Done)
    paid = wechat.control("pay", parameters=pay.payment_parameters(prepay.value))
    query = pay.query_order(order.out_trade_no, SUB_MCHID)
    assert isinstance(query, Done)
    assert paid["errMsg"] == "requestPayment:ok"
    assert query.value.trade_state == "SUCCESS"
    assert (query.value.transaction_id, query.value.trade_type) == (paid["transaction_id"], "JSAPI")
    assert (query.value.sp_openid, query.value.payer_total_fen) == (order.sp_openid, 1250)
    assert query.value.success_time is not None


@pytest.mark.parametrize("name", ["timeStamp", "nonceStr", "package", "signType", "paySign", "appId"])
def test_the_cashier_opens_only_for_what_we_signed(wechat: Stand, pay: WeChatPay, name: str) -> None:
    order = wechat.order()
    prepay = pay.create_order(order.body())
    assert isinstance(prepay, Done)
    parameters = pay.payment_parameters(prepay.value)
    answer = wechat.answer("pay", parameters=parameters | {name: parameters[name][:-1] + "~"})
    assert (answer.status_code, answer.json()["errMsg"][:19]) == (409, "requestPayment:fail")
    assert wechat.book(order.out_trade_no)["orders"][0]["trade_state"] == "NOTPAY"


def test_nobody_pays_twice_or_for_another(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    other = wechat.answer("pay", out_trade_no=order.out_trade_no, openid="oAnother")
    first = wechat.answer("pay", out_trade_no=order.out_trade_no, openid=order.sp_openid)
    second = wechat.answer("pay", out_trade_no=order.out_trade_no)
    assert [answer.status_code for answer in (other, first, second)] == [409, 200, 409]


def test_turning_back_at_the_cashier_leaves_the_order_payable(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    assert wechat.control("cancel", out_trade_no=order.out_trade_no) == {"errMsg": "requestPayment:fail cancel"}
    assert wechat.control("pay", out_trade_no=order.out_trade_no)["errMsg"] == "requestPayment:ok"


def test_a_coupon_of_wechats_lowers_what_the_payer_gives_but_not_the_total(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    wechat.control("pay", out_trade_no=order.out_trade_no, payer_total=1000)
    query = pay.query_order(order.out_trade_no, SUB_MCHID)
    assert isinstance(query, Done)
    assert (query.value.total_fen, query.value.payer_total_fen) == (1250, 1000)


def test_a_prepay_id_is_good_for_two_hours(wechat: Stand, pay: WeChatPay) -> None:
    order = wechat.order(time_expire=wechat.time.now() + timedelta(hours=5))
    prepay = pay.create_order(order.body())
    assert isinstance(prepay, Done)
    parameters = pay.payment_parameters(prepay.value)
    wechat.time.set(2 * 3600)
    assert wechat.answer("pay", parameters=parameters).status_code == 409
    renewed = pay.create_order(order.body())
    assert isinstance(renewed, Done)
    assert wechat.control("pay", parameters=pay.payment_parameters(renewed.value))["errMsg"] == "requestPayment:ok"


def test_nobody_pays_after_expiry_though_the_order_stays_open(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    wechat.time.set(15 * 60 + 1)
    assert wechat.answer("pay", out_trade_no=order.out_trade_no).status_code == 409
    query = pay.query_order(order.out_trade_no, SUB_MCHID)
    assert isinstance(query, Done)
    assert query.value.trade_state == "NOTPAY"
    assert pay.close_order(order.out_trade_no, SUB_MCHID) == Done(None)


def test_there_is_at_least_a_minute_to_pay(wechat: Stand, pay: WeChatPay) -> None:
    order = wechat.order(time_expire=wechat.time.now() + timedelta(seconds=1))
    assert isinstance(pay.create_order(order.body()), Done)
    wechat.time.set(55)
    assert wechat.answer("pay", out_trade_no=order.out_trade_no).status_code == 200


def test_after_seven_days_wechat_closes_what_nobody_paid(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    wechat.time.set(7 * 86400)
    query = pay.query_order(order.out_trade_no, SUB_MCHID)
    assert isinstance(query, Done)
    assert query.value.trade_state == "CLOSED"


def test_a_closed_order_stays_closed_and_may_be_closed_again(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    closed = [pay.close_order(order.out_trade_no, SUB_MCHID) for _ in range(2)]
    again = pay.create_order(order.body())
    assert closed == [Done(None), Done(None)]
    assert isinstance(again, Refused)
    assert again.code == "ORDER_CLOSED"
    assert wechat.answer("pay", out_trade_no=order.out_trade_no).status_code == 409


def test_a_paid_order_is_neither_closed_nor_placed_again(wechat: Stand, pay: WeChatPay) -> None:
    order = _paid(wechat, pay)
    closed, again = pay.close_order(order.out_trade_no, SUB_MCHID), pay.create_order(order.body())
    assert isinstance(closed, Refused)
    assert isinstance(again, Refused)
    assert {closed.code, again.code} == {"ORDER_PAID"}


def test_a_payment_may_overtake_the_close(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    wechat.control("faults", kind="paid_at_close")
    closed, query = (
        pay.close_order(order.out_trade_no, SUB_MCHID),
        pay.query_order(order.out_trade_no, SUB_MCHID),
    )
    assert isinstance(closed, Refused)
    assert closed.code == "ORDER_PAID"
    assert isinstance(query, Done)
    assert query.value.trade_state == "SUCCESS"


def test_a_closed_order_can_be_paid_late_when_the_tester_forces_it(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    pay.close_order(order.out_trade_no, SUB_MCHID)
    wechat.control("pay", out_trade_no=order.out_trade_no, force=True)
    query = pay.query_order(order.out_trade_no, SUB_MCHID)
    assert isinstance(query, Done)
    assert query.value.trade_state == "SUCCESS"


def test_after_any_refund_the_state_is_refund(wechat: Stand, pay: WeChatPay) -> None:
    order = _paid(wechat, pay)
    wechat.control("refund", out_trade_no=order.out_trade_no)
    query = pay.query_order(order.out_trade_no, SUB_MCHID)
    assert isinstance(query, Done)
    assert (query.value.trade_state, query.value.total_fen) == ("REFUND", 1250)


def test_an_unknown_order_is_believed_unknown_only_when_signed(wechat: Stand, pay: WeChatPay) -> None:
    unsigned = pay.query_order("Nobody000001", SUB_MCHID)
    wechat.control("switches", sign_errors=True)
    signed = pay.query_order("Nobody000001", SUB_MCHID)
    assert isinstance(unsigned, Refused)
    assert isinstance(signed, Refused)
    assert (unsigned.code, unsigned.signed) == ("ORDER_NOT_EXIST", False)
    assert (signed.code, signed.signed, signed.status) == ("ORDER_NOT_EXIST", True, 404)


def test_an_order_is_not_shown_to_another_sub_merchant(wechat: Stand, pay: WeChatPay) -> None:
    order = _placed(wechat, pay)
    query = pay.query_order(order.out_trade_no, "1900000110")
    assert isinstance(query, Refused)
    assert query.code == "INVALID_REQUEST"


def test_an_order_needs_bound_parties_and_a_known_payer(wechat: Stand, pay: WeChatPay) -> None:
    strange = pay.create_order(wechat.order(sub_mchid="1800000000").body())
    nobody = pay.create_order(wechat.order(sp_openid="oNobody").body())
    wechat.control("switches", blocked_sub_merchants=["1900000555"])
    blocked = pay.create_order(wechat.order(sub_mchid="1900000555").body())
    refused = [outcome.code for outcome in (strange, nobody, blocked) if isinstance(outcome, Refused)]
    assert refused == ["INVALID_REQUEST", "INVALID_REQUEST", "NO_AUTH"]


def test_a_sub_merchant_can_be_bound_later(wechat: Stand, pay: WeChatPay) -> None:
    wechat.control("sub-merchants", sub_mchid="1700000123")
    assert isinstance(pay.create_order(wechat.order(sub_mchid="1700000123").body()), Done)


def test_another_mini_program_is_refused(wechat: Stand) -> None:
    account = dataclasses.replace(wechat.account(), sp_appid="wx0000000000000000")
    outcome = WeChatPay(account, [wechat.url], wechat.time.now).create_order(wechat.order().body())
    assert isinstance(outcome, Refused)
    assert outcome.code == "APPID_MCHID_NOT_MATCH"


@pytest.mark.parametrize(
    "changed",
    [
        {"out_trade_no": "short"},
        {"out_trade_no": "with|pipe|1"},
        {"amount_fen": 0},
        {"description": ""},
        {"description": "停" * 128},
        {"description": "a,b"},
        {"attach": "`"},
    ],
)
def test_we_do_not_build_what_wechat_cannot_take(wechat: Stand, changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        wechat.order(**changed)


def test_the_self_test_echoes_what_we_said(pay: WeChatPay) -> None:
    assert pay.echo("共泊", "https://example.org/notices") == Done("共泊")
