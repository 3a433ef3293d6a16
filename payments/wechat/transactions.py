"""An order as WeChat sees it."""

from dataclasses import dataclass
from datetime import datetime

from payments.wechat.reading import read_object


@dataclass(frozen=True)
class Transaction:
    """The answer to a query and the content of a payment notice (WeChat Pay v3: partner/4012791856).

    `trade_state` is SUCCESS, REFUND (for ever, after the first refund of any size), NOTPAY or CLOSED; new
    values pass through. While unpaid, `transaction_id`, `trade_type`, `sp_openid` and `success_time` are absent.
    `payer_total_fen` is less than `total_fen` when WeChat's own coupons paid a part.
    """

    sp_appid: str
    sp_mchid: str
    sub_mchid: str
    out_trade_no: str
    transaction_id: str | None
    trade_state: str
    total_fen: int | None
    payer_total_fen: int | None
    currency: str | None
    sp_openid: str | None
    success_time: datetime | None
    attach: str | None
    trade_type: str | None


def read_transaction(text: bytes) -> Transaction:
    """Raises `Malformed`. Fields we do not know are ignored: WeChat adds some without notice."""
    fields = read_object(text)
    amount = fields.inner("amount")
    return Transaction(
        sp_appid=fields.text("sp_appid"),
        sp_mchid=fields.text("sp_mchid"),
        sub_mchid=fields.text("sub_mchid"),
        out_trade_no=fields.text("out_trade_no"),
        transaction_id=fields.optional_text("transaction_id"),
        trade_state=fields.text("trade_state"),
        total_fen=amount.optional_fen("total"),
        payer_total_fen=amount.optional_fen("payer_total"),
        currency=amount.optional_text("currency"),
        sp_openid=fields.inner("payer").optional_text("sp_openid"),
        success_time=fields.optional_time("success_time"),
        attach=fields.optional_text("attach"),
        trade_type=fields.optional_text("trade_type"),
    )
