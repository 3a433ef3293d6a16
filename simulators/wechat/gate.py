"""The request gate of APIv3: who asks, when, and did they sign exactly this?"""

import re
from collections.abc import Callable
from typing import Any

from simulators.wechat.errors import ApiError, refused_request
from simulators.wechat.keys import KeyMaterial
from simulators.wechat.schemas import parsed
from simulators.wechat.signatures import SCHEME, is_signed_by
from simulators.wire import Asked

PAIR = re.compile(r'(\w+)="([^"]*)"')
NAMES = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
SKEW_SECONDS = 300

MISSING_HEADERS = "Http头缺少Accept或User-Agent"
MALFORMED = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
PAY_MALFORMED = "签名信息错误，验签失败"
WRONG_SCHEME = "HTTP头Authorization认证类型不正确"
SKEWED = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"
WRONG_SERIAL = "商户证书序列号有误。请使用签名私钥匹配的证书序列号"
WRONG_SIGNATURE = "签名错误"
OTHER_MERCHANT = "http header中的mchid与post payload中的mchid不匹配"


class Gate:
    """Checks in WeChat's own order; the first that fails answers."""

    def __init__(self, material: KeyMaterial, now: Callable[[], float]) -> None:
        self._account = material.account
        self._merchant_key = material.merchant_key.public_key()
        self._now = now

    def admit(self, asked: Asked) -> dict[str, Any]:
        """The body of a request that may pass; raises `ApiError` as WeChat would."""
        self._expect_headers(asked)
        claims = self._authorization(asked)
        self._expect_fresh(claims)
        self._expect_serial(claims)
        self._expect_signature(asked, claims)
        body = parsed(asked.body)
        self._expect_same_merchant(asked, claims, body)
        return body

    def _expect_headers(self, asked: Asked) -> None:
        if asked.path == "/v3/certificates" and not (asked.header("Accept") and asked.header("User-Agent")):
            raise refused_request(400, "INVALID_REQUEST", MISSING_HEADERS)

    def _authorization(self, asked: Asked) -> dict[str, str]:
        scheme, _, pairs = asked.header("Authorization").partition(" ")
        if scheme in ("", "Bearer"):
            raise unsigned(PAY_MALFORMED if asked.path.startswith("/v3/pay/") else MALFORMED)
        if scheme != SCHEME:
            raise unsigned(WRONG_SCHEME)
        claims = dict(PAIR.findall(pairs))
        if set(claims) != NAMES or not claims["timestamp"].isdecimal():
            raise unsigned(MALFORMED)
        return claims

    def _expect_fresh(self, claims: dict[str, str]) -> None:
        if abs(self._now() - int(claims["timestamp"])) > SKEW_SECONDS:
            raise unsigned(SKEWED)

    def _expect_serial(self, claims: dict[str, str]) -> None:
        if (claims["mchid"], claims["serial_no"]) != (self._account.sp_mchid, self._account.merchant_serial):
            raise unsigned(WRONG_SERIAL)

    def _expect_signature(self, asked: Asked, claims: dict[str, str]) -> None:
        lines = (asked.method, asked.target, claims["timestamp"], claims["nonce_str"], asked.body)
        if not is_signed_by(self._merchant_key, claims["signature"], *lines):
            raise wrong_signature(asked, claims)

    def _expect_same_merchant(self, asked: Asked, claims: dict[str, str], body: dict[str, Any]) -> None:
        named = body.get("sp_mchid", body.get("combine_mchid", asked.query.get("sp_mchid", claims["mchid"])))
        if named != claims["mchid"]:
            raise refused_request(400, "PARAM_ERROR", OTHER_MERCHANT)


def unsigned(message: str) -> ApiError:
    """A 401 of WeChat's."""
    return refused_request(401, "SIGN_ERROR", message)


def wrong_signature(asked: Asked, claims: dict[str, str]) -> ApiError:
    """A 401 that shows the beginning of what should have been signed."""
    lines = (asked.method, asked.target, claims["timestamp"], claims["nonce_str"], asked.body.decode(errors="replace"))
    message = "".join(f"{line}\n" for line in lines)
    return refused_request(
        401,
        "SIGN_ERROR",
        WRONG_SIGNATURE,
        field="signature",
        location="authorization",
        detail={"issue": "sign not match"},
        sign_information={
            "method": asked.method,
            "sign_message_length": len(message.encode()),
            "truncated_sign_message": message[:64],
            "url": asked.target,
        },
    )
