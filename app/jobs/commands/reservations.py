"""Reservations as staff see them: who waits for bays of a lot."""

import click

from app.domain.lots.models import Lot
from app.domain.reservations.queries.waitlist import waitlist
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Sheet
from app.jobs.commands.door import acting, named, noun

reservations = noun(
    "Reservations (预约): who waits for bays of a lot; nothing of the motorists is shown.",
    "reservations waitlist 南院停车场 --as wang",
)
HEADINGS = {"key": "编号", "state": "状态", "begins_at": "开始", "ends_at": "结束", "joined_at": "候补时间"}


@reservations.command("waitlist")
@click.argument("lot")
@acting
def show_waitlist(by: Actor, lot: str) -> Answer:
    """List who waits for a bay of LOT (key or name), in the order in which they are asked.

    Example: flask --app wsgi reservations waitlist 南院停车场 --as wang --json
    """
    return Sheet(HEADINGS, [vars(each) for each in waitlist(by, named(Lot, lot).key)])
