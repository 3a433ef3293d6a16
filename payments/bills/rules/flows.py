"""Fund-flow bills (资金账单): what moved in a sub-merchant's account.

pay.weixin.qq.com/docs/merchant/products/bill-download/structure/fund-bill.html
"""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Final

from payments.bills.rules.reading import BillRefused, Layout, Owner, Sheet, Sums, expect_moment, expect_numbers, money

HEADS: Final = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,"
    "备注,业务凭证号"
)
LAYOUT: Final = Layout(frozenset(HEADS.split(",")), ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额"))
ALIASES: Final = {"收支金额（元）": "收支金额(元)", "账户结余（元）": "账户结余(元)"}
COLUMNS: Final = ("bill_id", "number", "at", "business_id", "flow_id", "kind", "amount_fen", "balance_fen", "voucher")
SIGNS: Final = {"收入": 1, "支出": -1}
_WANTED: Final = (
    "记账时间", "微信支付业务单号", "资金流水单号", "业务类型", "收支类型", "收支金额(元)", "账户结余(元)",
    "业务凭证号",
)  # fmt: skip
_LONGEST_KIND: Final = 64


class FlowReader:
    """A fund-flow bill read line by line; `sums` count what was read."""

    def __init__(self, lines: Iterable[str], owner: Owner) -> None:
        self.sums = Sums()
        self._sheet = Sheet(lines, (LAYOUT,), ALIASES)
        self._day = owner.day.isoformat()
        self._came = 0

    def rows(self, bill_id: int) -> Iterator[str]:
        """Each line as COPY takes it, in the order of `COLUMNS`; then the summary is compared. Raises `BillRefused`."""
        wanted = itemgetter(*(self._sheet.heads.index(name) for name in _WANTED))
        for number, cells in self._sheet.rows():
            try:
                yield f"{bill_id}\t{number}\t{self._row(*wanted(cells))}\n"
            except BillRefused as refusal:
                raise BillRefused(refusal.code, number) from None
        lines, came = self.sums.lines, self._came
        self._sheet.expect(
            {"资金流水总笔数": lines, "收入笔数": came, "支出笔数": lines - came},
            {"收入金额": self.sums.paid_fen, "支出金额": self.sums.refunded_fen},
        )

    def _row(
        self, at: str, business_id: str, flow_id: str, kind: str, side: str, amount: str, balance: str, voucher: str
    ) -> str:
        expect_moment(at, self._day)
        expect_numbers(business_id, flow_id, *([voucher] if voucher else []))
        if side not in SIGNS or not kind or len(kind) > _LONGEST_KIND or {"\\", "\t"} & set(kind):
            raise BillRefused("unknown_status")
        fen = money(amount)
        if fen < 0:
            raise BillRefused("bad_amount")
        self._count(side, fen)
        told = f"{business_id}\t{flow_id}\t{kind}\t{SIGNS[side] * fen}\t{money(balance)}\t{voucher}"
        return f"{at}+08\t{told}"

    def _count(self, side: str, fen: int) -> None:
        self.sums.lines += 1
        if SIGNS[side] > 0:
            self._came += 1
            self.sums.paid_fen += fen
        else:
            self.sums.refunded_fen += fen
