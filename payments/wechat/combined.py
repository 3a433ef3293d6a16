"""Several orders paid in one go (合单), each for a sub-merchant of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from payments.wechat.orders import BEIJING, DESCRIPTION_LENGTH, NUMBER, canonical, expect
from payments.wechat.reading import Fields, read_object
from payments.wechat.transactions import Transaction

MOST = 50


@dataclass(frozen=True)
class SubOrderNumber:
    """One sub-order (子单) as a call names it."""

    out_trade_no: str
    sub_mchid: str


@dataclass(frozen=True)
class SubOrder:
    """What one sub-merchant is to get. Raises `ValueError` for what WeChat cannot take."""

    out_trade_no: str
    sub_mchid: str
    description: str
    amount_fen: int

    def __post_init__(self) -> None:
        expect(NUMBER.fullmatch(self.out_trade_no) is not None, "out_trade_no is 6 to 32 of 0-9 A-Z a-z _ -")
        expect(self.amount_fen >= 1, "amount_fen is at least 1")
        expect(0 < len(self.description) <= DESCRIPTION_LENGTH, "description has 1 to 127 characters")
        expect(not set(",`") & set(self.description), "no comma or backtick in bill columns")


@dataclass(frozen=True)
class CombinedJsapiOrder:
    """Two to fifty sub-orders under one number (WeChat Pay v3: partner/4012792004).

    A sub-order's amount is called `total_amount` here, and its `attach` must not be empty: it names the whole.
    """

    out_trade_no: str
    sub_orders: Sequence[SubOrder]
    sp_openid: str = field(repr=False)
    notify_url: str
    time_expire: datetime

    def __post_init__(self) -> None:
        expect(NUMBER.fullmatch(self.out_trade_no) is not None, "out_trade_no is 6 to 32 of 0-9 A-Z a-z _ -")
        expect(1 < len(self.sub_orders) <= MOST, "2 to 50 orders are combined")
        expect(self.time_expire.tzinfo is not None, "time_expire is an aware time")

    def body(self) -> bytes:
        """The order as canonical JSON, without who we are: keep the bytes, and a retry is identical."""
        return canonical(
            {
                "combine_out_trade_no": self.out_trade_no,
                "sub_orders": [self._sub(each) for each in self.sub_orders],
                "combine_payer_info": {"openid": self.sp_openid},
                "time_expire": self.time_expire.astimezone(BEIJING).isoformat(timespec="seconds"),
                "notify_url": self.notify_url,
            }
        )

    def _sub(self, order: SubOrder) -> dict[str, object]:
        return {
            "sub_mchid": order.sub_mchid,
            "out_trade_no": order.out_trade_no,
            "attach": self.out_trade_no,
            "description": order.description,
            "amount": {"total_amount": order.amount_fen, "currency": "CNY"},
        }


@dataclass(frozen=True)
class CombinedSeen:
    """A combined order as WeChat sees it: each sub-order like an order of its own."""

    out_trade_no: str
    orders: tuple[Transaction, ...]


def read_combined(text: bytes) -> CombinedSeen:
    """The answer to a query and the content of a notice. Raises `Malformed`; fields we do not know are ignored."""
    fields = read_object(text)
    orders = tuple(_order(fields, each) for each in fields.items("sub_orders"))
    return CombinedSeen(fields.text("combine_out_trade_no"), orders)


def is_combined(text: bytes) -> bool:
    """Whether a payment notice tells of a combined order. Raises `Malformed`."""
    return read_object(text).optional_text("combine_out_trade_no") is not None


def _order(whole: Fields, part: Fields) -> Transaction:
    amount = part.inner("amount")
    return Transaction(
        sp_appid=whole.text("combine_appid"),
        sp_mchid=part.text("mchid"),
        sub_mchid=part.text("sub_mchid"),
        out_trade_no=part.text("out_trade_no"),
        transaction_id=part.optional_text("transaction_id"),
        trade_state=part.text("trade_state"),
        total_fen=amount.optional_fen("total_amount"),
        payer_total_fen=amount.optional_fen("payer_amount"),
        currency=amount.optional_text("currency"),
        sp_openid=whole.inner("combine_payer_info").optional_text("openid"),
        success_time=part.optional_time("success_time"),
        attach=part.optional_text("attach"),
        trade_type=part.optional_text("trade_type"),
    )
