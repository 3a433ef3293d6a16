"""Regular places: offering a round, its draw, and making the draw again."""

from datetime import date, datetime
from typing import Any

import click

from app.domain.lots.models import Lot
from app.domain.regulars import actions
from app.domain.regulars.models import RegularRound
from app.domain.regulars.queries import seen
from app.domain.regulars.rules import Offer
from app.domain.regulars.rules.nights import ends
from app.domain.regulars.rules.refusals import DrawNotAsCommitted
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, MOMENT, acting, named, noun

regulars = noun(
    "Regular places by the month (固定泊位): every work night, drawn by lot when more apply than there are places.",
    "regulars open 示例停车场 --first 2026-07-01 --last 2026-07-31 --places 3"
    " --opens '2026-06-11 09:00' --closes '2026-06-24 18:00' --as wang",
    "regulars show ROUND --as wang",
    "regulars verify ROUND --as lin",
)
ROUNDS = {
    "key": "编号", "lot": "停车场", "state": "状态", "first": "首夜", "last": "末夜", "places": "名额",
    "closes_at": "截止", "draw_at": "抽签", "applied": "申请", "won": "中签", "waiting": "候补",
}  # fmt: skip
APPLICATIONS = {
    "rank": "次序", "state": "状态", "place": "位次", "key": "编号", "ticket": "签号", "nights": "已约夜数",
    "refused": "未得夜数",
}  # fmt: skip


@regulars.command("open")
@click.argument("lot")
@click.option("--first", type=DAY, required=True, help="date on which the first night begins")
@click.option("--last", type=DAY, required=True, help="date on which the last night begins")
@click.option("--places", type=click.IntRange(1), required=True, help="how many regular places there are")
@click.option("--opens", type=MOMENT, required=True, help="from when applications are taken, in Hangzhou")
@click.option("--closes", type=MOMENT, required=True, help="until when; then none is taken any more")
@click.option("--draw", type=MOMENT, help="when it is drawn; else when it closes")
@acting
def open_round(
    by: Actor, lot: str, first: date, last: date, places: int, opens: datetime, closes: datetime, draw: datetime | None
) -> Answer:  # fmt: skip
    """Offer regular places of LOT (key or name), and publish the commitment of their draw.

    Example: flask --app wsgi regulars open 示例停车场 --first 2026-07-01 --last 2026-07-31 --places 3
    --opens '2026-06-11 09:00' --closes '2026-06-24 18:00' --as wang
    """
    made = actions.open_round(by, named(Lot, lot).key, Offer(first, last, places, opens, closes, draw or closes))
    return Note("固定泊位已发布", **_facts(made))


@regulars.command("list")
@click.argument("lot", required=False)
@acting
def list_rounds(by: Actor, lot: str | None) -> Answer:
    """List rounds, newest first; of LOT alone where one is named.

    Example: flask --app wsgi regulars list 示例停车场 --as wang --json
    """
    return Sheet(ROUNDS, [vars(each) for each in seen.rounds(by, named(Lot, lot).id if lot else None)])


@regulars.command("show")
@click.argument("round_key", metavar="ROUND", type=click.UUID)
@acting
def show(by: Actor, round_key: Any) -> Answer:
    """Show the applications of a round in the order of the draw; nothing of the motorists.

    Example: flask --app wsgi regulars show ROUND --as wang
    """
    return Sheet(APPLICATIONS, [vars(each) for each in seen.applications(by, round_key)])


@regulars.command("draw")
@click.argument("round_key", metavar="ROUND", type=click.UUID)
@acting
def draw(by: Actor, round_key: Any) -> Answer:
    """Draw a round whose time has come and that no sweeper drew; the outcome hangs on nobody.

    Example: flask --app wsgi regulars draw ROUND --as wang
    """
    return Note("抽签已完成", **_facts(actions.draw_now(by, round_key)))


@regulars.command("verify")
@click.argument("round_key", metavar="ROUND", type=click.UUID)
@acting
def verify(by: Actor, round_key: Any) -> Answer:
    """Make the draw of a round again from what is published; exit code 1 when it is not the same.

    Example: flask --app wsgi regulars verify ROUND --as lin
    """
    found = seen.verify(by, round_key)
    if found.faults:
        raise DrawNotAsCommitted(faults=found.faults)
    return Note("抽签结果与事先公布的承诺一致", **vars(found))


@regulars.command("cancel")
@click.argument("round_key", metavar="ROUND", type=click.UUID)
@click.option("--why", required=True, help="reason that applicants read, without personal data")
@acting
def cancel(by: Actor, round_key: Any, why: str) -> Answer:
    """Cancel a round before its draw; whoever applied is told why.

    Example: flask --app wsgi regulars cancel ROUND --why 车库维修 --as wang
    """
    return Note("本轮固定泊位已取消", state=actions.cancel_round(by, round_key, why).state)


def _facts(one: RegularRound) -> dict[str, Any]:
    first, last = ends(one.nights)
    return {
        "key": one.key, "state": one.state, "first": first, "last": last, "places": one.places,
        "draw_at": one.draw_at, "commitment": one.commitment, "secret": one.secret,
    }  # fmt: skip
