"""The books: what each payee's accounts hold, which days are closed, and whether all of it follows from the events."""

import uuid
from datetime import date

import click

from app.domain.finance.queries import balances
from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Lines, Note, Sheet
from app.jobs.commands.door import DAY, acting, because_option, handing_out, looking, noun, telling
from app.kernel.refusals import Conflict
from payments.parity.rules import CORRECTION_STATES


class BooksDiffer(Conflict):
    """Books and events, or the days kept and the postings, do not agree; the details say where."""

    code = "books_differ"
    message = "账簿与业务事实不一致"


ledger = noun(
    "The books (账簿): what accounts hold, which days are closed, and whether all of it follows from what happened.",
    "ledger books --as wang",
    "ledger days",
    "ledger parity --since 2026-06-01",
    "ledger rebuild --check",
    "ledger correct settlement settlement:42 --because 手工凭证无依据 --as wang",
    "ledger accept-correction 0197b5c8-0000-7000-8000-000000000000 --because 已核 --as lin",
)


@ledger.command("books")
@handing_out
def books(by: Actor) -> Lines:
    """Print or write what the accounts of each payee within one's reach hold; debits and credits come to the same.

    Example: flask --app wsgi ledger books --format xlsx --output books.xlsx --as wang
    """
    words = {"payee": "收费主体", "regime": "性质", "sub_mchid": "特约商户号", "account": "科目"}
    figures = {"debit_fen": "借方余额", "credit_fen": "贷方余额"}
    rows = [vars(each) for each in balances(by)]
    total = dict.fromkeys(words, "") | {"payee": "合计"} | {each: sum(row[each] for row in rows) for each in figures}
    return Lines("账簿", words, figures, rows, total=total)


@ledger.command("days")
@click.option("--limit", type=click.IntRange(1, 10_000), default=31, show_default=True, help="rows at most")
@telling
def days(limit: int) -> Answer:
    """List closed accounting days (会计日), the newest first.

    Example: flask --app wsgi ledger days --json
    """
    from payments.ledger.queries import closed_days  # noqa: PLC0415

    headings = {"day": "会计日", "closed_at": "关账时间", "closed_by": "关账人"}
    return Sheet(headings, [{name: getattr(each, name) for name in headings} for each in closed_days(limit)])


@ledger.command("parity")
@click.option("--since", type=DAY, help="from this day on; without it from the beginning")
@telling
def parity(since: date | None) -> Answer:
    """Recompute what every event must have posted, and compare with every journal; exit code 1 when anything differs.

    Example: flask --app wsgi ledger parity --since 2026-06-01
    """
    from payments.parity.queries import differences  # noqa: PLC0415

    found = differences(since or date.min)
    if found:
        raise BooksDiffer(differences=[vars(each) for each in found])
    return Note("账簿与业务事实一致", differences=0)


@ledger.command("rebuild")
@click.option("--check", is_flag=True, help="change nothing; exit code 1 when anything differs")
@telling
def rebuild(*, check: bool) -> Answer:
    """Make turnover and balances of the closed days anew from the postings, or compare them with those that are kept.

    Example: flask --app wsgi ledger rebuild --check
    """
    from app.domain.finance.queries import unit_drifts  # noqa: PLC0415
    from payments.ledger.actions import rebuild_balances  # noqa: PLC0415
    from payments.ledger.queries import drifts  # noqa: PLC0415

    if not check:
        return Note("日余额已重建", days=rebuild_balances())
    if found := [*drifts(), *unit_drifts(date.min)]:
        raise BooksDiffer(differences=[vars(each) for each in found])
    return Note("日余额与分录一致", differences=0)


@ledger.command("correct")
@click.argument("kind")
@click.argument("reference")
@because_option
@acting
def correct(by: Actor, *, kind: str, reference: str, because: str) -> Answer:
    """Ask that a journal which is not what happened is reversed (冲正); another person decides.

    Kind and reference are those that `ledger parity` tells. What did happen is posted in its place; nobody types lines.

    Example: flask --app wsgi ledger correct settlement settlement:42 --because 手工凭证无依据 --as wang
    """
    return Note("冲正已提交复核", key=actions.correct(by, kind, reference, because).key)


@ledger.command("corrections")
@click.option("--state", type=click.Choice(CORRECTION_STATES), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_corrections(by: Actor, *, state: str | None, limit: int) -> Answer:
    """List which journals were said to be wrong, the newest first.

    Example: flask --app wsgi ledger corrections --state waiting --as lin
    """
    headings = {
        "key": "编号", "kind": "凭证种类", "reference": "业务编号", "instead": "更正分录（分）", "because": "原因",
        "made_by": "申请人", "made_at": "申请时间", "state": "状态", "decided_by": "复核人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.corrections(by, state=state, limit=limit)])


@ledger.command("accept-correction")
@click.argument("correction", type=click.UUID)
@because_option
@acting
def accept_correction(by: Actor, *, correction: uuid.UUID, because: str) -> Answer:
    """Agree: the journal is reversed today, and what its event comes to is posted in its place.

    Example: flask --app wsgi ledger accept-correction 0197b5c8-… --because 已核 --as lin
    """
    return Note("凭证已冲正", state=actions.accept_correction(by, correction, because).state)


@ledger.command("reject-correction")
@click.argument("correction", type=click.UUID)
@because_option
@acting
def reject_correction(by: Actor, *, correction: uuid.UUID, because: str) -> Answer:
    """Do not agree: the books stay as they are.

    Example: flask --app wsgi ledger reject-correction 0197b5c8-… --because 凭证无误 --as lin
    """
    return Note("冲正已退回", state=actions.reject_correction(by, correction, because).state)
