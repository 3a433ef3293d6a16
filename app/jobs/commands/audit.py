"""The audit log: seal it, prove it, look into it."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import click

from app.adapters.anchors import AnchorsUnreadable
from app.domain.audit import actions, queries
from app.domain.audit.rules import KINDS, Printed, on_paper, printed_anchor
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet, tell
from app.jobs.commands.door import acting, noun, telling
from app.wiring import wiring

T = TypeVar("T")

audit = noun(
    "The audit log (审计日志): every deed of staff and every move of money, sealed in a chain, anchored outside.",
    "audit verify",
    "audit verify --json --anchor '1234: 4f2a...'",
    "audit show --subject refund --subject-id 17 --as lin",
)


class PaperAnchor(click.ParamType[Printed]):
    """An anchor as it stands on a sign-off sheet: `1234: 64 hexadecimal digits`."""

    name = "anchor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Printed:
        try:
            return value if isinstance(value, Printed) else printed_anchor(value)
        except ValueError:
            self.fail(f"{value} is no anchor such as '1234: 4f2a…' with 64 hexadecimal digits", param, ctx)


@audit.command("verify")
@click.option("--anchor", "printed", type=PaperAnchor(), multiple=True, help="an anchor from a sheet of paper as well")
@click.option("--json", "wants_json", is_flag=True, help="one JSON document instead of a table")
def verify(printed: tuple[Printed, ...], *, wants_json: bool) -> None:
    r"""Recompute the whole log and hold it against the anchors outside; nothing is written. Needs no account.

    Each entry's digest is made anew and compared with the one sealed in its block, each block with its own hash and the
    block before it, and the chain with every anchor (and with what was noted of them). What is found is named by kind,
    block and row (the entry's number): row_changed, row_removed, row_inserted, row_beyond, block_changed,
    block_removed, chain_broken, anchor_differs, anchor_changed, anchor_removed, tail_cut. Entries that are not sealed
    yet are counted, not proved.

    \b
    Exit code 0: all is as it was sealed; 1: something is not; 2: an anchor folder cannot be read.

    \b
    Examples:
      flask --app wsgi audit verify
      flask --app wsgi audit verify --json --anchor "1234: 4f2a..."
    """  # fmt: skip
    found = _reading(lambda: queries.proof(wiring().anchors, printed))
    head = on_paper(found.head.block_no, found.head.hash) if found.head else None
    facts = {"sound": found.is_sound, "blocks": found.blocks, "entries": found.entries, "unsealed": found.unsealed}
    if wants_json:
        tell(
            Note(_sentence(len(found.faults)), **facts, head=head, faults=[asdict(each) for each in found.faults]),
            as_json=True,
        )
    else:
        tell(Note(_sentence(len(found.faults)), **facts, head=head), as_json=False)
        if found.faults:
            headings = {
                "kind": "问题",
                "told": "说明",
                "block": "区块",
                "row": "记录",
                "place": "锚点位置",
                "more": "另有",
            }
            tell(Sheet(headings, [{**asdict(each), "told": KINDS[each.kind]} for each in found.faults]), as_json=False)
    if found.faults:
        raise click.exceptions.Exit(1)


def _sentence(faults: int) -> str:
    return f"审计日志有 {faults} 处与封存时不符" if faults else "审计日志与封存时一致"


@audit.command("seal")
@telling
def seal() -> Answer:
    """Seal what no running transaction can still add to, and anchor it; the sweepers do so every half minute.

    Example: flask --app wsgi audit seal
    """
    sealed = actions.seal()
    anchored = _reading(lambda: actions.anchor(wiring().anchors))
    head = queries.standing()
    facts = {"head": on_paper(head.block_no, head.hash) if head else None}
    return Note("审计日志已封存", sealed=sealed, anchored=anchored, **facts)


@audit.command("show")
@click.option("--subject", help="only what was done to this kind of thing, as the log names it: refund, lot, unit …")
@click.option("--subject-id", type=int, help="only what was done to this one")
@click.option("--actor", help="only what this one did: staff:4, database …")
@click.option("--before", type=int, help="only entries with a smaller number, to turn the page")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@acting
def show(
    by: Actor, subject: str | None, subject_id: int | None, actor: str | None, before: int | None, limit: int
) -> Answer:
    """Show what the log says, the newest first; for people of the whole city.

    Example: flask --app wsgi audit show --subject refund --subject-id 17 --as lin
    """
    headings = {
        "id": "记录", "at": "时间", "actor": "操作者", "action": "操作", "subject": "对象", "subject_id": "对象编号",
        "detail": "内容",
    }  # fmt: skip
    found = queries.entries(by, subject=subject, subject_id=subject_id, actor=actor, before=before, limit=limit)
    return Sheet(headings, [{name: getattr(each, name) for name in (*headings, "request_id")} for each in found])


@audit.command("blocks")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@acting
def blocks(by: Actor, limit: int) -> Answer:
    """List sealed blocks, the newest first, each with the anchor as it can be written on paper.

    Example: flask --app wsgi audit blocks --limit 5 --as lin
    """
    headings = {
        "block": "区块", "first_id": "首条", "last_id": "末条", "entries": "条数", "sealed_at": "封存时间",
        "anchor": "锚点",
    }  # fmt: skip
    rows = [
        {
            **each._asdict(),
            "block": each.block_no,
            "anchor": on_paper(each.block_no, each.hash),
            "hash": each.hash.hex(),
        }
        for each in queries.blocks(by, limit)
    ]
    return Sheet(headings, rows)


def _reading(work: Callable[[], T]) -> T:
    try:
        return work()
    except (AnchorsUnreadable, ExceptionGroup) as problem:
        for each in getattr(problem, "exceptions", [problem]):
            click.echo(f"anchors_unreadable: 外部锚点无法读写 {each}", err=True)
        raise click.exceptions.Exit(2) from problem
