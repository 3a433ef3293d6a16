"""The documented shape of each request body (WeChat Pay v3: partner/4012791856)."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from simulators.wechat.errors import ApiError, refused_request

NUMBER = r"[0-9A-Za-z_\-|*]{6,32}"


@dataclass(frozen=True)
class Text:
    """A text under a JSON pointer such as /payer/sp_openid."""

    pointer: str
    longest: int
    required: bool = True
    pattern: str = r"(?s).+"

    def check(self, value: Any) -> None:
        if value is None and not self.required:
            return
        if value is None:
            raise wrong(self.pointer, value, "缺少必填参数")
        if not isinstance(value, str):
            raise wrong(self.pointer, value, "类型不正确")
        if len(value) > self.longest or not re.fullmatch(self.pattern, value):
            raise wrong(self.pointer, value, "格式或长度不符合要求")


PARTIES = (Text("/sp_mchid", 32), Text("/sub_mchid", 32))
CLOSE = PARTIES
CARD = (
    Text("/sub_mchid", 32),
    Text("/out_refund_no", 64),
    Text("/type", 32, pattern="USER_BANK_CARD"),
    Text("/bank_type", 30, pattern=r"[A-Z0-9]+_(DEBIT|CREDIT)"),
    Text("/bank_account", 1024),
    Text("/real_name", 1024),
)
CREATE = (
    Text("/sp_appid", 32),
    *PARTIES,
    Text("/description", 127),
    Text("/out_trade_no", 32, pattern=NUMBER),
    Text("/time_expire", 64, required=False),
    Text("/attach", 128, required=False, pattern=r"(?s).*"),
    Text("/notify_url", 255),
    Text("/payer/sp_openid", 128, required=False),
    Text("/payer/sub_openid", 128, required=False),
)
REFUND = (
    Text("/sub_mchid", 32),
    Text("/transaction_id", 32, required=False),
    Text("/out_trade_no", 32, required=False, pattern=NUMBER),
    Text("/out_refund_no", 64, pattern=r"[0-9A-Za-z_\-|*@]{1,64}"),
    Text("/reason", 80, required=False),
    Text("/notify_url", 256, required=False),
)
COMBINED = (
    Text("/combine_appid", 32),
    Text("/combine_mchid", 32),
    Text("/combine_out_trade_no", 32, pattern=NUMBER),
    Text("/combine_payer_info/openid", 128),
    Text("/time_start", 64, required=False),
    Text("/time_expire", 64, required=False),
    Text("/notify_url", 255),
)
SUB_ORDER = (
    Text("/mchid", 32),
    Text("/sub_mchid", 32),
    Text("/out_trade_no", 32, pattern=NUMBER),
    Text("/attach", 128),
    Text("/description", 127),
)
CLOSE_COMBINED = (Text("/combine_appid", 32),)
MOST_SUB_ORDERS = 50
ECHO = (Text("/echo_message", 1024), Text("/notify_url", 255, required=False))


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; raises PARAM_ERROR."""
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise refused_request(400, "PARAM_ERROR", "请求体不是合法的JSON对象", field="", location="body")
    return value


def check(body: dict[str, Any], shape: Iterable[Text]) -> None:
    """Raises PARAM_ERROR for the first text that is not as documented."""
    for text in shape:
        text.check(at(body, text.pointer))


def check_create(body: dict[str, Any]) -> None:
    """The shape of a new order, with the rules that are more than a text's."""
    check(body, CREATE)
    _check_amount(body)
    _check_payer(body)
    _check_notify_url("/notify_url", body["notify_url"])
    expiry(body)


def check_combined(body: dict[str, Any]) -> None:
    """The shape of a combined order: head and sub-orders, whose amounts are called otherwise."""
    check(body, COMBINED)
    _check_notify_url("/notify_url", body["notify_url"])
    expiry(body)
    for part in sub_orders(body):
        check(part, SUB_ORDER)
        fen = at(part, "/amount/total_amount")
        if type(fen) is not int or fen < 1:
            raise wrong("/sub_orders/amount/total_amount", fen, "缺少必填参数、类型不正确或值低于最小值 1")
        if at(part, "/amount/currency") != "CNY":
            raise wrong("/sub_orders/amount/currency", at(part, "/amount/currency"), "只支持CNY")


def sub_orders(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The sub-orders of a combined order or of its closing; raises PARAM_ERROR."""
    parts = body.get("sub_orders")
    if not isinstance(parts, list) or not 1 <= len(parts) <= MOST_SUB_ORDERS:
        raise wrong("/sub_orders", None, "子单数量须为1至50")
    if not all(isinstance(part, dict) for part in parts):
        raise wrong("/sub_orders", None, "类型不正确")
    return parts


def check_refund(body: dict[str, Any]) -> None:
    """The shape of a refund, with the rules that are more than a text's."""
    check(body, REFUND)
    if (body.get("transaction_id") is None) == (body.get("out_trade_no") is None):
        raise wrong("/transaction_id", None, "transaction_id和out_trade_no必须且只能填一个")
    for name in ("refund", "total"):
        fen = at(body, f"/amount/{name}")
        if type(fen) is not int or fen < 1:
            raise wrong(f"/amount/{name}", fen, "缺少必填参数、类型不正确或值低于最小值 1")
    if at(body, "/amount/currency") != "CNY":
        raise wrong("/amount/currency", at(body, "/amount/currency"), "只支持CNY")
    if "notify_url" in body:
        _check_notify_url("/notify_url", body["notify_url"])


def check_echo(body: dict[str, Any]) -> None:
    """The shape of the self-test."""
    check(body, ECHO)
    if "notify_url" in body:
        _check_notify_url("/notify_url", body["notify_url"])


def expiry(body: dict[str, Any]) -> float | None:
    """The last moment to pay, as asked for; raises PARAM_ERROR unless RFC 3339 with an offset."""
    text = body.get("time_expire")
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise wrong("/time_expire", text, "时间格式不符合RFC3339") from None
    if time.tzinfo is None or "T" not in text:
        raise wrong("/time_expire", text, "时间格式不符合RFC3339")
    return time.timestamp()


def at(body: dict[str, Any], pointer: str) -> Any:
    """The value under a JSON pointer, None if there is none."""
    value: Any = body
    for name in pointer.strip("/").split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def wrong(pointer: str, value: Any, issue: str) -> ApiError:
    """PARAM_ERROR with the detail WeChat gives."""
    message = f"输入源“/body{pointer}”映射到字段规则校验失败，{issue}"
    return refused_request(400, "PARAM_ERROR", message, field=pointer, value=value, issue=issue, location="body")


def _check_amount(body: dict[str, Any]) -> None:
    total = at(body, "/amount/total")
    if type(total) is not int:
        raise wrong("/amount/total", total, "缺少必填参数或类型不正确")
    if total < 1:
        message = "输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1"
        raise refused_request(
            400, "PARAM_ERROR", message, field="/amount/total", value=total, issue="值低于最小值 1", location="body"
        )
    if at(body, "/amount/currency") not in (None, "CNY"):
        raise wrong("/amount/currency", at(body, "/amount/currency"), "只支持CNY")


def _check_payer(body: dict[str, Any]) -> None:
    openids = [at(body, "/payer/sp_openid"), at(body, "/payer/sub_openid")]
    if openids.count(None) != 1:
        raise wrong("/payer", None, "sp_openid和sub_openid必须且只能填一个")
    if openids[1] is not None and not body.get("sub_appid"):
        raise wrong("/sub_appid", None, "使用sub_openid时sub_appid必填")


def _check_notify_url(pointer: str, url: str) -> None:
    """https, with a path and without a query. Plain http is taken from loopback, which WeChat never could."""
    parts = urlsplit(url)
    is_near = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not (parts.scheme == "https" or is_near) or not parts.hostname or parts.path in ("", "/") or "?" in url:
        raise wrong(pointer, url, "通知地址必须是https、带路径且不带参数")
