"""Settlement statements of enterprises: drafted, decided, listed, taken out as a workbook."""

import uuid
from datetime import date

import click

from app.domain.settlements import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Lines, Note
from app.jobs.commands.door import DAY, acting, because_option, handing_out, named, noun
from payments.payees.models import Payee
from payments.settlement.queries import PAGE
from payments.settlement.rules import FIGURES, STATES

WORDS = {
    "number": "结算单号", "payee": "收费主体", "first": "起始日", "last": "截止日", "state_text": "状态", "key": "编号",
}  # fmt: skip

settlements = noun(
    "Settlement statements (结算单) of enterprises: what WeChat took, gave back, kept and paid out.",
    "settlements draft 某城投停车公司 --first 2026-06-01 --last 2026-06-30 --as wang",
    "settlements issue 0197b5c8-0000-7000-8000-000000000000 --because 已核对 --as lin",
    "settlements list --format xlsx --output june.xlsx --as wang",
)


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
@handing_out
def list_statements(by: Actor, first: date | None, state: str | None, limit: int) -> Lines:
    """Print or write the statements of the enterprises within one's reach, the newest first.

    Example: flask --app wsgi settlements list --state issued --format xlsx --output june.xlsx --as wang
    """
    found = queries.statements(by, first=first, state=state, limit=limit + 1)
    rows = [vars(each) | {"state_text": STATES[each.state]} for each in found]
    return Lines("结算单", WORDS, FIGURES, rows, limit)
