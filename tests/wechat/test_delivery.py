"""Notices on their way: again, late, twice, never, and not WeChat's."""

from itertools import pairwise
from pathlib import Path

import pytest

from payments.wechat import Done, JsapiOrder, NoticeRejected, WeChatPay
from tests.wechat.stand import Merchant, Stand, eventually, free_port, standing


def _placed(wechat: Stand, pay: WeChatPay, merchant: Merchant) -> JsapiOrder:
    order = wechat.order(merchant.url)
    assert isinstance(pay.create_order(order.body()), Done)
    return order


def _states(wechat: Stand, order: JsapiOrder) -> list[str]:
    return [notice["state"] for notice in wechat.book(order.out_trade_no)["notices"]]


def _statuses(wechat: Stand, order: JsapiOrder) -> list[int]:
    [notice] = wechat.book(order.out_trade_no)["notices"]
    return [attempt["status"] for attempt in notice["attempts"]]


def test_a_payment_is_announced_and_our_client_believes_it(wechat: Stand, pay: WeChatPay, merchant: Merchant) -> None:
    order = _placed(wechat, pay, merchant)
    paid = wechat.control("pay", out_trade_no=order.out_trade_no)
    [received] = merchant.wait_for(1)
    notice = pay.read_notice(received.headers, received.body)
    transaction = notice.transaction()
    assert (notice.id, notice.event_type) == (paid["notice_id"], "TRANSACTION.SUCCESS")
    assert (transaction.out_trade_no, transaction.total_fen) == (order.out_trade_no, 1250)
    assert (transaction.transaction_id, transaction.sp_openid) == (paid["transaction_id"], order.sp_openid)
    eventually(lambda: _states(wechat, order) == ["delivered"])


@pytest.mark.parametrize("refusal", [400, 401, 500, 201, 302])
def test_anything_but_200_and_204_brings_the_notice_again_freshly_signed(
    wechat: Stand, pay: WeChatPay, merchant: Merchant, refusal: int
) -> None:
    merchant.statuses = [refusal, refusal, 200]
    order = _placed(wechat, pay, merchant)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    received = merchant.wait_for(3)
    assert len({notice.id for notice in received}) == 1
    assert len({notice.headers["Wechatpay-Signature"] for notice in received}) == 3
    assert [pay.read_notice(one.headers, one.body).transaction().total_fen for one in received] == [1250] * 3
    eventually(lambda: _states(wechat, order) == ["delivered"])


def test_after_fifteen_retries_wechat_gives_up(tmp_path: Path, merchant: Merchant) -> None:
    with standing(tmp_path, "--retry-factor", "0.000001") as wechat:
        merchant.statuses = [500] * 100
        order = _placed(wechat, wechat.client(), merchant)
        wechat.control("pay", out_trade_no=order.out_trade_no)
        merchant.wait_for(16)
        eventually(lambda: _states(wechat, order) == ["given_up"])
        assert len(merchant.received) == 16


def test_the_retries_follow_wechats_table_on_the_shared_clock(tmp_path: Path, merchant: Merchant) -> None:
    with standing(tmp_path) as wechat:
        merchant.statuses = [500] * 4
        order = _placed(wechat, wechat.client(), merchant)
        wechat.control("pay", out_trade_no=order.out_trade_no)
        moments = [0.0, 16, 32, 63, 244]
        for count, moment in enumerate(moments, start=1):
            wechat.time.set(moment)
            merchant.wait_for(count)
        eventually(lambda: _states(wechat, order) == ["delivered"])
        [notice] = wechat.book(order.out_trade_no)["notices"]
        times = [attempt["at"] for attempt in notice["attempts"]]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(gap >= least for gap, least in zip(gaps, [15, 15, 30, 180], strict=True))


def test_a_merchant_slower_than_five_seconds_counts_as_silent(
    wechat: Stand, pay: WeChatPay, merchant: Merchant
) -> None:
    merchant.awake.clear()
    order = _placed(wechat, pay, merchant)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    eventually(lambda: _statuses(wechat, order)[:1] == [0])
    merchant.awake.set()
    eventually(lambda: _states(wechat, order) == ["delivered"])


def test_an_unreachable_merchant_is_tried_again(wechat: Stand, pay: WeChatPay) -> None:
    order = wechat.order(f"http://127.0.0.1:{free_port()}/notices")
    assert isinstance(pay.create_order(order.body()), Done)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    eventually(lambda: _statuses(wechat, order)[:2] == [0, 0])


def test_a_dropped_notice_never_comes_until_it_is_asked_for(wechat: Stand, pay: WeChatPay, merchant: Merchant) -> None:
    wechat.control("notices", mode="drop")
    order = _placed(wechat, pay, merchant)
    paid = wechat.control("pay", out_trade_no=order.out_trade_no)
    assert _states(wechat, order) == ["dropped"]
    again = wechat.control("redeliver", out_trade_no=order.out_trade_no)
    assert again == {"notice_id": paid["notice_id"], "statuses": [204]}
    assert [notice.id for notice in merchant.received] == [paid["notice_id"]]


def test_a_delayed_notice_comes_when_its_time_has_come(wechat: Stand, pay: WeChatPay, merchant: Merchant) -> None:
    order = _placed(wechat, pay, merchant)
    wechat.control("notices", mode="delay", seconds=86400, out_trade_no=order.out_trade_no)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    assert _states(wechat, order) == ["pending"]
    wechat.time.set(86400)
    [received] = merchant.wait_for(1)
    assert pay.read_notice(received.headers, received.body).transaction().out_trade_no == order.out_trade_no


def test_duplicates_come_under_one_id_and_reissues_under_two(wechat: Stand, pay: WeChatPay, merchant: Merchant) -> None:
    order, other = _placed(wechat, pay, merchant), _placed(wechat, pay, merchant)
    wechat.control("notices", mode="duplicate", copies=3, out_trade_no=order.out_trade_no)
    wechat.control("notices", mode="reissue", out_trade_no=other.out_trade_no)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    assert len({notice.id for notice in merchant.wait_for(3)}) == 1
    wechat.control("pay", out_trade_no=other.out_trade_no)
    assert len({notice.id for notice in merchant.wait_for(5)}) == 3


def test_a_notice_can_be_redelivered_many_times_at_once(wechat: Stand, pay: WeChatPay, merchant: Merchant) -> None:
    order = _placed(wechat, pay, merchant)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    merchant.wait_for(1)
    again = wechat.control("redeliver", out_trade_no=order.out_trade_no, copies=8)
    other = wechat.control("redeliver", out_trade_no=order.out_trade_no, new_id=True)
    assert again["statuses"] == [204] * 8
    assert other["notice_id"] != again["notice_id"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("signature", "wrong_signature"),
        ("serial", "unknown_serial"),
        ("skew", "clock_skew"),
        ("signtest", "probe"),
        ("tampered", "undecryptable"),
    ],
)
def test_a_forged_notice_is_rejected(wechat: Stand, pay: WeChatPay, merchant: Merchant, kind: str, reason: str) -> None:
    order = _placed(wechat, pay, merchant)
    wechat.control("forge", out_trade_no=order.out_trade_no, kind=kind)
    [received] = merchant.received
    with pytest.raises(NoticeRejected, match=reason):
        pay.read_notice(received.headers, received.body)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("wrong_amount", "total_fen", 1251),
        ("wrong_currency", "currency", "USD"),
        ("other_merchant", "sub_mchid", "1899999999"),
        ("wrong_payer", "sp_openid", "oSomebodyElse000000000000000"),
        ("empty_aad", "total_fen", 1250),
    ],
)
def test_an_authentic_notice_may_be_wrong_and_then_shows_it(
    wechat: Stand, pay: WeChatPay, merchant: Merchant, kind: str, field: str, value: object
) -> None:
    order = _placed(wechat, pay, merchant)
    wechat.control("forge", out_trade_no=order.out_trade_no, kind=kind)
    [received] = merchant.received
    assert getattr(pay.read_notice(received.headers, received.body).transaction(), field) == value


def test_a_forger_may_come_before_the_genuine_notice(wechat: Stand, pay: WeChatPay, merchant: Merchant) -> None:
    merchant.statuses = [401]
    order = _placed(wechat, pay, merchant)
    wechat.control("notices", mode="forge", kind="serial", out_trade_no=order.out_trade_no)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    merchant.wait_for(2)
    eventually(lambda: sorted(_states(wechat, order)) == ["delivered", "forged"])


def test_during_the_change_of_keys_notices_come_under_the_certificate(
    wechat: Stand, pay: WeChatPay, merchant: Merchant
) -> None:
    wechat.control("switches", certify_notices=True)
    order = _placed(wechat, pay, merchant)
    wechat.control("pay", out_trade_no=order.out_trade_no)
    [received] = merchant.wait_for(1)
    assert len(pay.read_notice(received.headers, received.body).serial) == 40


def test_the_self_test_sends_a_notice(pay: WeChatPay, merchant: Merchant) -> None:
    assert pay.echo("hello", merchant.url) == Done("hello")
    [received] = merchant.wait_for(1)
    notice = pay.read_notice(received.headers, received.body)
    assert (notice.event_type, notice.original_type) == ("SECURITY_ECHO.SUCCESS", "security")


def test_the_book_outlives_a_restart_and_goes_on_announcing(tmp_path: Path, merchant: Merchant) -> None:
    state = str(tmp_path / "state.json")
    with standing(tmp_path, "--state-file", state) as wechat:
        wechat.control("notices", mode="delay", seconds=3600)
        order = _placed(wechat, wechat.client(), merchant)
        wechat.control("pay", out_trade_no=order.out_trade_no)
        before = wechat.book(order.out_trade_no)
    with standing(tmp_path, "--state-file", state) as wechat:
        merchant.wait_for(1)
        eventually(lambda: _states(wechat, order) == ["delivered"])
        assert wechat.book(order.out_trade_no)["orders"] == before["orders"]
        assert isinstance(wechat.client().create_order(wechat.order(sp_openid=order.sp_openid).body()), Done)
