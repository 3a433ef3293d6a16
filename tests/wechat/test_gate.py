"""The stand-in refuses requests in WeChat's order and in WeChat's words."""

import json
import time
from collections.abc import Callable

import pytest
import requests

from payments.wechat.signing import Signer
from tests.wechat.stand import SUB_MCHID, Stand

CREATE = "/v3/pay/partner/transactions/jsapi"
ECHO = "/v3/security/echo"
WRONG_SERIAL = "商户证书序列号有误。请使用签名私钥匹配的证书序列号"
NONCE = "593BEC0C930BF1AFEB40B4A08C8FB242"


def _authorization(wechat: Stand, path: str, body: bytes, at: float | None = None, method: str = "POST") -> str:
    account = wechat.account()
    signer = Signer(account.sp_mchid, account.certificate_serial, account.private_key)
    return signer.authorization(method, path, int(at or time.time()), NONCE, body)


def _send(wechat: Stand, path: str, authorization: str, body: bytes = b"{}") -> requests.Response:
    headers = {"Authorization": authorization, "Accept": "application/json", "User-Agent": "test"}
    return requests.post(wechat.url + path, data=body, headers=headers, timeout=5)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v3/nothing", 404), ("GET", CREATE, 405)])
def test_wrong_paths_and_methods_are_answered_with_nothing(wechat: Stand, method: str, path: str, status: int) -> None:
    response = requests.request(method, wechat.url + path, timeout=5)
    assert (response.status_code, response.content) == (status, b"")


def test_certificates_ask_for_accept_and_user_agent_first(wechat: Stand) -> None:
    response = requests.get(f"{wechat.url}/v3/certificates", headers={"Accept": "", "User-Agent": ""}, timeout=5)
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("path", "spoil", "message"),
    [
        (CREATE, lambda _: "", "签名信息错误，验签失败"),
        (CREATE, lambda _: "Bearer x", "签名信息错误，验签失败"),
        (ECHO, lambda _: "", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"),
        (CREATE, lambda good: "WECHATPAY3" + good, "HTTP头Authorization认证类型不正确"),
        (
            CREATE,
            lambda good: good.replace('serial_no="', 'serial_no="0'),
            WRONG_SERIAL,
        ),
        (CREATE, lambda good: good.replace(NONCE, NONCE[::-1]), "签名错误"),
    ],
)
def test_each_wrong_authorization_has_its_text(
    wechat: Stand, path: str, spoil: Callable[[str], str], message: str
) -> None:
    response = _send(wechat, path, spoil(_authorization(wechat, path, b"{}")))
    assert response.status_code == 401
    assert (response.json()["code"], response.json()["message"]) == ("SIGN_ERROR", message)
    assert "Wechatpay-Signature" not in response.headers
    assert ("Request-ID" in response.headers) is (path == ECHO)


def test_a_wrong_clock_is_told_before_a_wrong_signature(wechat: Stand) -> None:
    response = _send(wechat, CREATE, _authorization(wechat, CREATE, b"other", time.time() - 400))
    assert response.json()["message"] == "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"


def test_a_wrong_signature_is_told_before_a_wrong_body(wechat: Stand) -> None:
    detail = _send(wechat, CREATE, _authorization(wechat, CREATE, b"other"), b"not JSON").json()["detail"]
    assert detail["detail"] == {"issue": "sign not match"}
    assert detail["sign_information"]["url"] == CREATE


def test_the_path_is_signed_as_it_was_sent(wechat: Stand) -> None:
    path = f"/v3/pay/partner/transactions/out-trade-no/a%7Cb%2A1234?sp_mchid={{}}&sub_mchid={SUB_MCHID}"
    path = path.format(wechat.environment["WECHAT_SP_MCHID"])
    headers = {"Authorization": _authorization(wechat, path, b"", method="GET")}
    response = requests.get(wechat.url + path, headers=headers, timeout=5)
    assert (response.status_code, response.json()["code"]) == (404, "ORDER_NOT_EXIST")


def test_the_merchant_who_signs_is_the_one_who_orders(wechat: Stand) -> None:
    body = b'{"sp_mchid":"1600000000"}'
    response = _send(wechat, CREATE, _authorization(wechat, CREATE, body), body)
    assert (response.status_code, response.json()["code"]) == (400, "PARAM_ERROR")
    assert response.json()["message"] == "http header中的mchid与post payload中的mchid不匹配"


@pytest.mark.parametrize("body", [b"[]", b"nonsense", b"[" * 50_000, b"\xff"])
def test_a_body_that_is_no_object_is_a_wrong_parameter(wechat: Stand, body: bytes) -> None:
    response = _send(wechat, CREATE, _authorization(wechat, CREATE, body), body)
    assert (response.status_code, response.json()["code"]) == (400, "PARAM_ERROR")


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("/amount/total", {"amount": {"total": 0}}),
        ("/amount/total", {"amount": {"total": "1"}}),
        ("/amount/currency", {"amount": {"total": 1, "currency": "USD"}}),
        ("/description", {"description": None}),
        ("/out_trade_no", {"out_trade_no": "short"}),
        ("/notify_url", {"notify_url": "http://example.org/x"}),
        ("/notify_url", {"notify_url": "https://example.org/x?a=1"}),
        ("/time_expire", {"time_expire": "2026-03-01 08:00:00"}),
        ("/payer", {"payer": {}}),
    ],
)
def test_the_field_that_is_wrong_is_named(wechat: Stand, field: str, changed: dict[str, object]) -> None:
    account = wechat.account()
    provider = {"sp_appid": account.sp_appid, "sp_mchid": account.sp_mchid}
    body = json.dumps(json.loads(wechat.order().body()) | provider | changed).encode()
    response = _send(wechat, CREATE, _authorization(wechat, CREATE, body), body)
    assert (response.status_code, response.json()["code"]) == (400, "PARAM_ERROR")
    assert response.json()["detail"]["field"] == field
