"""Arrears: what is owed, pausing the chase, and the bases on which lots let cars leave before they pay."""

import uuid
from datetime import datetime

import click

from app.domain.arrears import actions
from app.domain.arrears.queries import seen
from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, PAPER, acting, looking, named, noun
from app.kernel import clock
from app.kernel.files import Paper
from app.kernel.spans import span

arrears = noun(
    "Unpaid stays (欠费), how they are chased, and leaving before paying (先离场后付费).",
    "arrears list --lot 示例停车场 --as wang",
    "arrears pause 3f2c… --reason 出口时间有误，正在核查 --as lin",
    "arrears record-deferral 示例停车场 杭财〔2026〕2号 --reason 试点 --file a.pdf --until '2027-01-01 00:00' --as liu",
)
ARREARS = {
    "left_at": "驶离", "lot": "停车场", "amount_fen": "欠费（分）", "motorist": "车主编号", "noticed_at": "通知",
    "reminded_at": "提醒", "held_at": "暂停预约", "paused_because": "暂缓催缴原因", "stay_key": "停车记录",
}  # fmt: skip
DEFERRALS = {
    "key": "编号", "lot": "停车场", "document_no": "文号", "reason": "理由", "begins_at": "起", "ends_at": "止",
    "recorded_by": "登记人", "approved_by": "审批人", "ended_at": "终止",
}  # fmt: skip
lot_option = click.option("--lot", help="only in this lot (key or name)")
limit_option = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=seen.PAGE, show_default=True, help="rows at most"
)


def _key_of(lot: str | None) -> uuid.UUID | None:
    return named(Lot, lot).key if lot else None


@arrears.command("list")
@lot_option
@click.option("--nobodys", is_flag=True, help="only stays for which no account answers")
@limit_option
@looking
def list_arrears(by: Actor, *, lot: str | None, nobodys: bool, limit: int) -> Answer:
    """List what is owed for stays that have ended, the oldest first.

    Example: flask --app wsgi arrears list --nobodys --as wang
    """
    rows = seen.arrears(by, lot_key=_key_of(lot), nobodys=nobodys, limit=limit)
    return Sheet(ARREARS, [vars(each) for each in rows])


@arrears.command("pause")
@click.argument("stay", type=click.UUID)
@click.option("--reason", required=True, help="what is looked into, without personal data")
@acting
def pause(by: Actor, *, stay: uuid.UUID, reason: str) -> Answer:
    """Chase nobody for a stay (its key) while somebody looks into it.

    Example: flask --app wsgi arrears pause 3f2c… --reason 出口时间有误，正在核查 --as lin
    """
    return Note("已暂缓催缴", stay=stay, paused_at=actions.pause(by, stay, reason).paused_at)


@arrears.command("resume")
@click.argument("stay", type=click.UUID)
@click.option("--outcome", required=True, help="what was found; the motorist is told")
@acting
def resume(by: Actor, *, stay: uuid.UUID, outcome: str) -> Answer:
    """Let the chase for a stay (its key) go on where it stood.

    Example: flask --app wsgi arrears resume 3f2c… --outcome 出口记录无误 --as lin
    """
    return Note("已恢复催缴", stay=stay, ended_at=actions.resume(by, stay, outcome).ended_at)


@arrears.command("deferrals")
@lot_option
@limit_option
@acting
def list_deferrals(by: Actor, *, lot: str | None, limit: int) -> Answer:
    """List on what bases lots let cars leave before they pay, the newest first.

    Example: flask --app wsgi arrears deferrals --lot 示例停车场 --as chen
    """
    return Sheet(DEFERRALS, [vars(each) for each in seen.deferrals(by, lot_key=_key_of(lot), limit=limit)])


@arrears.command("record-deferral")
@click.argument("lot")
@click.argument("document_no")
@click.option("--reason", required=True, help="why cars may leave before they pay")
@click.option("--file", "paper", type=PAPER, required=True, help="the document: PDF, PNG or JPEG, at most 10 MB")
@click.option("--from", "begins_at", type=MOMENT, help="since when; else from now on")
@click.option("--until", "ends_at", type=MOMENT, required=True, help="until when")
@acting
def record_deferral(
    by: Actor, *, lot: str, document_no: str, reason: str, paper: Paper, begins_at: datetime | None, ends_at: datetime
) -> Answer:
    """Record on what document a LOT (key or name) may let cars leave before they pay; another person approves it.

    Example: flask --app wsgi arrears record-deferral 示例停车场 杭财〔2026〕2号 --reason 试点 --file approval.pdf
    --until '2027-01-01 00:00' --as liu
    """
    during = span(begins_at or clock.now(), ends_at)
    row = actions.record_deferral(by, named(Lot, lot).key, document_no, reason, during, paper)
    return Note("先离场后付费依据已登记，待另一人审批", key=row.key)


@arrears.command("approve-deferral")
@click.argument("basis", type=click.UUID)
@acting
def approve_deferral(by: Actor, *, basis: uuid.UUID) -> Answer:
    """Approve a recorded basis; from then on, within its span, cars with an account leave before they pay.

    Example: flask --app wsgi arrears approve-deferral 3f2c… --as chen
    """
    return Note("先离场后付费依据已审批", key=actions.approve_deferral(by, basis).key)


@arrears.command("end-deferral")
@click.argument("basis", type=click.UUID)
@acting
def end_deferral(by: Actor, *, basis: uuid.UUID) -> Answer:
    """Let cars of the lot pay before they leave again, from now on.

    Example: flask --app wsgi arrears end-deferral 3f2c… --as chen
    """
    return Note("先离场后付费已终止", key=actions.end_deferral(by, basis).key)
