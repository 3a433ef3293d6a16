"""Bills, from our client through HTTP to the stand-in's own book."""

import gzip
import hashlib
import io
import secrets
import uuid
from datetime import date, datetime, timedelta

import pytest

from payments.wechat import BillPart, Done, RefundOrder, Refused, Unknown, Unopenable, WeChatPay
from payments.wechat.orders import BEIJING
from tests.wechat.stand import Stand

ALL = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
Parts = Done[tuple[BillPart, ...]] | Refused | Unknown


def a_day_in(wechat: Stand, pay: WeChatPay) -> tuple[str, date]:
    """A sub-merchant that took 12.50 and gave 3.00 back today, and the day; the clock stands there."""
    sub_mchid = str(1_900_000_000 + secrets.randbelow(99_999_999))
    noon = datetime.now(BEIJING).replace(hour=12, minute=0)
    wechat.time.set((noon - datetime.now(BEIJING)).total_seconds())
    order = wechat.order(sub_mchid=sub_mchid)
    assert isinstance(pay.create_order(order.body()), Done)
    paid = wechat.control("pay", out_trade_no=order.out_trade_no)
    back = RefundOrder(
        sub_mchid=sub_mchid, transaction_id=paid["transaction_id"], out_refund_no=f"R{uuid.uuid4().hex}",
        reason="多缴退还", notify_url="http://127.0.0.1:9/notices", refund_fen=300, total_fen=1250,
    )  # fmt: skip
    assert isinstance(pay.create_refund(back.body(), wechat.time.now()), Done)
    return sub_mchid, noon.date()


def next_day(wechat: Stand, hour: int, days: int = 1) -> None:
    then = datetime.now(BEIJING).replace(hour=hour, minute=0, second=5) + timedelta(days=days)
    wechat.time.set((then - datetime.now(BEIJING)).total_seconds())


def parts(outcome: Parts) -> tuple[BillPart, ...]:
    assert isinstance(outcome, Done), outcome
    return outcome.value


def code(outcome: Parts | Done[None]) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def content(pay: WeChatPay, part: BillPart) -> bytes:
    into = io.BytesIO()
    assert isinstance(pay.download(part, into), Done)
    packed = b"".join(pay.opened(part, into)) if part.is_encrypted else into.getvalue()
    text = gzip.decompress(packed)
    assert hashlib.sha1(text).hexdigest() == part.sha1  # noqa: S324 - WeChat's choice
    return text


def test_a_trade_bill_tells_of_payments_and_refunds_with_their_fees_and_sums_up(wechat: Stand, pay: WeChatPay) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    next_day(wechat, 10)
    [part] = parts(pay.trade_bill(day, sub_mchid))
    header, payment, refund, sums, total, end = content(pay, part).decode("utf-8-sig").split("\r\n")
    assert (header, sums, end) == (ALL, SUMS, "")
    cells = [dict(zip(ALL.split(","), line[1:].split(",`"), strict=True)) for line in (payment, refund)]
    told = [[each[name] for name in ("交易状态", "订单金额", "申请退款金额", "手续费", "退款状态")] for each in cells]
    assert told == [["SUCCESS", "12.50", "0.00", "0.08000", ""], ["REFUND", "0.00", "3.00", "-0.02000", "SUCCESS"]]
    assert total == "`2,`12.50,`3.00,`0.00,`0.06000,`12.50,`3.00"


def test_a_fund_flow_bill_comes_in_parts_that_only_we_can_open(wechat: Stand, pay: WeChatPay) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    wechat.control("switches", bill_part_lines=2)
    next_day(wechat, 10)
    found = parts(pay.flow_bill(day, sub_mchid))
    lines = b"".join(content(pay, part) for part in found).decode("utf-8-sig").splitlines()
    moved = [line[1:].split(",`") for line in lines[1:-2]]
    assert [(each[4], each[5], each[6], each[7]) for each in moved] == [
        ("交易", "收入", "12.50", "12.50"),
        ("扣除交易手续费", "支出", "0.08", "12.42"),
        ("退款", "支出", "2.98", "9.44"),
    ]
    assert (len(found), lines[-1]) == (3, "`3,`1,`12.50,`2,`3.06")


def test_what_an_account_holds_at_midnight_is_settled_in_the_morning(wechat: Stand, pay: WeChatPay) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    next_day(wechat, 10, days=2)
    [part] = parts(pay.flow_bill(day + timedelta(days=1), sub_mchid))
    [line] = content(pay, part).decode("utf-8-sig").splitlines()[1:-2]
    assert line[1:].split(",`")[4:8] == ["提现", "支出", "9.44", "0.00"]


def test_a_bill_is_ready_at_ten_and_a_day_without_business_has_none(wechat: Stand, pay: WeChatPay) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    assert code(pay.trade_bill(day, sub_mchid)) == "INVALID_REQUEST"
    next_day(wechat, 9)
    assert code(pay.trade_bill(day, sub_mchid)) == "STATEMENT_CREATING"
    next_day(wechat, 10)
    assert code(pay.trade_bill(day - timedelta(days=1), sub_mchid)) == "NO_STATEMENT_EXIST"
    assert code(pay.flow_bill(day - timedelta(days=1), sub_mchid)) == "NO_STATEMENT_EXIST"
    assert code(pay.trade_bill(day - timedelta(days=100), sub_mchid)) == "INVALID_REQUEST"


def test_a_link_lives_five_minutes(wechat: Stand, pay: WeChatPay) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    next_day(wechat, 10)
    [part] = parts(pay.trade_bill(day, sub_mchid))
    next_day(wechat, 11)
    assert code(pay.download(part, io.BytesIO())) == "INVALID_REQUEST"


@pytest.mark.parametrize("kind", ["bill_byte", "bill_truncated"])
def test_an_encrypted_part_that_was_changed_on_the_way_does_not_open(wechat: Stand, pay: WeChatPay, kind: str) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    next_day(wechat, 10)
    [part] = parts(pay.flow_bill(day, sub_mchid))
    wechat.control("faults", kind=kind, operation="download")
    into = io.BytesIO()
    assert isinstance(pay.download(part, into), Done)
    with pytest.raises(Unopenable):
        b"".join(pay.opened(part, into))


def test_a_download_that_breaks_off_is_unknown(wechat: Stand, pay: WeChatPay) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    next_day(wechat, 10)
    [part] = parts(pay.trade_bill(day, sub_mchid))
    wechat.control("faults", kind="reset_after", operation="download")
    assert isinstance(pay.download(part, io.BytesIO()), Unknown)


def test_a_tester_may_have_another_bill_served(wechat: Stand, pay: WeChatPay) -> None:
    sub_mchid, day = a_day_in(wechat, pay)
    next_day(wechat, 10)
    asked = {"kind": "trade", "sub_mchid": sub_mchid, "bill_date": day.isoformat()}
    text = wechat.session.get(f"{wechat.url}/control/bills", params=asked, timeout=10).json()["text"]
    wechat.control("bills", **asked, text=text.replace("12.50", "12.51"))
    [part] = parts(pay.trade_bill(day, sub_mchid))
    assert content(pay, part).decode() == text.replace("12.50", "12.51")
