"""Revenue reports for finance, and what units report to have used the money for."""

import uuid
from datetime import date
from pathlib import Path

import click

from app.domain.finance import actions, queries
from app.domain.finance.queries import Revenue, span_of
from app.domain.finance.rules import DIMENSIONS, FIGURES, PURPOSES, yuan
from app.domain.staff.actions import sign_in
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.jobs.commands.answers import Answer, Note, Sheet, tell
from app.jobs.commands.door import MONTH, acting, as_option, named, noun, password_of, password_option, refusals_told

FORMS = ("table", "json", "xlsx")

finance = noun(
    "Finance (财务): revenue reports, and what the money was used for (N3.3).",
    "finance revenue --month 2026-06 --by payee --as wang",
    "finance revenue --month 2026-06 --by month,district,unit --format xlsx --output june.xlsx --as wang",
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
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="the file to write; needed by xlsx")
@as_option
@password_option
def revenue(
    month: date, to: date | None, dimensions: str, form: str, output: Path | None, acting_as: str,
    password_file: Path | None,
) -> None:  # fmt: skip
    """Print or write what was charged, paid, returned, earned and remitted in a month, within one's reach.

    Example: flask --app wsgi finance revenue --month 2026-06 --by month,payee,item --as wang
    """
    if form == "xlsx" and output is None:
        raise click.UsageError(f"--format {form} needs --output FILE")
    with refusals_told():
        by = sign_in(acting_as, password_of(acting_as, password_file))
        first, last = span_of(month, to)
        report = queries.revenue(by, first, last, [each.strip() for each in dimensions.split(",")])
        if output is not None:
            actions.note_export(by, first, last, form, len(report.lines))
    _hand_out(report, form, output)


def _hand_out(report: Revenue, form: str, output: Path | None) -> None:
    if output is None:
        tell(_sheet(report, as_yuan=form == "table"), as_json=form == "json")
        return
    if form == "xlsx":
        from app.jobs.revenue_files import write_workbook  # noqa: PLC0415

        write_workbook(output, report)
    else:
        raise click.UsageError("--output is for files: choose --format xlsx")
    tell(Note("报表已写出", file=str(output), rows=len(report.lines)), as_json=False)


def _sheet(report: Revenue, *, as_yuan: bool) -> Sheet:
    from app.jobs.revenue_files import with_total  # noqa: PLC0415

    headings = {name: DIMENSIONS[name] for name in report.by} | {
        name: f"{told}（元）" for name, told in FIGURES.items()
    }
    rows = [
        dict(zip(report.by, line.by, strict=True))
        | {name: yuan(fen) if as_yuan else fen for name, fen in vars(line.figures).items()}
        for line in (with_total(report) if as_yuan else report.lines)
    ]
    return Sheet(headings, rows)


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
@acting
def uses(by: Actor, month: date) -> Answer:
    """List what units within one's reach reported for a month.

    Example: flask --app wsgi finance uses --month 2026-06 --as wang
    """
    headings = {
        "unit": "开放单位", "purpose_text": "用途", "amount_fen": "金额（分）", "basis": "依据",
        "reported_by": "填报人",
        "reported_at": "填报时间",
    }  # fmt: skip
    rows = [{**vars(each), "purpose_text": PURPOSES[each.purpose]} for each in queries.uses(by, month)]
    return Sheet(headings, rows)
