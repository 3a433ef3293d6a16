"""What differs, who looks at it, and what two persons say of it."""

import uuid
from datetime import date

import click

from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, acting, because_option, looking
from app.jobs.commands.reconciliation.group import merchant_option, reconciliation
from app.kernel import clock
from payments.reconciliation.rules import CLASSES, STATES


@reconciliation.command("differences")
@merchant_option
@click.option("--day", type=DAY, help="only this day")
@click.option("--state", type=click.Choice(STATES), help="only those in this state; else those that are not explained")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_differences(by: Actor, *, merchant: str | None, day: date | None, state: str | None, limit: int) -> Answer:
    """List differences, the oldest first; `--state suspended` shows what stands in suspense, and with whom.

    Example: flask --app wsgi reconciliation differences --state suspended --as lin
    """
    headings = {
        "key": "编号", "day": "账单日", "sub_mchid": "特约商户号", "name": "类别", "subject": "微信单号",
        "out_trade_no": "商户订单号", "theirs_fen": "微信（分）", "ours_fen": "我方（分）", "gap_fen": "差额（分）",
        "state": "状态", "owner": "责任人", "age_days": "账龄（天）", "said": "说明",
    }  # fmt: skip
    now = clock.now()
    found = queries.differences(by, sub_mchid=merchant, day=day, state=state, limit=limit)
    rows = [
        vars(each) | {"name": CLASSES[each.klass].name, "age_days": (now - each.opened_at).days} for each in found
    ]  # fmt: skip
    return Sheet(headings, rows)


@reconciliation.command("take")
@click.argument("difference", type=click.UUID)
@acting
def take(by: Actor, *, difference: uuid.UUID) -> Answer:
    """Take a difference up: it is yours to clear up.

    Example: flask --app wsgi reconciliation take 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    return Note("已认领", owner=actions.take(by, difference).owner)


@reconciliation.command("explain")
@click.argument("difference", type=click.UUID)
@because_option
@acting
def explain(by: Actor, *, difference: uuid.UUID, because: str) -> Answer:
    """Say what a difference is; another person decides.

    Example: flask --app wsgi reconciliation explain 0197b5c8-… --because 商户平台误收 --as wang
    """
    return Note("说明已提交复核", owner=actions.explain(by, difference, because).owner)


@reconciliation.command("accept")
@click.argument("difference", type=click.UUID)
@because_option
@acting
def accept(by: Actor, *, difference: uuid.UUID, because: str) -> Answer:
    """Agree with another's explanation: money that differs stands in suspense from now on.

    Example: flask --app wsgi reconciliation accept 0197b5c8-… --because 同意挂账 --as lin
    """
    return Note("说明已同意", state=actions.accept(by, difference, because).state)


@reconciliation.command("reject")
@click.argument("difference", type=click.UUID)
@because_option
@acting
def reject(by: Actor, *, difference: uuid.UUID, because: str) -> Answer:
    """Send another's explanation back.

    Example: flask --app wsgi reconciliation reject 0197b5c8-… --because 请查明来源 --as lin
    """
    return Note("说明已退回", state=actions.reject(by, difference, because).state)
