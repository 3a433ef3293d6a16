"""Notices (回调通知) as WeChat writes them, and as somebody else might."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulators.clock import Clock, rfc3339
from simulators.wechat.errors import compact
from simulators.wechat.ids import Ids
from simulators.wechat.orders import Order
from simulators.wechat.refunds import Refund
from simulators.wechat.signatures import PlatformSigner, encrypted

FORGERIES = (
    "signature",
    "serial",
    "skew",
    "signtest",
    "tampered",
    "wrong_amount",
    "wrong_currency",
    "wrong_payer",
    "other_merchant",
    "unknown_order",
    "unknown_event",
    "malformed",
    "empty_aad",
)
STALE_SECONDS = 600
SUMMARIES = {
    "TRANSACTION.SUCCESS": "支付成功",
    "REFUND.SUCCESS": "退款成功",
    "REFUND.CLOSED": "退款关闭",
    "REFUND.ABNORMAL": "退款异常",
}
UNKNOWN_SERIAL = "PUB_KEY_ID_0999999999999999999999999999"


@dataclass
class Attempt:
    """One delivery: `status` is the answer's, 0 when none came within 5 s."""

    at: float
    status: int
    error: str = ""


@dataclass
class Notice:
    """`body` stays the same for every attempt, its signature does not. `forgery` is '' for WeChat's own.

    `state`: pending, delivered, given_up (after 15 retries), dropped (never sent) or forged.
    """

    id: str
    number: str
    event_type: str
    url: str
    body: str
    created_at: float
    state: str = "pending"
    forgery: str = ""
    attempts: list[Attempt] = field(default_factory=list)


class Notices:
    """Writes notices and signs each attempt afresh."""

    def __init__(
        self, ids: Ids, clock: Clock, apiv3_key: str, signer: Callable[[], PlatformSigner], strangers: str
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._apiv3_key = apiv3_key
        self._signer = signer
        self._strangers = strangers

    def paid(self, order: Order) -> Notice:
        """支付成功."""
        return self._written(order.number, order.asked["notify_url"], "TRANSACTION.SUCCESS", order.transaction())

    def paid_together(self, number: str, url: str, told: dict[str, Any]) -> Notice:
        """支付成功 of a combined order: one notice for all its sub-orders."""
        return self._written(number, url, "TRANSACTION.SUCCESS", told)

    def refunded(self, refund: Refund, sp_mchid: str, status: str) -> Notice:
        """退款成功, 退款关闭 or 退款异常."""
        content = refund.noticed(sp_mchid, status)
        url = refund.asked["notify_url"]
        return self._written(refund.number, url, f"REFUND.{status}", content, original_type="refund")

    def echo(self, url: str, said: dict[str, Any]) -> Notice:
        """The notice of the official self-test."""
        return self._written("", url, "SECURITY_ECHO.SUCCESS", said, original_type="security")

    def forged(self, order: Order, kind: str) -> Notice:
        """A notice about `order` with one thing wrong. Raises `ValueError` for an unknown kind."""
        if kind not in FORGERIES:
            raise ValueError(f"kind is one of {', '.join(FORGERIES)}")
        event = "TRANSACTION.SOMETHING_NEW" if kind == "unknown_event" else "TRANSACTION.SUCCESS"
        content = _twisted(self._as_paid(order), kind, self._strangers)
        associated = "" if kind == "empty_aad" else "transaction"
        notice = self._written(order.number, order.asked["notify_url"], event, content, associated=associated)
        notice.body = _tampered(notice.body) if kind == "tampered" else notice.body
        notice.state, notice.forgery = "forged", kind
        return notice

    def headers(self, notice: Notice) -> dict[str, str]:
        """Fresh timestamp, nonce and signature."""
        kind, signer = notice.forgery, self._signer()
        at = self._clock.now() - (STALE_SECONDS if kind == "skew" else 0)
        signed = b"something else" if kind == "signature" else notice.body.encode()
        headers = signer.headers(signed, at, self._ids.alphanumeric(32))
        if kind == "serial":
            headers["Wechatpay-Serial"] = UNKNOWN_SERIAL
        if kind == "signtest":
            headers["Wechatpay-Signature"] = "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"]
        return headers | {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "Request-ID": self._ids.request_id(0),
            "User-Agent": "Mozilla/4.0",
        }

    def _as_paid(self, order: Order) -> dict[str, Any]:
        """A forger claims the payment even when there was none."""
        now = self._clock.now()
        claimed = Order(order.asked, order.created_at, order.expires_at, "SUCCESS")
        claimed.transaction_id = order.transaction_id or self._ids.transaction_id(now)
        claimed.payer_total_fen = order.payer_total_fen or order.total_fen
        claimed.paid_at = order.paid_at or now
        return claimed.transaction()

    def _written(
        self,
        number: str,
        url: str,
        event_type: str,
        content: dict[str, Any],
        original_type: str = "transaction",
        associated: str | None = None,
    ) -> Notice:
        now = self._clock.now()
        sealed = encrypted(
            compact(content),
            self._apiv3_key,
            self._ids.alphanumeric(12),
            original_type if associated is None else associated,
        )
        envelope = {
            "id": self._ids.uuid(),
            "create_time": rfc3339(now),
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": SUMMARIES.get(event_type, "支付成功" if original_type == "transaction" else "通道测试成功"),
            "resource": {"original_type": original_type} | sealed,
        }
        return Notice(str(envelope["id"]), number, event_type, url, compact(envelope).decode(), now)


def _twisted(content: dict[str, Any], kind: str, strangers: str) -> dict[str, Any]:
    """The content with what `kind` says changed; the kinds of the envelope and the headers leave it."""
    amount = content["amount"]
    changes: dict[str, dict[str, Any]] = {
        "wrong_amount": {"amount": amount | {"total": amount["total"] + 1, "payer_total": amount["total"] + 1}},
        "wrong_currency": {"amount": amount | {"currency": "USD"}},
        "wrong_payer": {"payer": {"sp_openid": "oSomebodyElse000000000000000"}},
        "other_merchant": {"sub_mchid": strangers},
        "unknown_order": {"out_trade_no": "NobodysOrder" + content["out_trade_no"][:20]},
        "malformed": {"trade_state": 7, "amount": "much"},
    }
    return content | changes.get(kind, {})


def _tampered(body: str) -> str:
    """The same envelope with one character of the ciphertext changed; it is signed afterwards."""
    envelope = json.loads(body)
    ciphertext = envelope["resource"]["ciphertext"]
    envelope["resource"]["ciphertext"] = ("B" if ciphertext[0] == "A" else "A") + ciphertext[1:]
    return compact(envelope).decode()
