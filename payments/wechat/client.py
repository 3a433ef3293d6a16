"""The few calls we make, and what each can come to."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import BinaryIO, TypeVar

from payments.wechat import signing
from payments.wechat.account import MerchantAccount
from payments.wechat.bills import BillPart, decrypted, read_flow_bill, read_trade_bill
from payments.wechat.cards import BankCard
from payments.wechat.combined import SubOrderNumber, read_combined
from payments.wechat.http import Answer, Call, Wire
from payments.wechat.notices import Notice, read_notice
from payments.wechat.orders import canonical
from payments.wechat.outcomes import Done, Refused, Unknown
from payments.wechat.reading import Malformed, read_object
from payments.wechat.refunds import RefundSeen, read_refund
from payments.wechat.transactions import Transaction, read_transaction
from payments.wechat.verification import Unverified, verify

log = logging.getLogger("payments.wechat")

T = TypeVar("T")

ORDERS = "/v3/pay/partner/transactions"
COMBINED = "/v3/combine-transactions"
REFUNDS = "/v3/refund/domestic/refunds"
TRADE_BILL = "/v3/bill/tradebill"
FLOW_BILL = "/v3/bill/sub-merchant-fundflowbill"
MOST_BILL_BYTES = 2 * 1024**3
BILL_SECONDS = 1_800.0
"""A bill of that size may take so long, as long as it does not fall silent."""
AWAITED_SECONDS = 6.0
"""A person looks at the screen meanwhile."""


class WeChatPay:
    """WeChat Pay for one service provider. Safe to share between threads; `base_urls` is primary, backup.

    No call raises for what WeChat or the network did; all take at most some 20 s. Call outside transactions.
    """

    def __init__(self, account: MerchantAccount, base_urls: Sequence[str], now: Callable[[], datetime]) -> None:
        self._account = account
        self._now = now
        signer = signing.Signer(account.sp_mchid, account.certificate_serial, account.private_key)
        self._wire = Wire(base_urls, signer, account.platform_keys.preferred, now)

    def create_order(self, body: bytes) -> Done[str] | Refused | Unknown:
        """Places the order whose `JsapiOrder.body()` this is; brings its prepay_id, good for 2 hours.

        Who we are is put in front here. The same `body` gives the same request, so after `Unknown` send it again
        under the same number. OUT_TRADE_NO_USED means that the number stands for other parameters: query it.
        """
        provider = {"sp_appid": self._account.sp_appid, "sp_mchid": self._account.sp_mchid}
        wanted = canonical(provider | dict(read_object(body).all()))
        call = Call("POST", f"{ORDERS}/jsapi", body=wanted, read_seconds=AWAITED_SECONDS, whole_seconds=AWAITED_SECONDS)
        return self._ask(call, HTTPStatus.OK, lambda answer: read_object(answer).text("prepay_id"))

    def query_order(self, out_trade_no: str, sub_mchid: str) -> Done[Transaction] | Refused | Unknown:
        """What WeChat knows of our number: the truth, where a notice is only a hint.

        `Refused` ORDER_NOT_EXIST counts only when it is signed.
        """
        query = [("sp_mchid", self._account.sp_mchid), ("sub_mchid", sub_mchid)]
        call = Call("GET", f"{ORDERS}/out-trade-no/{{}}", number=out_trade_no, query=query)
        outcome = self._ask(call, HTTPStatus.OK, read_transaction)
        if isinstance(outcome, Done) and not self._is_about(outcome.value, out_trade_no, sub_mchid):
            return Unknown("the answer is about another order")
        return outcome

    def close_order(self, out_trade_no: str, sub_mchid: str) -> Done[None] | Refused | Unknown:
        """Closes an unpaid order; closing it again is `Done` too. After any refusal query: it may have been paid."""
        body = canonical({"sp_mchid": self._account.sp_mchid, "sub_mchid": sub_mchid})
        call = Call("POST", f"{ORDERS}/out-trade-no/{{}}/close", number=out_trade_no, body=body)
        return self._ask(call, HTTPStatus.NO_CONTENT, lambda _: None)

    def create_combined(self, body: bytes) -> Done[str] | Refused | Unknown:
        """Places the combined order (合单) whose `CombinedJsapiOrder.body()` this is; brings the one prepay_id.

        As with `create_order`, the same `body` gives the same request.
        """
        wanted = dict(read_object(body).all())
        provider = {"combine_appid": self._account.sp_appid, "combine_mchid": self._account.sp_mchid}
        subs = [{"mchid": self._account.sp_mchid} | each for each in wanted["sub_orders"]]
        call = Call(
            "POST",
            f"{COMBINED}/jsapi",
            body=canonical(provider | wanted | {"sub_orders": subs}),
            read_seconds=AWAITED_SECONDS,
            whole_seconds=AWAITED_SECONDS,
        )
        return self._ask(call, HTTPStatus.OK, lambda answer: read_object(answer).text("prepay_id"))

    def query_combined(self, out_trade_no: str) -> Done[tuple[Transaction, ...]] | Refused | Unknown:
        """What WeChat knows of each sub-order of our combined number: one may be paid and another not."""
        call = Call("GET", f"{COMBINED}/out-trade-no/{{}}", number=out_trade_no)
        outcome = self._ask(call, HTTPStatus.OK, read_combined)
        if not isinstance(outcome, Done):
            return outcome
        if outcome.value.out_trade_no != out_trade_no or not all(map(self._is_ours, outcome.value.orders)):
            return Unknown("the answer is about another order")
        return Done(outcome.value.orders)

    def close_combined(self, out_trade_no: str, orders: Sequence[SubOrderNumber]) -> Done[None] | Refused | Unknown:
        """Closes a combined order; all its sub-orders are named. After any answer query: a part may have been paid."""
        subs = [
            {"mchid": self._account.sp_mchid, "sub_mchid": each.sub_mchid, "out_trade_no": each.out_trade_no}
            for each in orders
        ]
        body = canonical({"combine_appid": self._account.sp_appid, "sub_orders": subs})
        call = Call("POST", f"{COMBINED}/out-trade-no/{{}}/close", number=out_trade_no, body=body)
        return self._ask(call, HTTPStatus.NO_CONTENT, lambda _: None)

    def create_refund(self, body: bytes, intended_at: datetime) -> Done[RefundSeen] | Refused | Unknown:
        """Asks for the refund whose `RefundOrder.body()` this is (WeChat Pay v3: partner/4012791911).

        `Done` means accepted, PROCESSING as a rule. After anything else query, then send the same bytes again: a new
        number after a time-out could pay twice. Signed with the moment at which it was intended: WeChat refuses it
        when it leaves more than `SIGNATURE_HOLDS` later.
        """
        return self._ask(Call("POST", REFUNDS, body=body, signed_at=intended_at), HTTPStatus.OK, read_refund)

    def pay_to_card(
        self, card: BankCard, refund_id: str, out_refund_no: str, sub_mchid: str, intended_at: datetime
    ) -> Done[RefundSeen] | Refused | Unknown:
        """Has a refund that is ABNORMAL paid to a card (apply-abnormal-refund), which only WeChat can read.

        `refund_id` is WeChat's own number of it. `Done` means accepted; after `Unknown` query. Signed as
        `create_refund`.
        """
        body = card.body(sub_mchid, out_refund_no, self._account.platform_keys)
        route = f"{REFUNDS}/{{}}/apply-abnormal-refund"
        call = Call("POST", route, number=refund_id, body=body, signed_at=intended_at)
        return self._ask(call, HTTPStatus.OK, read_refund)

    def query_refund(self, out_refund_no: str, sub_mchid: str) -> Done[RefundSeen] | Refused | Unknown:
        """What WeChat knows of our refund's number; `Refused` RESOURCE_NOT_EXISTS: it was never accepted."""
        call = Call("GET", f"{REFUNDS}/{{}}", number=out_refund_no, query=[("sub_mchid", sub_mchid)])
        outcome = self._ask(call, HTTPStatus.OK, read_refund)
        if isinstance(outcome, Done) and outcome.value.out_refund_no != out_refund_no:
            return Unknown("the answer is about another refund")
        return outcome

    def trade_bill(self, day: date, sub_mchid: str) -> Done[tuple[BillPart, ...]] | Refused | Unknown:
        """Where the trade bill (交易账单) of one sub-merchant's day lies, gzipped (WeChat Pay v3: partner/4012760667).

        `Refused` NO_STATEMENT_EXIST: nothing was paid or refunded that day; STATEMENT_CREATING: not before 10:00.
        """
        query = [("bill_date", day.isoformat()), ("sub_mchid", sub_mchid), ("bill_type", "ALL"), ("tar_type", "GZIP")]
        return self._ask(Call("GET", TRADE_BILL, query=query), HTTPStatus.OK, read_trade_bill)

    def flow_bill(self, day: date, sub_mchid: str) -> Done[tuple[BillPart, ...]] | Refused | Unknown:
        """Where the fund-flow bill (资金账单) of one sub-merchant's day lies: parts, each encrypted for us.

        Our own account sees nothing of what sub-merchants take. Refusals as for `trade_bill`.
        """
        query = [
            ("sub_mchid", sub_mchid), ("bill_date", day.isoformat()), ("account_type", "BASIC"),
            ("algorithm", "AEAD_AES_256_GCM"), ("tar_type", "GZIP"),
        ]  # fmt: skip
        return self._ask(Call("GET", FLOW_BILL, query=query), HTTPStatus.OK, read_flow_bill)

    def download(self, part: BillPart, into: BinaryIO) -> Done[None] | Refused | Unknown:
        """Bring one part of a bill as it lies there. The answer is not signed: only the hash vouches for it."""
        call = Call("GET", "/v3/billdownload", read_seconds=20.0, whole_seconds=BILL_SECONDS)
        answer = self._wire.download(call, part.download_url, into, MOST_BILL_BYTES)
        if isinstance(answer, Unknown):
            return answer
        if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._refused(call, answer)
        return Done(None) if answer.status == HTTPStatus.OK else Unknown(f"HTTP {answer.status}")

    def opened(self, part: BillPart, closed: BinaryIO) -> Iterator[bytes]:
        """The content of an encrypted part, piece by piece; nothing counts before the last. Raises `Unopenable`."""
        return decrypted(closed, part, self._account.private_key)

    def echo(self, message: str, notify_url: str) -> Done[str] | Refused | Unknown:
        """The official self-test: brings `message` back and sends a SECURITY_ECHO.SUCCESS notice to `notify_url`."""
        body = canonical({"echo_message": message, "notify_url": notify_url})
        call = Call("POST", "/v3/security/echo", body=body)
        return self._ask(call, HTTPStatus.OK, lambda answer: read_object(answer).text("echo_message"))

    def payment_parameters(self, prepay_id: str) -> dict[str, str]:
        """What the mini-program hands to `wx.requestPayment`, signed now with the merchant key."""
        timestamp, nonce, package = int(self._now().timestamp()), secrets.token_hex(16), f"prepay_id={prepay_id}"
        message = signing.payment_message(self._account.sp_appid, timestamp, nonce, package)
        return {
            "appId": self._account.sp_appid,
            "timeStamp": str(timestamp),
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signing.sign(message, self._account.private_key),
        }

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verifies and decrypts the raw `body`. Raises `NoticeRejected`; never calls anyone."""
        return read_notice(headers, body, self._account, self._now())

    def _ask(self, call: Call, success: int, read: Callable[[bytes], T]) -> Done[T] | Refused | Unknown:
        answer = self._wire.exchange(call)
        if isinstance(answer, Unknown):
            return answer
        if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._refused(call, answer)
        if answer.status != success:
            return Unknown(f"HTTP {answer.status}")
        return self._done(answer, read)

    def _done(self, answer: Answer, read: Callable[[bytes], T]) -> Done[T] | Unknown:
        try:
            verify(answer.headers, answer.body, self._account.platform_keys, self._now())
            return Done(read(answer.body))
        except Unverified as doubt:
            return Unknown(f"unverified answer: {doubt.reason}")
        except Malformed as fault:
            return Unknown(f"malformed answer: {fault}")

    def _refused(self, call: Call, answer: Answer) -> Refused:
        refusal = Refused(_code(answer), answer.status, answer.request_id, self._is_signed(answer))
        log.warning("%s %s refused code=%s signed=%s", call.method, call.route, refusal.code, refusal.signed)
        return refusal

    def _is_signed(self, answer: Answer) -> bool:
        try:
            verify(answer.headers, answer.body, self._account.platform_keys, self._now())
        except Unverified:
            return False
        return True

    def _is_ours(self, transaction: Transaction) -> bool:
        return transaction.sp_mchid == self._account.sp_mchid

    def _is_about(self, transaction: Transaction, out_trade_no: str, sub_mchid: str) -> bool:
        asked = (self._account.sp_mchid, sub_mchid, out_trade_no)
        return (transaction.sp_mchid, transaction.sub_mchid, transaction.out_trade_no) == asked


def _code(answer: Answer) -> str:
    """The stable code of a refusal; a proxy's page has none and gives HTTP_<status>."""
    try:
        return read_object(answer.body).text("code")[:64]
    except Malformed:
        return f"HTTP_{answer.status}"
