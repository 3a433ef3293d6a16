"""Stays and the passages of which they are made."""

import uuid

import click

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.stays import actions
from app.domain.stays.queries.rebuild import rebuilt
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, named, noun
from app.kernel.refusals import Conflict

stays = noun(
    "Stays (停车记录) and the passages (过车) of which they are made.",
    "stays rebuild --check --as lin",
    "stays passage 4711 --as wang",
    "stays assign-exit 4711 0197b5c8-0000-7000-8000-000000000000 --as wang",
)


class StaysDiffer(Conflict):
    """What gates told makes other stays than those that are kept; `details` names entry events by lot."""

    code = "stays_differ"
    message = "由原始过车记录重建的停车记录与现有记录不一致"


@stays.command("rebuild")
@click.option("--check", is_flag=True, help="refuse (exit code 1) when anything differs")
@click.option("--lot", help="only this lot (key or name)")
@acting
def rebuild(by: Actor, *, check: bool, lot: str | None) -> Answer:
    """Rebuild all stays from raw events, in memory, and compare them with those that are kept; nothing is changed.

    Example: flask --app wsgi stays rebuild --check --lot 示例停车场 --as lin
    """
    rows = list(rebuilt(by, named(Lot, lot).id if lot else None))
    different = {row.lot: list(row.different[:10]) for row in rows if row.different}
    if check and different:
        raise StaysDiffer(different=different)
    headings = {"lot": "停车场", "lived": "现有", "rebuilt": "重建", "different": "不一致的入场记录"}
    return Sheet(headings, [vars(row) for row in rows])


@stays.command("passage")
@click.argument("event", type=int)
@acting
def see_passage(by: Actor, event: int) -> Answer:
    """Show one passage (the number of its event, as tasks name it): plate as read, pictures, likely cars inside.

    The log says who looked.

    Example: flask --app wsgi stays passage 4711 --as wang --json
    """
    return Note("过车记录", **vars(actions.look_at(by, event)))


@stays.command("assign-exit")
@click.argument("event", type=int)
@click.argument("stay", type=click.UUID)
@acting
def assign_exit(by: Actor, event: int, stay: uuid.UUID) -> Answer:
    """Say which car inside (key of its stay) drove out in a passage that nobody understood; its stay ends then.

    Example: flask --app wsgi stays assign-exit 4711 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    ended = actions.assign_exit(by, event, stay)
    return Note("已核对为该车出场", stay=ended.key, state=ended.state)
