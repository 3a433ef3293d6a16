"""WeChat's bills as text: the true headers, a backtick before each value, a summary at the end.

Layouts: pay.weixin.qq.com/docs/merchant/products/bill-download/format-trade.html and structure/fund-bill.html.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from simulators.clock import BEIJING

BOM = "\ufeff"
LINE_END = "\r\n"


def _columns(names: str) -> list[str]:
    return names.split(",")


HEAD = _columns(
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额"
)
MONEY_BACK = _columns("微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态")
REFUND_TIMES = ["退款申请时间", "退款成功时间"]
GOODS = _columns("商品名称,商户数据包,手续费,费率,订单金额")
LAYOUTS = {
    "ALL": [*HEAD, *MONEY_BACK, *GOODS, "申请退款金额", "费率备注"],
    "SUCCESS": [*HEAD, *GOODS, "费率备注"],
    "REFUND": [*HEAD, *REFUND_TIMES, *MONEY_BACK, *GOODS, "申请退款金额", "费率备注"],
}
SUMS = _columns("应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额")
SUMMARIES = {"ALL": SUMS, "REFUND": SUMS, "SUCCESS": ["应结订单总金额", "手续费总金额", "订单总金额"]}
FLOW = _columns(
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,"
    "备注,业务凭证号"
)
FLOW_SUMMARY = _columns("资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额")
BILL_STATUS = {"SUCCESS": "SUCCESS", "PROCESSING": "PROCESSING", "CLOSED": "FAIL", "ABNORMAL": "CHANGE"}
"""The API's states of a refund in the vocabulary of bills."""


@dataclass(frozen=True)
class Traded:
    """One line of a trade bill: a payment, or with `refund_id` a refund. Times are Unix seconds, amounts fen."""

    at: float
    app_id: str
    sp_mchid: str
    sub_mchid: str
    transaction_id: str
    out_trade_no: str
    openid: str
    description: str
    attach: str
    fee_percent: str
    paid_fen: int = 0
    refund_id: str = "0"
    out_refund_no: str = "0"
    refund_fen: int = 0
    status: str = ""
    refunded_at: float = 0.0

    @property
    def is_refund(self) -> bool:
        return self.refund_id != "0"

    @property
    def fee_fen(self) -> int:
        """Rounded to the fen; what goes back takes its fee along."""
        return fee_of(self.paid_fen, self.fee_percent) - fee_of(self.refund_fen, self.fee_percent)

    def cells(self) -> dict[str, str]:
        return {
            "交易时间": stamp(self.at), "公众账号ID": self.app_id, "商户号": self.sp_mchid,
            "特约商户号": self.sub_mchid,
            "设备号": "", "微信订单号": self.transaction_id, "商户订单号": self.out_trade_no, "用户标识": self.openid,
            "交易类型": "JSAPI", "交易状态": "REFUND" if self.is_refund else "SUCCESS", "付款银行": "OTHERS",
            "货币种类": "CNY", "应结订单金额": yuan(self.paid_fen), "代金券金额": "0.00",
            "退款申请时间": stamp(self.at),
            "退款成功时间": stamp(self.refunded_at) if self.status == "SUCCESS" else "",
            "微信退款单号": self.refund_id, "商户退款单号": self.out_refund_no, "退款金额": yuan(self.refund_fen),
            "充值券退款金额": "0.00", "退款类型": "ORIGINAL" if self.is_refund else "",
            "退款状态": BILL_STATUS[self.status] if self.is_refund else "", "商品名称": self.description,
            "商户数据包": self.attach, "手续费": f"{yuan(self.fee_fen)}000", "费率": f"{self.fee_percent}%",
            "订单金额": yuan(self.paid_fen), "申请退款金额": yuan(self.refund_fen), "费率备注": "",
        }  # fmt: skip


@dataclass(frozen=True)
class Flowed:
    """One line of a fund-flow bill; `fen` is positive for income (收入), negative for what went out (支出)."""

    at: float
    business_id: str
    kind: str
    fen: int
    remark: str = ""
    voucher: str = ""


@dataclass
class Flow:
    """The lines of one day and what the account held before them."""

    opening_fen: int = 0
    lines: list[Flowed] = field(default_factory=list)


def trade_bill(lines: Sequence[Traded], bill_type: str) -> str:
    """The whole file of a type: ALL, SUCCESS or REFUND."""
    wanted = [each for each in lines if bill_type == "ALL" or each.is_refund == (bill_type == "REFUND")]
    heads = LAYOUTS[bill_type]
    cells = [each.cells() for each in wanted]
    rows = [[each[head] for head in heads] for each in cells]
    return _file(heads, rows, ["总交易单数", *SUMMARIES[bill_type]], _trade_sums(wanted, bill_type))


def flow_bill(flow: Flow, mchid: str) -> str:
    """The whole file of one account and day."""
    rows, held = [], flow.opening_fen
    for number, each in enumerate(flow.lines, 1):
        held += each.fen
        side = "收入" if each.fen > 0 else "支出"
        rows.append([
            stamp(each.at), each.business_id, f"{mchid}{stamp(each.at)[:10].replace('-', '')}{number:08d}", each.kind,
            each.kind, side, yuan(abs(each.fen)), yuan(held), "system", each.remark, each.voucher,
        ])  # fmt: skip
    come = [each.fen for each in flow.lines if each.fen > 0]
    gone = [-each.fen for each in flow.lines if each.fen < 0]
    sums = [str(len(rows)), str(len(come)), yuan(sum(come)), str(len(gone)), yuan(sum(gone))]
    return _file(FLOW, rows, FLOW_SUMMARY, sums)


def fee_of(fen: int, percent: str) -> int:
    """What WeChat keeps of a sum, rounded half up to the fen."""
    return int((Decimal(fen) * Decimal(percent) / 100).quantize(Decimal(1), ROUND_HALF_UP))


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def stamp(at: float) -> str:
    """Beijing time as bills write it."""
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _trade_sums(lines: Sequence[Traded], bill_type: str) -> list[str]:
    paid, back = yuan(sum(each.paid_fen for each in lines)), yuan(sum(each.refund_fen for each in lines))
    fee = f"{yuan(sum(each.fee_fen for each in lines))}000"
    by_name = dict(zip(SUMS, [paid, back, "0.00", fee, paid, back], strict=True))
    return [str(len(lines)), *(by_name[name] for name in SUMMARIES[bill_type])]


def _file(heads: Sequence[str], rows: Iterable[Sequence[str]], summary: Sequence[str], sums: Sequence[str]) -> str:
    lines = [",".join(heads), *(_marked(row) for row in rows), ",".join(summary), _marked(sums)]
    return BOM + "".join(line + LINE_END for line in lines)


def _marked(cells: Sequence[str]) -> str:
    return ",".join(f"`{cell}" for cell in cells)
