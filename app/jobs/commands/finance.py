"""Revenue reports for finance, and what units report to have used the money for."""

import uuid
from datetime import date

import click

from app.domain.finance import actions, queries
from app.domain.finance.queries import span_of
from app.domain.finance.rules import DIMENSIONS, FIGURES, PURPOSES
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.jobs.commands.answers import Answer, Lines, Note
from app.jobs.commands.door import MONTH, acting, handing_out, named, noun
from payments.payees.rules import VAT_METHODS

finance = noun(
    "Finance (财务): revenue reports, and what the money was used for (N3.3).",
    "finance revenue --month 2026-06 --by payee --as wang",
    "finance revenue --month 2026-06 --by month,district,unit --format xlsx --output june.xlsx --as wang",
    "finance vat --month 2026-06 --as wang",
    "finance report-use 示例单位 --month 2026-06 --purpose facilities --fen 120000 --basis 发票号 --as wang",
)


@finance.command("revenue")
@click.option("--month", type=MONTH, required=True, help="the month, such as 2026-06")
@click.option("--to", type=MONTH, help="a later month: everything from the first to the last")
@click.option(
    "--by",
    "dimensions",
    default="payee",
    show_default=True,
    help=f"one or more of {', '.join(DIMENSIONS)}, with commas",
)
@handing_out
def revenue(by: Actor, month: date, to: date | None, dimensions: str) -> Lines:
    """Print or write what was charged, paid, returned, earned and remitted in a month, within one's reach.

    Example: flask --app wsgi finance revenue --month 2026-06 --by month,payee,item --as wang
    """
    report = queries.revenue(by, *span_of(month, to), [each.strip() for each in dimensions.split(",")])
    words = {name: DIMENSIONS[name] for name in report.by}
    total = dict.fromkeys(report.by, "") | {report.by[0]: "合计"} | vars(report.total)
    rows = [dict(zip(report.by, line.by, strict=True)) | vars(line.figures) for line in report.lines]
    return Lines("收入报表", words, FIGURES, rows, total=total)


@finance.command("vat")
@click.option("--month", type=MONTH, required=True, help="the month, such as 2026-06")
@click.option("--to", type=MONTH, help="a later month: everything from the first to the last")
@handing_out
def vat(by: Actor, month: date, to: date | None) -> Lines:
    """Print or write what enterprises within one's reach earned in a month, by VAT method and rate, and the tax within.

    Example: flask --app wsgi finance vat --month 2026-06 --format xlsx --output vat.xlsx --as wang
    """
    words = {"payee": "收费主体", "method_text": "计税方法", "rate": "税率"}
    found = queries.vat(by, *span_of(month, to))
    rows = [
        {
            "payee": each.payee, "method_text": VAT_METHODS[each.method] if each.method else "未确认",
            "rate": "" if each.basis_points is None else f"{each.basis_points / 100:g}%",
            **{name: getattr(each, name) for name in _TAXED},
        }
        for each in found
    ]  # fmt: skip
    total = dict.fromkeys(words, "") | {"payee": "合计"} | {name: sum(row[name] for row in rows) for name in _TAXED}
    return Lines("销项税额", words, _TAXED, rows, total=total)


_TAXED = {"gross_fen": "含税收入", "net_fen": "不含税收入", "tax_fen": "销项税额"}


@finance.command("report-use")
@click.argument("unit")
@click.option("--month", type=MONTH, required=True, help="the month, such as 2026-06")
@click.option("--purpose", type=click.Choice(list(PURPOSES)), required=True, help="for what, as the notice names it")
@click.option("--fen", type=int, required=True, help="how much was spent, in fen; 0 takes an earlier report back")
@click.option("--basis", required=True, help="on what this rests: voucher or contract number, nothing personal")
@acting
def report_use(by: Actor, unit: str, month: date, purpose: str, fen: int, basis: str) -> Answer:
    """Report what a unit (key or name) spent in a month on one purpose; a later report replaces it.

    Example: flask --app wsgi finance report-use 示例单位 --month 2026-06 --purpose facilities --fen 120000 --basis 凭证12号 --as wang
    """  # noqa: E501
    key: uuid.UUID = named(Unit, unit).key
    told = actions.report_use(by, key, month, purpose, fen, basis)
    return Note("资金使用已登记", version=told.version)


@finance.command("uses")
@click.option("--month", type=MONTH, required=True, help="the month, such as 2026-06")
@handing_out
def uses(by: Actor, month: date) -> Lines:
    """Print or write what units within one's reach reported for a month.

    Example: flask --app wsgi finance uses --month 2026-06 --format xlsx --output uses.xlsx --as wang
    """
    words = {
        "month": "月份", "unit": "开放单位", "purpose_text": "用途", "basis": "依据", "reported_by": "填报人",
        "reported_at": "填报时间",
    }  # fmt: skip
    rows = [
        {**vars(each), "month": f"{each.month:%Y-%m}", "purpose_text": PURPOSES[each.purpose]}
        for each in queries.uses(by, month)
    ]
    return Lines("资金使用", words, {"amount_fen": "金额"}, rows)
