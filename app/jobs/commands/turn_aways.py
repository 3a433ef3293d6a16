"""Cars that were turned away: as gates recorded it, and as motorists told it."""

from datetime import datetime

import click

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.stays.queries import turned_away
from app.domain.stays.rules import FINDINGS
from app.jobs.commands.answers import Answer, Sheet
from app.jobs.commands.door import MOMENT, acting, named, noun

turn_aways = noun(
    "Cars that were turned away (拒停记录) and motorists' reports of it (拒停举报), N2.2.3.",
    "turn-aways list --since '2026-06-10 00:00' --as wang",
    "turn-aways reports --lot 示例停车场 --as wang",
)
OCCUPANCY = {"shared_bays": "共享泊位", "occupied_bays": "已占用"}
lot_option = click.option("--lot", help="only this lot (key or name)")
since_option = click.option("--since", type=MOMENT, help="only from this moment on")
limit_option = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=turned_away.PAGE, show_default=True, help="rows at most"
)


@turn_aways.command("list")
@lot_option
@since_option
@limit_option
@acting
def list_turn_aways(by: Actor, lot: str | None, since: datetime | None, limit: int) -> Answer:
    """List what gates recorded: reason, place, time, and how full the lot was at that instant.

    Example: flask --app wsgi turn-aways list --since '2026-06-10 00:00' --as wang
    """
    found = turned_away.turn_aways(by, lot_key=named(Lot, lot).key if lot else None, since=since, limit=limit)
    headings = {"at": "时间", "lot": "停车场", "gate": "道闸", "reason": "原因", **OCCUPANCY, "kept_bays": "为预约预留"}
    return Sheet(headings, [vars(each) for each in found])


@turn_aways.command("reports")
@lot_option
@since_option
@limit_option
@acting
def list_reports(by: Actor, lot: str | None, since: datetime | None, limit: int) -> Answer:
    """List motorists' reports beside what the platform knew: open or not, how full, what a gate was told.

    Example: flask --app wsgi turn-aways reports --lot 示例停车场 --as wang --json
    """
    found = turned_away.reports(by, lot_key=named(Lot, lot).key if lot else None, since=since, limit=limit)
    headings = {
        "at": "举报时间", "lot": "停车场", "was_open": "当时开放", **OCCUPANCY, "free_bays": "空余",
        "decision": "道闸结果", "reason": "道闸原因", "gate": "道闸", "decided_at": "道闸时间", "told": "核对结果",
        "key": "编号",
    }  # fmt: skip
    return Sheet(headings, [{**vars(each), "told": FINDINGS[each.finding]} for each in found])
