"""An independent implementation, wechatpayv3, agrees with both of our sides."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wechatpayv3
from wechatpayv3.utils import build_authorization

from payments.wechat import Done, NoticeRejected, WeChatPay
from payments.wechat.signing import Signer, is_signed, request_message
from tests.wechat import paper
from tests.wechat.stand import SUB_MCHID, Merchant, Stand

Library = Any


@pytest.fixture
def library(wechat: Stand) -> Library:
    environment = wechat.environment
    serial, _, path = environment["WECHAT_PUBLIC_KEYS"].split(",")[0].partition("=")
    made = wechatpayv3.WeChatPay(
        wechatpay_type=wechatpayv3.WeChatPayType.MINIPROG,
        mchid=environment["WECHAT_SP_MCHID"],
        private_key=Path(environment["WECHAT_MERCHANT_KEY_FILE"]).read_text(),
        cert_serial_no=environment["WECHAT_MERCHANT_SERIAL"],
        appid=environment["WECHAT_APP_ID"],
        apiv3_key=environment["WECHAT_APIV3_KEY"],
        partner_mode=True,
        timeout=(3, 10),
        public_key=Path(path).read_text(),
        public_key_id=serial,
    )
    made._core._gate_way = wechat.url
    return made


def _ordered(library: Library, wechat: Stand, notify_url: str = "http://127.0.0.1:9/notices") -> tuple[str, str]:
    """A number and its prepay_id, ordered by the library."""
    number = f"L{uuid.uuid4().hex[:24]}"
    code, text = library.pay(
        description="杭州共泊停车费",
        out_trade_no=number,
        amount={"total": 1250, "currency": "CNY"},
        payer={"sp_openid": wechat.openid()},
        notify_url=notify_url,
        sub_mchid=SUB_MCHID,
    )
    assert code == 200, text
    return number, json.loads(text)["prepay_id"]


def test_the_stand_in_takes_the_librarys_orders_and_the_library_its_answers(
    wechat: Stand, library: Library, pay: WeChatPay
) -> None:
    number, _ = _ordered(library, wechat)
    code, text = library.query(out_trade_no=number, sub_mchid=SUB_MCHID)
    query = pay.query_order(number, SUB_MCHID)
    assert (code, json.loads(text)["trade_state"]) == (200, "NOTPAY")
    assert isinstance(query, Done)
    assert query.value.trade_state == "NOTPAY"


def test_the_library_closes_an_order_and_verifies_the_signed_emptiness(
    wechat: Stand, library: Library, pay: WeChatPay
) -> None:
    number, _ = _ordered(library, wechat)
    assert library.close(out_trade_no=number, sub_mchid=SUB_MCHID)[0] == 204
    assert pay.close_order(number, SUB_MCHID) == Done(None)


def test_the_library_refuses_an_answer_with_a_wrong_signature(wechat: Stand, library: Library) -> None:
    wechat.control("faults", kind="wrong_signature", operation="query")
    number, _ = _ordered(library, wechat)
    with pytest.raises(Exception, match="failed to verify the signature"):
        library.query(out_trade_no=number, sub_mchid=SUB_MCHID)


def test_the_cashier_opens_for_the_librarys_pay_sign(wechat: Stand, library: Library) -> None:
    _, prepay_id = _ordered(library, wechat)
    shown = {"timeStamp": "1554208460", "nonceStr": "593BEC0C930BF1AF", "package": f"prepay_id={prepay_id}"}
    signed = library.sign([wechat.environment["WECHAT_APP_ID"], *shown.values()])
    paid = wechat.control("pay", parameters=shown | {"signType": "RSA", "paySign": signed})
    assert paid["errMsg"] == "requestPayment:ok"


def test_the_library_and_we_read_the_same_notice(
    wechat: Stand, library: Library, pay: WeChatPay, merchant: Merchant
) -> None:
    number, _ = _ordered(library, wechat, merchant.url)
    wechat.control("pay", out_trade_no=number)
    [received] = merchant.wait_for(1)
    theirs = library.callback(received.headers, received.body)
    ours = pay.read_notice(received.headers, received.body)
    assert theirs["resource"] == json.loads(ours.plaintext)
    assert (theirs["id"], theirs["event_type"]) == (ours.id, ours.event_type)


@pytest.mark.parametrize("kind", ["signature", "signtest", "tampered"])
def test_the_library_and_we_reject_the_same_forgeries(
    wechat: Stand, library: Library, pay: WeChatPay, merchant: Merchant, kind: str
) -> None:
    number, _ = _ordered(library, wechat, merchant.url)
    wechat.control("forge", out_trade_no=number, kind=kind)
    [received] = merchant.received
    assert library.callback(received.headers, received.body) is None
    with pytest.raises(NoticeRejected):
        pay.read_notice(received.headers, received.body)


def test_we_reject_an_old_notice_that_the_library_would_take(
    wechat: Stand, library: Library, pay: WeChatPay, merchant: Merchant
) -> None:
    number, _ = _ordered(library, wechat, merchant.url)
    wechat.control("forge", out_trade_no=number, kind="skew")
    [received] = merchant.received
    assert library.callback(received.headers, received.body)["event_type"] == "TRANSACTION.SUCCESS"
    with pytest.raises(NoticeRejected, match="clock_skew"):
        pay.read_notice(received.headers, received.body)


def test_the_library_reads_the_platform_certificate(wechat: Stand, library: Library) -> None:
    assert library._core.request("/v3/certificates", skip_verify=True)[0] == 404
    wechat.control("switches", platform_certificate=True)
    library._core._update_certificates()
    serial = wechat.environment["WECHAT_PUBLIC_KEYS"].split(",")[1].partition("=")[0]
    assert [f"{one.serial_number:040X}" for one in library._core._certificates] == [serial]


def _signed_by_us(path: str, body: str) -> str:
    signer = Signer("1900007291", "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", paper.key("merchant"))
    return signer.authorization("POST", path, 1554208460, "593BEC0C930BF1AF", body.encode())


def _signed_by_them(path: str, body: str) -> str:
    return str(
        build_authorization(
            path,
            "POST",
            "1900007291",
            "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
            paper.key("merchant"),
            data=body,
            nonce_str="593BEC0C930BF1AF",
        )
    )


@pytest.mark.parametrize("signed", [_signed_by_us, _signed_by_them])
def test_both_sign_the_same_message(signed: Callable[[str, str], str]) -> None:
    body, path = '{"description":"停车费"}', "/v3/pay/partner/transactions/jsapi"
    pairs = dict(pair.split("=", 1) for pair in signed(path, body).partition(" ")[2].split(","))
    timestamp = int(pairs["timestamp"].strip('"'))
    message = request_message("POST", path, timestamp, "593BEC0C930BF1AF", body.encode())
    assert is_signed(message, pairs["signature"].strip('"'), paper.key("merchant").public_key())
