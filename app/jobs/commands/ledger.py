"""The books: what each payee's accounts hold, which days are closed, and whether all of it follows from the events."""

import json
from datetime import date

import click
from flask.cli import AppGroup, with_appcontext

from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, telling
from app.kernel.refusals import Conflict

EXAMPLES = """
\b
Examples:
  flask --app wsgi ledger --json
  flask --app wsgi ledger days
  flask --app wsgi ledger parity --since 2026-06-01
  flask --app wsgi ledger rebuild --check
"""


class BooksDiffer(Conflict):
    """Books and events, or the days kept and the postings, do not agree; the details say where."""

    code = "books_differ"
    message = "账簿与业务事实不一致"


@click.group("ledger", cls=AppGroup, invoke_without_command=True, help=f"The books (账簿) by payee.\n{EXAMPLES}")
@click.option("--json", "wants_json", is_flag=True, help="all payees, in fen, for programs")
@click.pass_context
@with_appcontext
def ledger(context: click.Context, *, wants_json: bool) -> None:
    """Print the ledger by payee: what each account holds, and that all of it sums to zero."""
    if context.invoked_subcommand is None:
        _print(wants_json=wants_json)


def _print(*, wants_json: bool) -> None:
    from app.jobs.books import all_books, as_json, as_lines  # noqa: PLC0415

    books = all_books()
    if wants_json:
        click.echo(json.dumps(as_json(books), ensure_ascii=False))
        return
    for line in as_lines(books):
        click.echo(line)


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
    from payments.ledger.actions import rebuild_balances  # noqa: PLC0415
    from payments.ledger.queries import drifts  # noqa: PLC0415

    if not check:
        return Note("日余额已重建", days=rebuild_balances())
    if found := drifts():
        raise BooksDiffer(differences=[vars(each) for each in found])
    return Note("日余额与分录一致", differences=0)
