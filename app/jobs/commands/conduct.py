"""Conduct: rules, incidents, measures, and appeals that a person decides."""

import uuid
from datetime import datetime

import click

from app.domain.conduct import actions
from app.domain.conduct.queries import seen
from app.domain.conduct.rules import KINDS, MEASURES, OUTCOMES, Terms
from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.domain.stays.actions import record_dispute as put_on_record
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, PAPER, acting, looking, named, noun
from app.kernel.files import Paper

conduct = noun(
    "Conduct (停车信用): incidents, what follows from them by rule, and appeals.",
    "conduct incidents --kind no_show --as wang",
    "conduct set-rule no_show cooling_off --count 3 --within-days 30 --days 3 --as lin",
    "conduct decide 3f2c… --lifted --reason 当晚道闸离线 --as lin",
)
RULE_HEADINGS = {
    "kind_text": "事件", "measure_text": "措施", "count": "次数", "within_days": "天数内", "days": "措施天数",
    "begins_at": "起", "ends_at": "止",
}  # fmt: skip
limit_option = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=seen.PAGE, show_default=True, help="rows at most"
)


@conduct.command("rules")
@acting
def list_rules(by: Actor) -> Answer:
    """List what leads to what; without a beginning it is the platform's default.

    Example: flask --app wsgi conduct rules --as wang --json
    """
    rows = [
        {**vars(each), "kind_text": KINDS[each.kind], "measure_text": MEASURES[each.measure]} for each in seen.rules(by)
    ]
    return Sheet(RULE_HEADINGS, rows)


@conduct.command("set-rule")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("measure", type=click.Choice(list(MEASURES)))
@click.option("--count", type=int, required=True, help="after so many incidents")
@click.option("--within-days", type=int, required=True, help="within so many days")
@click.option("--days", type=int, required=True, help="how long the measure lasts")
@click.option("--from", "begins_at", type=MOMENT, help="for what happens from then on; else from now on")
@acting
def set_rule(
    by: Actor, kind: str, measure: str, count: int, within_days: int, days: int, begins_at: datetime | None
) -> Answer:
    """Let a rule hold from a moment on; what happened before stays under the rule that held then.

    Example: flask --app wsgi conduct set-rule overstay warning --count 2 --within-days 30 --days 30 --as lin
    """
    actions.set_rule(by, kind, measure, Terms(count, within_days, days), begins_at)
    return Note("信用规则已设定", kind=kind, measure=measure, count=count, within_days=within_days, days=days)


@conduct.command("incidents")
@click.option("--kind", type=click.Choice(list(KINDS)), help="only of this kind")
@click.option("--lot", help="only in this lot (key or name)")
@limit_option
@looking
def list_incidents(by: Actor, kind: str | None, lot: str | None, limit: int) -> Answer:
    """List what went wrong in the lots within one's reach, with the evidence.

    Example: flask --app wsgi conduct incidents --lot 示例停车场 --as wang
    """
    found = seen.incidents(by, kind=kind, lot_key=named(Lot, lot).key if lot else None, limit=limit)
    headings = {
        "at": "时间", "kind_text": "事件", "lot": "停车场", "motorist": "车主编号", "evidence": "依据",
        "noted_by": "记录人", "key": "编号",
    }  # fmt: skip
    return Sheet(headings, [{**vars(each), "kind_text": KINDS[each.kind]} for each in found])


@conduct.command("measures")
@click.option("--running", is_flag=True, help="only those that hold now")
@limit_option
@looking
def list_measures(by: Actor, running: bool, limit: int) -> Answer:
    """List measures against motorists, and what became of appeals.

    Example: flask --app wsgi conduct measures --running --as wang
    """
    headings = {
        "begins_at": "起", "ends_at": "止", "kind_text": "措施", "motorist": "车主编号", "reason": "原因",
        "incidents": "事件数", "outcome_text": "申诉结果", "key": "编号",
    }  # fmt: skip
    rows = [
        {**vars(each), "kind_text": MEASURES[each.kind], "outcome_text": OUTCOMES.get(each.outcome or "")}
        for each in seen.measures(by, running=running, limit=limit)
    ]
    return Sheet(headings, rows)


@conduct.command("record-dispute")
@click.argument("stay", type=click.UUID)
@click.option("--told", required=True, help="what happened, without personal data")
@click.option("--evidence", "paper", type=PAPER, required=True, help="PDF, PNG or JPEG")
@acting
def record_dispute(by: Actor, stay: uuid.UUID, told: str, paper: Paper) -> Answer:
    """Put a dispute over a stay (its key) on record; whoever does so does not decide on an appeal.

    Example: flask --app wsgi conduct record-dispute 3f2c… --told 撞损道闸后离开 --evidence photo.jpg --as wang
    """
    put_on_record(by, stay, told, paper)
    return Note("纠纷已记录", stay=stay)


@conduct.command("appeals")
@click.option("--decided", is_flag=True, help="those that have a decision, instead of those that wait for one")
@limit_option
@looking
def list_appeals(by: Actor, decided: bool, limit: int) -> Answer:
    """List appeals with the motorist's words, the oldest first; that you read them is written down.

    Example: flask --app wsgi conduct appeals --as lin
    """
    headings = {
        "made_at": "申诉时间", "measure_text": "措施", "reason": "原因", "words": "申诉理由", "incidents": "事件编号",
        "outcome_text": "结果", "decision": "决定理由", "key": "编号",
    }  # fmt: skip
    rows = [
        {**vars(each), "measure_text": MEASURES[each.measure], "outcome_text": OUTCOMES.get(each.outcome or "")}
        for each in actions.hear(by, decided=decided, limit=limit)
    ]
    return Sheet(headings, rows)


@conduct.command("decide")
@click.argument("appeal", type=click.UUID)
@click.option("--lifted/--upheld", "lifted", required=True, default=None, help="lift the measure at once, or uphold it")
@click.option("--reason", required=True, help="what the motorist is told")
@acting
def decide(by: Actor, appeal: uuid.UUID, lifted: bool, reason: str) -> Answer:
    """Decide on an appeal (its key), once.

    Example: flask --app wsgi conduct decide 3f2c… --upheld --reason 道闸记录显示未到场 --as lin
    """
    made = actions.decide(by, appeal, "lifted" if lifted else "upheld", reason)
    return Note("申诉已决定", outcome=made.outcome, decided_at=made.decided_at)
