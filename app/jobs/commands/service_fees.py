"""Operators' service fees: what was agreed, what it comes to month by month, taken out as a workbook."""

import uuid
from datetime import date
from pathlib import Path
from typing import Any

import click

from app.domain.service_fees import actions, queries
from app.domain.service_fees.queries import PAGE, LineView, StatementView, figures_of
from app.domain.service_fees.rules import FIGURES, STATES, Agreed
from app.domain.staff.rules import Actor
from app.domain.units.models import Operator, Unit
from app.jobs.commands.answers import Answer, Lines, Note, Sheet
from app.jobs.commands.door import (
    DAY,
    KEPT,
    MONTH,
    PAPER,
    acting,
    because_option,
    handing_out,
    looking,
    named,
    noun,
    to_option,
    written_out,
)
from app.kernel.files import Paper

WORDS = {
    "number": "结算单号", "operator": "运营单位", "unit": "开放单位", "month": "月份", "lot": "停车场", "days": "天数",
    "permille": "比例（‰）", "state_text": "状态",
}  # fmt: skip

service_fees = noun(
    "Operators' service fees (运营服务费): owed by a unit out of its budget, never taken out of what is collected.",
    "service-fees record-terms 某停车运营公司 某区机关事务中心 --first 2026-06-01 --permille 80 "
    "--document 委托〔2026〕3号 --file 协议.pdf --as wang",
    "service-fees confirm-terms 0197b5c8-0000-7000-8000-000000000000 --as lin",
    "service-fees draft 某停车运营公司 某区机关事务中心 --month 2026-06 --as wang",
    "service-fees issue 0197b5c8-0000-7000-8000-000000000000 --because 已核对 --as lin",
    "service-fees lines --month 2026-06 --format xlsx --output june.xlsx --as wang",
)
month_option = click.option("--month", type=MONTH, help="only those of this month")
state_option = click.option("--state", type=click.Choice(list(STATES)), help="only those in this state")
limit_option = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=PAGE, show_default=True, help="rows at most"
)


@service_fees.command("record-terms")
@click.argument("operator")
@click.argument("unit")
@click.option("--first", type=DAY, required=True, help="the first day")
@click.option("--last", type=DAY, help="the last day; without it until they are ended")
@click.option("--permille", type=int, default=0, help="share of what is paid less what is given back, 1 to 1000")
@click.option("--monthly-fen", type=int, default=0, help="for each lot and month, in fen")
@click.option("--document", "document_no", required=True, help="number of the document in which it was agreed")
@click.option("--file", "paper", type=PAPER, required=True, help="the signed document: PDF, PNG or JPEG")
@acting
def record_terms(by: Actor, operator: str, unit: str, *, paper: Paper, **told: Any) -> Answer:
    """Write down what an operator gets of a unit (keys or names); it counts when another person has confirmed it.

    Example: flask --app wsgi service-fees record-terms 某停车运营公司 某区机关事务中心 --first 2026-06-01 --permille 80
    --monthly-fen 50000 --document 委托〔2026〕3号 --file 协议.pdf --as wang
    """
    parties = named(Operator, operator).key, named(Unit, unit).key
    made = actions.record_terms(by, *parties, Agreed(**told), paper)
    return Note("服务费约定已登记，待另一人确认", key=made.key)


@service_fees.command("confirm-terms")
@click.argument("terms", type=click.UUID)
@acting
def confirm_terms(by: Actor, terms: uuid.UUID) -> Answer:
    """Confirm terms (their key) that another person recorded.

    Example: flask --app wsgi service-fees confirm-terms 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    return Note("服务费约定已确认", key=actions.confirm_terms(by, terms).key)


@service_fees.command("end-terms")
@click.argument("terms", type=click.UUID)
@click.option("--last", type=DAY, required=True, help="the last day on which they hold")
@acting
def end_terms(by: Actor, terms: uuid.UUID, last: date) -> Answer:
    """Let terms (their key) end; what follows is agreed anew.

    Example: flask --app wsgi service-fees end-terms 0197b5c8-… --last 2026-12-31 --as lin
    """
    return Note("服务费约定已终止", key=actions.end_terms(by, terms, last).key)


@service_fees.command("terms")
@limit_option
@acting
def list_terms(by: Actor, limit: int) -> Answer:
    """List what was agreed, the newest first.

    Example: flask --app wsgi service-fees terms --as wang
    """
    headings = {
        "key": "编号", "operator": "运营单位", "unit": "开放单位", "first": "起始日", "last": "截止日",
        "permille": "比例（‰）", "monthly_fen": "每场每月（分）", "document_no": "协议文号", "recorded_by": "登记人",
        "confirmed_by": "确认人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.terms(by, limit)])


@service_fees.command("papers")
@limit_option
@looking
def list_papers(by: Actor, limit: int) -> Answer:
    """List the signed documents of terms that are kept, the newest terms first.

    Example: flask --app wsgi service-fees papers --as wang
    """
    headings = {
        "terms": "约定编号", "operator": "运营单位", "unit": "开放单位", "document_no": "协议文号", **KEPT,
    }  # fmt: skip
    return Sheet(headings, [vars(each) | vars(each.file) for each in queries.papers(by, limit)])


@service_fees.command("take-paper")
@click.argument("terms", type=click.UUID)
@to_option
@acting
def take_paper(by: Actor, terms: uuid.UUID, to: Path) -> Answer:
    """Write the signed document of terms (their key) to a file that you alone can read; it is written down.

    Example: flask --app wsgi service-fees take-paper 0197b5c8-0000-7000-8000-000000000000 --to 协议.pdf --as lin
    """
    return written_out(actions.take_paper(by, terms), to)


@service_fees.command("draft")
@click.argument("operator")
@click.argument("unit")
@click.option("--month", type=MONTH, required=True, help="over, signed off and closed to its last day")
@acting
def draft(by: Actor, operator: str, unit: str, month: date) -> Answer:
    """Draw a month's statement of an operator with a unit (keys or names) out of the closed books; another decides.

    Example: flask --app wsgi service-fees draft 某停车运营公司 某区机关事务中心 --month 2026-06 --as wang
    """
    made = actions.draft(by, named(Operator, operator).key, named(Unit, unit).key, month)
    return Note("服务费结算单已提交复核", key=made.key, lines=made.lines, **figures_of(made))


@service_fees.command("issue")
@click.argument("statement", type=click.UUID)
@because_option
@acting
def issue(by: Actor, statement: uuid.UUID, because: str) -> Answer:
    """Agree with another's statement: it has its number, and says the same for ever.

    Example: flask --app wsgi service-fees issue 0197b5c8-… --because 已核对 --as lin
    """
    return Note("服务费结算单已出具", number=actions.issue(by, statement, because).number)


@service_fees.command("reject")
@click.argument("statement", type=click.UUID)
@because_option
@acting
def reject(by: Actor, statement: uuid.UUID, because: str) -> Answer:
    """Do not agree with another's statement: its month may be drafted anew.

    Example: flask --app wsgi service-fees reject 0197b5c8-… --because 请核对协议 --as lin
    """
    return Note("服务费结算单已退回", state=actions.reject(by, statement, because).state)


@service_fees.command("list")
@month_option
@state_option
@limit_option
@looking
def list_statements(by: Actor, month: date | None, state: str | None, limit: int) -> Answer:
    """List statements within one's reach, the newest first.

    Example: flask --app wsgi service-fees list --month 2026-06 --state issued --as wang
    """
    headings = {"key": "编号"} | {name: WORDS[name] for name in ("number", "operator", "unit", "month", "state_text")}
    headings |= {name: f"{told}（分）" for name, told in FIGURES.items()} | {
        "made_by": "制单人",
        "decided_by": "复核人",
    }
    return Sheet(headings, [_row(each) for each in queries.statements(by, month=month, state=state, limit=limit)])


@service_fees.command("lines")
@click.option("--statement", type=click.UUID, help="only those of this statement")
@month_option
@state_option
@limit_option
@handing_out
def list_lines(
    by: Actor, statement: uuid.UUID | None, month: date | None, state: str | None, limit: int
) -> Lines:  # fmt: skip
    """Print or write statements lot by lot: days, what was collected, share, fixed sum, fee.

    Example: flask --app wsgi service-fees lines --month 2026-06 --state issued --format xlsx --output june.xlsx --as wang
    """  # noqa: E501
    found = queries.lines(by, month=month, state=state, key=statement, limit=limit + 1)
    return Lines("服务费结算单", WORDS, FIGURES, [_row(each) for each in found], limit)


def _row(each: StatementView | LineView) -> dict[str, object]:
    told = {name: value for name, value in vars(each).items() if name != "figures"}
    return told | each.figures | {"month": f"{each.month:%Y-%m}", "state_text": STATES[each.state]}
