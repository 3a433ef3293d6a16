"""Refunds, from our client through HTTP to the stand-in's own book, and their notices back."""

import dataclasses
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from payments.wechat import SIGNATURE_HOLDS, Done, NoticeRejected, RefundOrder, RefundSeen, Refused, Unknown, WeChatPay
from tests.wechat.stand import SUB_MCHID, Merchant, Stand, standing

NOWHERE = "http://127.0.0.1:9/notices"


def wanted(wechat: Stand, pay: WeChatPay, notify_url: str = NOWHERE, fen: int = 300) -> RefundOrder:
    """A refund of an order that was just paid."""
    order = wechat.order()
    assert isinstance(pay.create_order(order.body()), Done)
    paid = wechat.control("pay", out_trade_no=order.out_trade_no)
    return RefundOrder(
        sub_mchid=SUB_MCHID, transaction_id=paid["transaction_id"], out_refund_no=new_number(), reason="多缴退还",
        notify_url=notify_url, refund_fen=fen, total_fen=order.amount_fen,
    )  # fmt: skip


def new_number() -> str:
    return f"R{uuid.uuid4().hex}"


def seen(outcome: Done[RefundSeen] | Refused | Unknown) -> RefundSeen:
    assert isinstance(outcome, Done), outcome
    return outcome.value


def code(outcome: Done[RefundSeen] | Refused | Unknown) -> tuple[str, int]:
    assert isinstance(outcome, Refused), outcome
    return outcome.code, outcome.status


def test_a_refund_is_accepted_processed_and_done_and_its_order_reads_refund_for_ever(
    wechat: Stand, pay: WeChatPay
) -> None:
    wish = wanted(wechat, pay)
    accepted = seen(pay.create_refund(wish.body(), wechat.time.now()))
    assert (accepted.status, accepted.refund_fen, accepted.total_fen) == ("PROCESSING", 300, 1250)
    assert (accepted.out_refund_no, accepted.transaction_id) == (wish.out_refund_no, wish.transaction_id)
    wechat.time.set(6)
    done = seen(pay.query_refund(wish.out_refund_no, SUB_MCHID))
    assert (done.status, done.refund_id, done.success_time is None) == ("SUCCESS", accepted.refund_id, False)
    assert seen(pay.create_refund(wish.body(), wechat.time.now())).refund_id == accepted.refund_id
    order = pay.query_order(accepted.out_trade_no, SUB_MCHID)
    assert isinstance(order, Done)
    assert order.value.trade_state == "REFUND"
    book = wechat.book(accepted.out_trade_no)
    assert ([each["status"] for each in book["refunds"]], book["refunded_fen"]) == (["SUCCESS"], 300)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"refund_fen": 299}, ("INVALID_REQUEST", 400)),
        ({"out_refund_no": "Ranother", "total_fen": 1251}, ("INVALID_REQUEST", 400)),
        ({"out_refund_no": "Ranother", "sub_mchid": "1900000110"}, ("INVALID_REQUEST", 400)),
        ({"out_refund_no": "Ranother", "transaction_id": "4200000000"}, ("RESOURCE_NOT_EXISTS", 404)),
        ({"out_refund_no": "Ranother", "refund_fen": 951}, ("INVALID_REQUEST", 400)),
    ],
    ids=["other parameters", "another total", "another merchant", "nobody's payment", "more than is left"],
)
def test_what_does_not_fit_is_refused(
    wechat: Stand, pay: WeChatPay, changed: dict[str, object], refusal: tuple[str, int]
) -> None:
    wish = wanted(wechat, pay)
    seen(pay.create_refund(wish.body(), wechat.time.now()))
    wechat.time.set(61)
    again = dataclasses.replace(wish, **changed)  # type: ignore[arg-type]
    assert code(pay.create_refund(again.body(), wechat.time.now())) == refusal


def test_within_a_minute_of_another_it_comes_too_soon(wechat: Stand, pay: WeChatPay) -> None:
    wish = wanted(wechat, pay)
    seen(pay.create_refund(wish.body(), wechat.time.now()))
    second = dataclasses.replace(wish, out_refund_no=new_number())
    assert code(pay.create_refund(second.body(), wechat.time.now())) == ("FREQUENCY_LIMITED", 429)
    wechat.time.set(61)
    seen(pay.create_refund(second.body(), wechat.time.now()))


def test_what_leaves_long_after_it_was_intended_is_refused(wechat: Stand, pay: WeChatPay) -> None:
    wish = wanted(wechat, pay)
    intended_at = wechat.time.now()
    wechat.time.set(SIGNATURE_HOLDS.total_seconds() + 1)
    assert code(pay.create_refund(wish.body(), intended_at)) == ("SIGN_ERROR", 401)
    seen(pay.create_refund(wish.body(), intended_at + timedelta(seconds=2)))


def test_an_empty_account_refunds_nothing(wechat: Stand, pay: WeChatPay) -> None:
    wish = wanted(wechat, pay)
    wechat.control("switches", empty_sub_merchants=[SUB_MCHID])
    assert code(pay.create_refund(wish.body(), wechat.time.now())) == ("NOT_ENOUGH", 403)
    assert code(pay.query_refund(wish.out_refund_no, SUB_MCHID)) == ("RESOURCE_NOT_EXISTS", 404)


@pytest.mark.parametrize("fault", ["error_500_after", "reset_after", "wrong_signature", "unsigned"])
def test_an_answer_that_is_lost_or_not_wechats_is_unknown_though_it_was_done(
    wechat: Stand, pay: WeChatPay, fault: str
) -> None:
    wish = wanted(wechat, pay)
    wechat.control("faults", kind=fault, operation="refund")
    assert isinstance(pay.create_refund(wish.body(), wechat.time.now()), Unknown)
    assert seen(pay.query_refund(wish.out_refund_no, SUB_MCHID)).status == "PROCESSING"


@pytest.mark.parametrize("status", ["SUCCESS", "CLOSED", "ABNORMAL"])
def test_its_end_is_announced_and_our_client_believes_it(
    wechat: Stand, pay: WeChatPay, merchant: Merchant, status: str
) -> None:
    wechat.control("switches", refund_outcome=status)
    wish = wanted(wechat, pay, merchant.url)
    accepted = seen(pay.create_refund(wish.body(), wechat.time.now()))
    assert accepted.status == "PROCESSING"
    wechat.time.set(6)
    [received] = merchant.wait_for(1)
    notice = pay.read_notice(received.headers, received.body)
    told = notice.refund()
    assert (notice.event_type, notice.original_type) == (f"REFUND.{status}", "refund")
    assert (told.status, told.refund_id, told.refund_fen) == (status, accepted.refund_id, 300)
    assert (told.sub_mchid, told.success_time is None) == (SUB_MCHID, status != "SUCCESS")
    with pytest.raises(NoticeRejected):
        notice.transaction()


def test_a_restart_forgets_no_refund(tmp_path: Path) -> None:
    options = ("--state-file", str(tmp_path / "state"))
    with standing(tmp_path, *options) as wechat:
        pay = wechat.client()
        wish = wanted(wechat, pay)
        first = seen(pay.create_refund(wish.body(), wechat.time.now()))
    with standing(tmp_path, *options) as wechat:
        assert seen(wechat.client().query_refund(wish.out_refund_no, SUB_MCHID)).refund_id == first.refund_id
