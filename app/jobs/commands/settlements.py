"""Settlement statements of enterprises: drafted, decided, listed, taken out as a workbook."""

import uuid
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from app.domain.finance.rules import yuan
from app.domain.settlements import actions, queries
from app.domain.staff.actions import sign_in
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet, tell
from app.jobs.commands.door import (
    DAY,
    acting,
    as_option,
    named,
    noun,
    password_of,
    password_option,
    refusals_told,
    whole,
)
from payments.payees.models import Payee
from payments.settlement.queries import PAGE, SettlementSheet
from payments.settlement.rules import FIGURES, STATES

FORMS = ("table", "json", "xlsx")
WORDS = {"number": "结算单号", "payee": "收费主体", "first": "起始日", "last": "截止日", "state_text": "状态"}

settlements = noun(
    "Settlement statements (结算单) of enterprises: what WeChat took, gave back, kept and paid out.",
    "settlements draft 某城投停车公司 --first 2026-06-01 --last 2026-06-30 --as wang",
    "settlements issue 0197b5c8-0000-7000-8000-000000000000 --because 已核对 --as lin",
    "settlements list --format xlsx --output june.xlsx --as wang",
)
because_option = click.option("--because", required=True, help="why, without personal data")


@settlements.command("draft")
@click.argument("payee")
@click.option("--first", type=DAY, required=True, help="the first day")
@click.option("--last", type=DAY, required=True, help="the last day; signed off and closed, as every one before it")
@acting
def draft(by: Actor, payee: str, first: date, last: date) -> Answer:
    """Draw a statement of an enterprise (key or name) out of the closed books; another person decides.

    Example: flask --app wsgi settlements draft 某城投停车公司 --first 2026-06-01 --last 2026-06-30 --as wang
    """
    made = actions.draft(by, named(Payee, payee).key, first, last)
    return Note("结算单已提交复核", key=made.key, **{name: getattr(made, name) for name in FIGURES})


@settlements.command("issue")
@click.argument("statement", type=click.UUID)
@because_option
@acting
def issue(by: Actor, statement: uuid.UUID, because: str) -> Answer:
    """Agree with another's statement: it has its number, and says the same for ever.

    Example: flask --app wsgi settlements issue 0197b5c8-… --because 已核对 --as lin
    """
    return Note("结算单已出具", number=actions.issue(by, statement, because).number)


@settlements.command("reject")
@click.argument("statement", type=click.UUID)
@because_option
@acting
def reject(by: Actor, statement: uuid.UUID, because: str) -> Answer:
    """Do not agree with another's statement: its days may be drafted anew.

    Example: flask --app wsgi settlements reject 0197b5c8-… --because 请核对10日 --as lin
    """
    return Note("结算单已退回", state=actions.reject(by, statement, because).state)


@settlements.command("list")
@click.option("--first", type=DAY, help="only those that begin on this day or later")
@click.option("--state", type=click.Choice(list(STATES)), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=PAGE, show_default=True, help="rows at most")
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="the file to write; needed by xlsx")
@as_option
@password_option
def list_statements(
    first: date | None, state: str | None, limit: int, form: str, output: Path | None, acting_as: str,
    password_file: Path | None,
) -> None:  # fmt: skip
    """Print or write the statements of the enterprises within one's reach, the newest first.

    Example: flask --app wsgi settlements list --state issued --format xlsx --output june.xlsx --as wang
    """
    if (form == "xlsx") != (output is not None):
        raise click.UsageError("--format xlsx and --output FILE go together")
    with refusals_told():
        by = sign_in(acting_as, password_of(acting_as, password_file))
        found = queries.statements(by, first=first, state=state, limit=limit + 1)
        if output is not None:
            whole(found, limit)
            actions.note_export(by, form, len(found))
    if output is None:
        tell(_sheet(found[:limit], as_yuan=form == "table"), as_json=form == "json")
    else:
        _write(output, found)


def _sheet(found: Sequence[SettlementSheet], *, as_yuan: bool) -> Sheet:
    headings = {"key": "编号"} | WORDS | {name: f"{told}（元）" for name, told in FIGURES.items()}
    rows = [vars(each) | {"state_text": STATES[each.state]} for each in found]
    if as_yuan:
        rows = [row | {name: yuan(row[name]) for name in FIGURES} for row in rows]
    return Sheet(headings, rows)


def _write(output: Path, found: Sequence[SettlementSheet]) -> None:
    from app.jobs.revenue_files import Row, write_rows  # noqa: PLC0415

    rows = [
        Row(
            (each.number or "", each.payee, str(each.first), str(each.last), STATES[each.state]),
            tuple(getattr(each, name) for name in FIGURES),
        )
        for each in found
    ]
    write_rows(output, "结算单", [*WORDS.values()], [*FIGURES.values()], rows)
    tell(Note("结算单已写出", file=str(output), rows=len(rows)), as_json=False)
