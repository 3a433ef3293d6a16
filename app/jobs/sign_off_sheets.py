"""How the sheets of closed days and months look on paper: sums, differences, who closed them, and the audit anchor."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.adapters.documents import Paper, Table
from app.domain.reconciliation.queries import SignedDay, SignedMonth
from app.kernel.clock import shanghai
from app.kernel.money import Fen
from payments.reconciliation.queries import DaySheet, SheetBill, SheetDifference
from payments.reconciliation.rules import CLASSES

BILLS: Final = {"trade": "交易账单", "fund_flow": "资金账单"}
STATES: Final = {
    "open": "待说明", "held": "跨日待查", "agreed": "已相符", "settled": "已说明", "suspended": "挂账",
    "cleared": "已清账",
}  # fmt: skip
PROOF: Final = "以上日结记录已封存于审计日志的上述区块。运行 audit verify --anchor 并输入该锚点，可验证记录未被更改。"


def day_paper(told: SignedDay) -> Paper:
    """The sign-off sheet (日结单) of a merchant's day."""
    sheet = told.sheet
    return Paper(
        title="微信支付对账日结单",
        numbers=[("账单日", sheet.run.day.isoformat()), ("日结编号", str(sheet.signed.key))],
        fields=[
            ("收款主体", told.payee), ("特约商户号", told.sub_mchid),
            ("提请人", _who(told.people, sheet.signed.made_by, sheet.proposed_at)),
            ("复核人", _who(told.people, sheet.signed.signed_by, sheet.signed.signed_at)),
            ("审计锚点", told.anchor),
        ],
        table=_totals(sheet),
        totals=[("手续费（元）", _yuan(sheet.fee_fen)), ("结算到账（元）", _yuan(sheet.settled_fen))],
        sections=[("账单文件", _bills(sheet.bills, told.people)), *_explained(sheet.differences, told.people)],
        notes=[PROOF],
        numbered=True,
    )  # fmt: skip


def month_paper(told: SignedMonth) -> Paper:
    """The sheet (月结单) of a merchant's month: a line for each of its days."""
    sheets = told.sheets
    return Paper(
        title="微信支付对账月结单",
        numbers=[("月份", f"{sheets[0].run.day:%Y-%m}"), ("日结天数", str(len(sheets)))],
        fields=[("收款主体", told.payee), ("特约商户号", told.sub_mchid), ("审计锚点", told.anchor)],
        table=_month(sheets, told.people),
        totals=[
            ("微信金额合计（元）", _yuan(sum(each.run.theirs_fen for each in sheets))),
            ("我方金额合计（元）", _yuan(sum(each.run.ours_fen for each in sheets))),
            ("手续费合计（元）", _yuan(sum(each.fee_fen for each in sheets))),
            ("结算到账合计（元）", _yuan(sum(each.settled_fen for each in sheets))),
        ],
        sections=_explained([line for each in sheets for line in each.differences], told.people),
        notes=[PROOF],
        numbered=True,
    )  # fmt: skip


def _totals(sheet: DaySheet) -> Table:
    run = sheet.run
    rows = [
        ("微信账单", run.theirs, run.theirs_fen), ("我方记录", run.ours, run.ours_fen),
        ("相符", run.matched, run.matched_fen), ("微信一侧有差异", run.theirs_differing, run.theirs_differing_fen),
        ("我方一侧有差异", run.ours_differing, run.ours_differing_fen),
    ]  # fmt: skip
    told = [(name, str(count), _yuan(fen)) for name, count, fen in rows]
    return Table(["项目", "笔数", "金额（元，退款为负）"], told, ["left", "right", "right"], [3, 1, 2])


def _bills(bills: Sequence[SheetBill], people: dict[str, str]) -> Table:
    rows = [
        (BILLS[each.kind], str(each.version), str(each.lines), _yuan(each.paid_fen), _yuan(each.refunded_fen),
         (each.sha256 or "当日无账单") + (f"（{_name(people, each.brought_by)}补录）" if each.brought_by else ""))
        for each in bills
    ]  # fmt: skip
    headers = ["账单", "版本", "行数", "收入（元）", "支出（元）", "SHA-256"]
    return Table(headers, rows, ["left", "right", "right", "right", "right", "left"], [2, 1, 1.2, 2, 2, 5])


def _explained(differences: Sequence[SheetDifference], people: dict[str, str]) -> list[tuple[str, Table]]:
    if not differences:
        return []
    rows = [
        (CLASSES[each.klass].name, each.subject, _yuan(each.theirs_fen), _yuan(each.ours_fen), _yuan(each.gap_fen),
         STATES[each.state], _said(each, people))
        for each in differences
    ]  # fmt: skip
    headers = ["类别", "微信单号", "微信（元）", "我方（元）", "差额（元）", "状态", "说明与复核"]
    sides = ["left", "left", "right", "right", "right", "left", "left"]
    return [("差异及说明", Table(headers, rows, sides, [2, 3, 1.6, 1.6, 1.6, 1.2, 3.5]))]  # type: ignore[arg-type]


def _said(each: SheetDifference, people: dict[str, str]) -> str:
    if not each.made_by:
        return "自动核对相符" if each.state == "agreed" else "—"
    maker, checker = _name(people, each.made_by), _name(people, each.decided_by)
    return f"{each.because}（{maker}）；{each.decided_because}（{checker}）"


def _month(sheets: Sequence[DaySheet], people: dict[str, str]) -> Table:
    rows = [
        (each.run.day.isoformat(), str(each.run.theirs), _yuan(each.run.theirs_fen), _yuan(each.run.ours_fen),
         str(len(each.differences)), _yuan(each.fee_fen), _name(people, each.signed.made_by),
         _who(people, each.signed.signed_by, each.signed.signed_at))
        for each in sheets
    ]  # fmt: skip
    headers = ["账单日", "笔数", "微信（元）", "我方（元）", "差异", "手续费（元）", "提请人", "复核人"]
    sides = ["left", "right", "right", "right", "right", "right", "left", "left"]
    return Table(headers, rows, sides, [2, 1, 2, 2, 1, 1.7, 2, 3])  # type: ignore[arg-type]


def _who(people: dict[str, str], label: str, at: datetime) -> str:
    return f"{_name(people, label)} {shanghai(at):%Y-%m-%d %H:%M:%S}"


def _name(people: dict[str, str], label: str) -> str:
    return people.get(label, label)


def _yuan(fen: Fen) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
