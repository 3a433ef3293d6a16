"""Days are compared, signed off by two persons, and put on paper."""

import hashlib
from datetime import date
from pathlib import Path

import click

from app.adapters.documents import Paper, rendered
from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, MONTH, acting, looking
from app.jobs.commands.reconciliation.group import first_option, last_option, merchant_option, reconciliation, span_of
from app.jobs.sign_off_sheets import day_paper, month_paper
from app.kernel import clock

pdf_option = click.option(
    "--pdf", type=click.Path(dir_okay=False, path_type=Path), required=True, help="the file to write"
)


@reconciliation.command("days")
@merchant_option
@first_option
@last_option
@looking
def list_days(by: Actor, *, merchant: str | None, first: date | None, last: date | None) -> Answer:
    """List merchants' days: what the newest comparison counted, and who signed.

    Example: flask --app wsgi reconciliation days --first 2026-06-01 --as wang
    """
    headings = {
        "day": "账单日", "sub_mchid": "特约商户号", "theirs": "微信笔数", "theirs_fen": "微信金额（分）",
        "ours": "我方笔数", "ours_fen": "我方金额（分）", "matched": "相符笔数", "unexplained": "未说明差异",
        "proposed_by": "提请人", "signed_by": "复核人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.days(by, *span_of(first, last), merchant)])


@reconciliation.command("compare")
@click.argument("merchant")
@click.argument("day", type=DAY)
@acting
def compare(by: Actor, *, merchant: str, day: date) -> Answer:
    """Compare a merchant's day anew with the newest bills.

    Example: flask --app wsgi reconciliation compare 1900000109 2026-06-10 --as wang
    """
    run = actions.compare(by, merchant, day)
    return Note("已核对", theirs=run.theirs, ours=run.ours, matched=run.matched)


@reconciliation.command("propose")
@click.argument("merchant")
@click.argument("day", type=DAY)
@acting
def propose(by: Actor, *, merchant: str, day: date) -> Answer:
    """Say that a merchant's day is explained; another person signs it off.

    Example: flask --app wsgi reconciliation propose 1900000109 2026-06-10 --as wang
    """
    made = actions.propose(by, merchant, day)
    return Note("已提请日结", day=made.day, **_in_suspense(by, merchant))


@reconciliation.command("sign")
@click.argument("merchant")
@click.argument("day", type=DAY)
@acting
def sign(by: Actor, *, merchant: str, day: date) -> Answer:
    """Sign a merchant's day off: its fees and settlements are posted, and it takes no other bill.

    Example: flask --app wsgi reconciliation sign 1900000109 2026-06-10 --as lin
    """
    signed = actions.sign(by, merchant, day)
    return Note("已日结", key=signed.key, **_in_suspense(by, merchant))


def _in_suspense(by: Actor, merchant: str) -> dict[str, int]:
    """What the merchant still has in suspense, so that whoever closes a day sees what is old."""
    held, now = queries.suspense(by, merchant), clock.now()
    return {
        "suspense": len(held),
        "suspense_fen": sum(each.fen for each in held),
        "oldest_days": max(((now - each.since).days for each in held), default=0),
    }


@reconciliation.command("sheet")
@click.argument("merchant")
@click.argument("day", type=DAY)
@pdf_option
@acting
def sheet(by: Actor, *, merchant: str, day: date, pdf: Path) -> Answer:
    """Write the sign-off sheet (日结单) of a closed day: sums, differences, who closed it, and the audit anchor.

    Example: flask --app wsgi reconciliation sheet 1900000109 2026-06-10 --pdf 日结单.pdf --as lin
    """
    return _written(pdf, day_paper(actions.take_day_sheet(by, merchant, day)))


@reconciliation.command("month-sheet")
@click.argument("merchant")
@click.argument("month", type=MONTH)
@pdf_option
@acting
def month_sheet(by: Actor, *, merchant: str, month: date, pdf: Path) -> Answer:
    """Write the sheet (月结单) of a month whose days are all closed.

    Example: flask --app wsgi reconciliation month-sheet 1900000109 2026-06 --pdf 月结单.pdf --as lin
    """
    return _written(pdf, month_paper(actions.take_month_sheet(by, merchant, month)))


def _written(file: Path, paper: Paper) -> Answer:
    content = rendered(paper)
    file.write_bytes(content)
    return Note("已写出", file=str(file), sha256=hashlib.sha256(content).hexdigest())
