"""Trade bills (交易账单) in their three layouts: all, payments only, refunds only.

pay.weixin.qq.com/docs/merchant/products/bill-download/format-trade.html
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Final

from payments.bills.rules.reading import (
    BillRefused,
    Layout,
    Owner,
    Sheet,
    Sums,
    expect_moment,
    expect_numbers,
    fen,
    money,
)

_HEAD: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额"
)
_BACK: Final = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态"
_GOODS: Final = "商品名称,商户数据包,手续费,费率,订单金额"
_SUMS: Final = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
ALL: Final = f"{_HEAD},{_BACK},{_GOODS},申请退款金额,费率备注"
SUCCESS: Final = f"{_HEAD},{_GOODS},费率备注"
REFUND: Final = f"{_HEAD},退款申请时间,退款成功时间,{_BACK},{_GOODS},申请退款金额,费率备注"
LAYOUTS: Final = tuple(
    Layout(frozenset(columns.split(",")), tuple(summary.split(",")))
    for columns, summary in (
        (ALL, _SUMS),
        (SUCCESS, "总交易单数,应结订单总金额,手续费总金额,订单总金额"),
        (REFUND, _SUMS),
    )
)
ALIASES: Final = {"总金额": "应结订单金额", "企业红包金额": "代金券金额"}
"""What accounts from before 免充值代金券 still call two columns."""
STATUSES: Final = frozenset({"SUCCESS", "PROCESSING", "FAIL", "CHANGE"})
COLUMNS: Final = (
    "bill_id", "number", "at", "kind", "transaction_id", "out_trade_no", "refund_id", "out_refund_no", "amount_fen",
    "settled_fen", "fee_fen", "rate_ppm", "status", "currency",
)  # fmt: skip
_ALWAYS: Final = (
    "交易时间", "商户号", "特约商户号", "微信订单号", "商户订单号", "交易状态", "货币种类", "应结订单金额", "手续费",
    "费率", "订单金额",
)  # fmt: skip
_OF_REFUNDS: Final = ("微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款状态", "申请退款金额")
_NO_REFUND: Final = ("0", "0", "0.00", "0.00", "", "0.00")
_RATE: Final = re.compile(r"([0-9]{1,2})\.([0-9]{1,4})%")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class TradeReader:
    """A trade bill read line by line; `sums` count what was read."""

    def __init__(self, lines: Iterable[str], owner: Owner) -> None:
        self.sums = Sums()
        self._sheet = Sheet(lines, LAYOUTS, ALIASES)
        self._parties = (owner.sp_mchid, owner.sub_mchid)
        self._day = owner.day.isoformat()
        self._settled = self._returned = self._vouchers = self._net_paid = self._asked_back = 0

    def rows(self, bill_id: int) -> Iterator[str]:
        """Each line as COPY takes it, in the order of `COLUMNS`; then the summary is compared. Raises `BillRefused`."""
        heads = self._sheet.heads
        always = itemgetter(*(heads.index(name) for name in _ALWAYS))
        of_refunds = itemgetter(*(heads.index(name) for name in _OF_REFUNDS)) if _OF_REFUNDS[0] in heads else None
        when = heads.index("退款申请时间") if "退款申请时间" in heads else heads.index("交易时间")
        for number, cells in self._sheet.rows():
            back = of_refunds(cells) if of_refunds else _NO_REFUND
            try:
                yield f"{bill_id}\t{number}\t{cells[when]}+08\t{self._row(cells[when], always(cells), back)}\n"
            except BillRefused as refusal:
                raise BillRefused(refusal.code, number) from None
        self._expect_summary()

    def _row(self, at: str, always: tuple[str, ...], back: tuple[str, ...]) -> str:
        _, provider, merchant, transaction_id, number, kind, currency, settled, fee, rate, total = always
        expect_moment(at, self._day)
        if (provider, merchant) != self._parties:
            raise BillRefused("another_merchant")
        if not _CURRENCY.fullmatch(currency):
            raise BillRefused("unknown_currency")
        expect_numbers(transaction_id, number)
        settled_fen, fee_fen, total_fen = money(settled), fen(fee), money(total)
        returned_fen, voucher_fen, asked_fen = money(back[2]), money(back[3]), money(back[5])
        self._count(settled_fen, fee_fen, total_fen)
        self._count_back(returned_fen, voucher_fen, asked_fen)
        if kind == "REFUND":
            self.sums.refunded_fen += asked_fen
            told = f"{_refund(back)}\t{-asked_fen}\t{-returned_fen}"
        else:
            self.sums.paid_fen += total_fen
            told = f"{_payment(kind, back)}\t{total_fen}\t{settled_fen}"
        return f"{kind}\t{transaction_id}\t{number}\t{told}\t{fee_fen}\t{ppm(rate)}\t{back[4]}\t{currency}"

    def _count(self, settled_fen: int, fee_fen: int, total_fen: int) -> None:
        self.sums.lines += 1
        self.sums.fee_fen += fee_fen
        self._settled += settled_fen
        self._net_paid += total_fen

    def _count_back(self, returned_fen: int, voucher_fen: int, asked_fen: int) -> None:
        self._returned += returned_fen
        self._vouchers += voucher_fen
        self._asked_back += asked_fen

    def _expect_summary(self) -> None:
        self._sheet.expect(
            {"总交易单数": self.sums.lines},
            {
                "应结订单总金额": self._settled, "退款总金额": self._returned, "充值券退款总金额": self._vouchers,
                "手续费总金额": self.sums.fee_fen, "订单总金额": self._net_paid, "申请退款总金额": self._asked_back,
            },
        )  # fmt: skip


@lru_cache(maxsize=1024)
def ppm(rate: str) -> int:
    """`0.60%` -> 6000 millionths. Raises `BillRefused`."""
    told = _RATE.fullmatch(rate)
    if told is None:
        raise BillRefused("bad_rate")
    return int(told[1]) * 10_000 + int(told[2].ljust(4, "0"))


def _refund(back: tuple[str, ...]) -> str:
    expect_numbers(back[0], back[1])
    if back[0] == "0" or back[4] not in STATUSES:
        raise BillRefused("unknown_status" if back[0] != "0" else "inconsistent_line")
    return f"{back[0]}\t{back[1]}"


def _payment(kind: str, back: tuple[str, ...]) -> str:
    if kind not in {"SUCCESS", "REVOKED"}:
        raise BillRefused("unknown_status")
    if back[:2] != ("0", "0") or back[4]:
        raise BillRefused("inconsistent_line")
    return "\t"
