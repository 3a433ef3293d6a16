"""A refund as we ask for it, and as WeChat sees it."""

import re
from dataclasses import dataclass
from datetime import datetime

from payments.wechat.orders import canonical
from payments.wechat.reading import Fields, read_object

REFUND_NUMBER = re.compile(r"[0-9A-Za-z_-]{1,64}")
REASON_LENGTH = 80


@dataclass(frozen=True)
class RefundOrder:
    """What to give back, of which payment (WeChat Pay v3: partner/4012791911).

    `total_fen` is what the whole order came to. WeChat shows `reason` to the user. Without `notify_url` the notice
    would go wherever the merchant platform says, perhaps in the old format. Raises `ValueError` for what WeChat
    cannot take.
    """

    sub_mchid: str
    transaction_id: str
    out_refund_no: str
    reason: str
    notify_url: str
    refund_fen: int
    total_fen: int

    def __post_init__(self) -> None:
        if not REFUND_NUMBER.fullmatch(self.out_refund_no):
            raise ValueError("out_refund_no is 1 to 64 of 0-9 A-Z a-z _ -")
        if not 1 <= self.refund_fen <= self.total_fen:
            raise ValueError("refund_fen is at least 1 and at most total_fen")
        if not 0 < len(self.reason) <= REASON_LENGTH:
            raise ValueError("reason has 1 to 80 characters")

    def body(self) -> bytes:
        """The refund as canonical JSON: keep the bytes, and a retry is identical."""
        return canonical(
            {
                "sub_mchid": self.sub_mchid,
                "transaction_id": self.transaction_id,
                "out_refund_no": self.out_refund_no,
                "reason": self.reason,
                "notify_url": self.notify_url,
                "amount": {"refund": self.refund_fen, "total": self.total_fen, "currency": "CNY"},
            }
        )


@dataclass(frozen=True)
class RefundSeen:
    """The answer to a request or query, and the content of a refund notice.

    `status` is PROCESSING, SUCCESS, CLOSED or ABNORMAL; new values pass through. `sub_mchid` stands only in notices,
    and not in all of them.
    """

    refund_id: str
    out_refund_no: str
    transaction_id: str
    out_trade_no: str
    status: str
    refund_fen: int | None
    total_fen: int | None
    success_time: datetime | None
    sub_mchid: str | None


def read_refund(text: bytes) -> RefundSeen:
    """What an answer tells. Raises `Malformed`; fields we do not know are ignored."""
    fields = read_object(text)
    return _seen(fields, fields.text("status"))


def read_refund_notice(text: bytes) -> RefundSeen:
    """What a notice tells: there the state is called `refund_status`. Raises `Malformed`."""
    fields = read_object(text)
    return _seen(fields, fields.text("refund_status"))


def _seen(fields: Fields, status: str) -> RefundSeen:
    amount = fields.inner("amount")
    return RefundSeen(
        refund_id=fields.text("refund_id"),
        out_refund_no=fields.text("out_refund_no"),
        transaction_id=fields.text("transaction_id"),
        out_trade_no=fields.text("out_trade_no"),
        status=status,
        refund_fen=amount.optional_fen("refund"),
        total_fen=amount.optional_fen("total"),
        success_time=fields.optional_time("success_time"),
        sub_mchid=fields.optional_text("sub_mchid"),
    )
