"""Messages through WeChat: templates, and what became of what was sent."""

from datetime import datetime

import click

from app.domain.messages import actions, queries
from app.domain.messages.rules import DELIVERY, WORDS
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, acting, noun

messages = noun(
    "Messages through WeChat (订阅消息): templates, and what became of each sending.",
    "messages set-template leaving TEMPLATE_ID --page pages/stay/index --field thing1=lot --field time2=time --as lin",
    "messages deliveries --state refused --as lin",
)
TEMPLATES = {"kind": "类别", "template_id": "模板编号", "page": "跳转页面", "fields": "字段", "begins_at": "起"}
DELIVERIES = {
    "id": "编号", "kind": "消息类别", "state": "状态", "errcode": "微信返回码", "attempts": "次数", "made_at": "生成",
    "ended_at": "结束",
}  # fmt: skip
STATES = sorted({target for _, _, target in DELIVERY.edges})


@messages.command("templates")
@acting
def list_templates(by: Actor) -> Answer:
    """List the templates under which messages go out.

    Example: flask --app wsgi messages templates --as lin
    """
    return Sheet(TEMPLATES, queries.templates(by))


@messages.command("set-template")
@click.argument("kind", type=click.Choice(sorted(WORDS)))
@click.argument("template_id")
@click.option("--page", required=True, help="page of the mini-program that a tap opens, such as pages/stay/index")
@click.option("--field", "fields", multiple=True, required=True, help="KEY=WORD, such as thing1=lot; once for each key")
@click.option("--from", "begins_at", type=MOMENT, help="since when, in Hangzhou; else from now on")
@acting
def set_template(
    by: Actor, kind: str, template_id: str, page: str, fields: tuple[str, ...], begins_at: datetime | None
) -> Answer:  # fmt: skip
    """Let a kind of messages go out under one of WeChat's templates.

    Words of leaving: lot, time, note; of conduct: matter, time, note; of arrears: lot, amount,
    time, note; of booking: lot, time, note.
    Example: flask --app wsgi messages set-template leaving TEMPLATE_ID --page pages/stay/index --field time2=time
    """
    parts = dict(each.partition("=")[::2] for each in fields)
    actions.set_template(by, kind, template_id, page, parts, begins_at)
    return Note("消息模板已设定", kind=kind, template_id=template_id)


@messages.command("deliveries")
@click.option("--state", type=click.Choice(STATES), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@acting
def list_deliveries(by: Actor, state: str | None, limit: int) -> Answer:
    """List what was sent through WeChat, the newest first.

    Example: flask --app wsgi messages deliveries --state unknown --as lin --json
    """
    return Sheet(DELIVERIES, [vars(each) for each in queries.deliveries(by, state, limit)])
