"""Cars that do not leave: the guard's list, calls, and tows by the word of two."""

import uuid

import click

from app.domain.departures import actions
from app.domain.departures.queries.overstays import call_list
from app.domain.departures.rules import RESULTS
from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, looking, named, noun

departures = noun(
    "Cars that are in though their time is over (超时停放): calls, and tows (拖移).",
    "departures overstays 示例停车场 --as wang",
    "departures call STAY no_answer --as wang",
    "departures order-tow STAY --why 占用公务车位 --as wang",
    "departures approve-tow TOW --as lin",
)
HEADINGS = {
    "until": "应离场", "lot": "停车场", "plate": "车牌", "phone": "电话", "calls": "联系次数", "result_text": "结果",
    "tow": "拖移", "stay": "停车记录",
}  # fmt: skip


@departures.command("overstays")
@click.argument("lot", required=False)
@looking
def overstays(by: Actor, lot: str | None) -> Answer:
    """List whom to call, the longest overdue first; plates and numbers are masked.

    Example: flask --app wsgi departures overstays 示例停车场 --as wang
    """
    found = call_list(by, named(Lot, lot).id if lot else None)
    return Sheet(HEADINGS, [{**vars(each), "result_text": RESULTS.get(each.last_result or "")} for each in found])


@departures.command("number")
@click.argument("stay", type=click.UUID)
@acting
def number(by: Actor, stay: uuid.UUID) -> Answer:
    """Show the whole number to call about a car that is past its time; each look is written down.

    Example: flask --app wsgi departures number STAY --as wang
    """
    return Note("该号码仅用于联系本次超时停放的车主", number=actions.reveal_number(by, stay))


@departures.command("call")
@click.argument("stay", type=click.UUID)
@click.argument("result", type=click.Choice(list(RESULTS)))
@acting
def call(by: Actor, stay: uuid.UUID, result: str) -> Answer:
    """Write down a call about a car and what came of it.

    Example: flask --app wsgi departures call STAY no_answer --as wang
    """
    row = actions.call(by, stay, result)
    return Note("联系记录已保存", at=row.at, result=RESULTS[row.result])


@departures.command("order-tow")
@click.argument("stay", type=click.UUID)
@click.option("--why", required=True, help="what the car blocks, without personal data")
@acting
def order_tow(by: Actor, stay: uuid.UUID, why: str) -> Answer:
    """Ask for a car to be towed, hours after its time and after a call; another person approves it.

    Example: flask --app wsgi departures order-tow STAY --why 占用公务车位 --as wang
    """
    row = actions.order_tow(by, stay, why)
    return Note("拖移已提出，待他人批准", key=row.key, state=row.state)


@departures.command("approve-tow")
@click.argument("tow", type=click.UUID)
@acting
def approve_tow(by: Actor, tow: uuid.UUID) -> Answer:
    """Approve a tow that somebody else ordered, while the car is still in.

    Example: flask --app wsgi departures approve-tow TOW --as lin
    """
    return Note("拖移已批准", state=actions.approve_tow(by, tow).state)


@departures.command("record-tow")
@click.argument("tow", type=click.UUID)
@click.option("--company", required=True, help="who took the car")
@click.option("--taken-to", required=True, help="where it is now")
@click.option("--reference", required=True, help="where the pictures are kept")
@acting
def record_tow(by: Actor, tow: uuid.UUID, company: str, taken_to: str, reference: str) -> Answer:
    """Put on record that a car was towed; its motorist is told where it is.

    Example: flask --app wsgi departures record-tow TOW --company 示例公司 --taken-to 示例路2号 --reference P1 --as li
    """
    return Note("拖移已记录", state=actions.record_tow(by, tow, company, taken_to, reference).state)


@departures.command("call-tow-off")
@click.argument("tow", type=click.UUID)
@click.option("--why", required=True)
@acting
def call_tow_off(by: Actor, tow: uuid.UUID, why: str) -> Answer:
    """Call off a tow that was not carried out, with a reason.

    Example: flask --app wsgi departures call-tow-off TOW --why 车主已到场 --as lin
    """
    return Note("拖移已取消", state=actions.call_tow_off(by, tow, why).state)
