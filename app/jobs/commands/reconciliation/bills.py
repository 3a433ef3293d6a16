"""WeChat's bills: which are there, and one as it was or as a person brings it."""

from datetime import date
from pathlib import Path
from typing import BinaryIO

import click

from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, PAPER, acting, because_option, for_me_alone, looking, to_option
from app.jobs.commands.reconciliation.group import (
    first_option,
    last_option,
    merchant_option,
    reconciliation,
    span_of,
)
from app.kernel import files
from payments.bills.queries import FUND_FLOW, TRADE


@reconciliation.command("bills")
@merchant_option
@first_option
@last_option
@looking
def list_bills(by: Actor, *, merchant: str | None, first: date | None, last: date | None) -> Answer:
    """List every version of WeChat's bills, those that were refused too.

    Example: flask --app wsgi reconciliation bills --merchant 1900000109 --as wang
    """
    headings = {
        "day": "账单日", "sub_mchid": "特约商户号", "kind": "种类", "version": "版本", "state": "状态",
        "code": "拒收原因", "at_line": "行", "lines": "笔数", "paid_fen": "收入（分）", "refunded_fen": "支出（分）",
        "fee_fen": "手续费（分）", "fetched_at": "取得时间",
        "brought_by": "补录人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.bills(by, *span_of(first, last), merchant)])


@reconciliation.command("export-bill")
@click.argument("merchant")
@click.argument("day", type=DAY)
@click.option("--kind", type=click.Choice([TRADE, FUND_FLOW]), default=TRADE, show_default=True)
@click.option("--version", type=int, help="as `reconciliation bills` tells it; else the newest that was loaded")
@to_option
@acting
def export_bill(by: Actor, *, merchant: str, day: date, kind: str, version: int | None, to: Path) -> Answer:
    """Write a bill as WeChat gave it, for an auditor: proven by its hashes, and written down.

    It names payers. The file is readable by you alone, and is there only when all of it was proven.

    Example: flask --app wsgi reconciliation export-bill 1900000109 2026-06-10 --to 交易账单.csv --as lin
    """
    with for_me_alone(to) as file:
        bill = actions.export_bill(by, merchant, day, kind, file, version)
    assert bill.sha256 is not None
    return Note(f"Written to {to}: version {bill.version}, {bill.lines} lines, SHA-256 {bill.sha256.hex()}.")


@reconciliation.command("load-bill")
@click.argument("merchant")
@click.argument("day", type=DAY)
@click.option("--kind", type=click.Choice([TRADE, FUND_FLOW]), default=TRADE, show_default=True)
@click.option("--file", type=click.File("rb"), help="the bill as the merchant platform gave it, gzipped or plain")
@click.option("--nothing", type=PAPER, help="proof that the platform has none: PDF, PNG or JPEG")
@because_option
@acting
def load_bill(
    by: Actor, *, merchant: str, day: date, kind: str, file: BinaryIO | None, nothing: files.Paper | None, because: str
) -> Answer:  # fmt: skip
    """Bring a bill that WeChat has no more (three months), as its merchant platform (商户平台) gave it.

    It is read and proven as every bill; another person than you signs the day off.

    Example: flask --app wsgi reconciliation load-bill 1900000109 2026-06-10 --file 交易账单.csv --because 微信已不提供 --as wang
    """  # noqa: E501
    if file is not None and nothing is None:
        bill = actions.load_bill(by, merchant, day, kind, file, because)
    elif nothing is not None and file is None:
        bill = actions.load_no_bill(by, merchant, day, kind, nothing, because)
    else:
        raise click.UsageError("exactly one of --file, --nothing")
    return Note("账单已补录，当日日结须由另一人复核", version=bill.version, lines=bill.lines)
