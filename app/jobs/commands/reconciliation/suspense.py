"""What stands in suspense: whose it is, what offsets it, and where a stray payment goes."""

import uuid

import click

from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, because_option, looking
from app.jobs.commands.reconciliation.group import reconciliation
from app.kernel import clock
from payments.reconciliation.queries.suspense import SURPLUS
from payments.reconciliation.rules import CLASSES, CLEARING_STATES, PLACEMENT_STATES, TARGETS, WAYS

HELD_NAMES = {name: each.name for name, each in CLASSES.items()} | {SURPLUS: "重复支付，自动退回"}


@reconciliation.command("assign")
@click.argument("held", type=click.UUID)
@click.argument("account")
@acting
def assign(by: Actor, *, held: uuid.UUID, account: str) -> Answer:
    """Make a difference, or whatever stands in suspense (its key), another person's to clear up.

    Example: flask --app wsgi reconciliation assign 0197b5c8-0000-7000-8000-000000000000 zhao --as lin
    """
    return Note("已指定责任人", owner=actions.assign(by, held, account))


@reconciliation.command("suspense")
@click.option("--merchant", help="only this sub-merchant (特约商户号)")
@looking
def list_suspense(by: Actor, *, merchant: str | None) -> Answer:
    """List what stands in suspense (挂账), the oldest first: of whom, since when, and who clears it up.

    Example: flask --app wsgi reconciliation suspense --merchant 1900000109 --as lin
    """
    headings = {
        "key": "编号", "sub_mchid": "特约商户号", "day": "账单日", "name": "类别", "subject": "微信单号",
        "fen": "金额（分，长款为正）", "owner": "责任人", "age_days": "账龄（天）", "waiting": "清账申请",
    }  # fmt: skip
    now = clock.now()
    return Sheet(headings, [
        vars(each) | {"name": HELD_NAMES[each.klass], "age_days": (now - each.since).days}
        for each in queries.suspense(by, merchant)
    ])  # fmt: skip


@reconciliation.command("clear")
@click.argument("difference", type=click.UUID)
@click.option("--charge", type=click.UUID, help="it is offset by what is held of this charge's payments")
@click.option("--refund", type=click.UUID, help="it is offset by what is held of this refund")
@click.option("--against", type=click.UUID, multiple=True, help="it is offset by this difference; may be repeated")
@because_option
@acting
def clear(
    by: Actor, *, difference: uuid.UUID, charge: uuid.UUID | None, refund: uuid.UUID | None,
    against: tuple[uuid.UUID, ...], because: str,
) -> Answer:  # fmt: skip
    """Ask that something in suspense is cleared (清账) against what offsets it; another person decides.

    Example: flask --app wsgi reconciliation clear 0197b5c8-… --against 0197b5c9-… --because 商户平台原路退回 --as wang
    """
    if sum(map(bool, (charge, refund, against))) != 1:
        raise click.UsageError("exactly one of --charge, --refund, --against")
    made = actions.clear(by, difference, actions.Against(charge, refund, against), because)
    return Note("清账已提交复核", key=made.key)


@reconciliation.command("clearings")
@click.option("--state", type=click.Choice(CLEARING_STATES), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_clearings(by: Actor, *, state: str | None, limit: int) -> Answer:
    """List what was asked to be cleared, the newest first.

    Example: flask --app wsgi reconciliation clearings --state waiting --as lin
    """
    headings = {
        "key": "编号", "target_name": "冲抵对象", "lines": "笔数", "fen": "金额（分）", "because": "原因",
        "made_by": "申请人", "made_at": "申请时间", "state": "状态", "decided_by": "复核人",
    }  # fmt: skip
    found = queries.clearings(by, state=state, limit=limit)
    return Sheet(headings, [vars(each) | {"target_name": TARGETS[each.target]} for each in found])


@reconciliation.command("accept-clearing")
@click.argument("clearing", type=click.UUID)
@because_option
@acting
def accept_clearing(by: Actor, *, clearing: uuid.UUID, because: str) -> Answer:
    """Agree to a clearing: its postings into suspense are reversed.

    Example: flask --app wsgi reconciliation accept-clearing 0197b5c8-… --because 凭证已核 --as lin
    """
    return Note("清账已同意", state=actions.accept_clearing(by, clearing, because).state)


@reconciliation.command("reject-clearing")
@click.argument("clearing", type=click.UUID)
@because_option
@acting
def reject_clearing(by: Actor, *, clearing: uuid.UUID, because: str) -> Answer:
    """Send a clearing back: all of it stays in suspense.

    Example: flask --app wsgi reconciliation reject-clearing 0197b5c8-… --because 请附凭证 --as lin
    """
    return Note("清账已退回", state=actions.reject_clearing(by, clearing, because).state)


@reconciliation.command("place")
@click.argument("difference", type=click.UUID)
@click.option("--charge", type=click.UUID, required=True, help="the open charge that it pays, of the very sum")
@because_option
@acting
def place(by: Actor, *, difference: uuid.UUID, charge: uuid.UUID, because: str) -> Answer:
    """Ask that a payment in suspense, of which only WeChat knows, pays an open charge; another person decides.

    Example: flask --app wsgi reconciliation place 0197b5c8-… --charge 0197b5c9-… --because 车主持支付凭证来函 --as wang
    """
    return Note("抵付已提交复核", key=actions.place(by, difference, charge, because).key)


@reconciliation.command("give-back")
@click.argument("difference", type=click.UUID)
@because_option
@acting
def give_back(by: Actor, *, difference: uuid.UUID, because: str) -> Answer:
    """Ask that a payment in suspense, of which only WeChat knows, goes back to whoever paid it; another person decides.

    Example: flask --app wsgi reconciliation give-back 0197b5c8-… --because 误付，付款人申请退回 --as wang
    """
    return Note("退回已提交复核", key=actions.give_back(by, difference, because).key)


@reconciliation.command("placements")
@click.option("--state", type=click.Choice(PLACEMENT_STATES), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_placements(by: Actor, *, state: str | None, limit: int) -> Answer:
    """List where stray payments were said to go, the newest first.

    Example: flask --app wsgi reconciliation placements --state waiting --as lin
    """
    headings = {
        "key": "编号", "difference": "挂账编号", "way_name": "处理方式", "charge": "费用编号",
        "amount_fen": "金额（分）", "because": "原因", "made_by": "申请人", "made_at": "申请时间", "state": "状态",
        "decided_by": "复核人",
    }  # fmt: skip
    found = queries.placements(by, state=state, limit=limit)
    return Sheet(headings, [vars(each) | {"way_name": WAYS[each.way]} for each in found])


@reconciliation.command("accept-placement")
@click.argument("placement", type=click.UUID)
@because_option
@acting
def accept_placement(by: Actor, *, placement: uuid.UUID, because: str) -> Answer:
    """Agree: WeChat is asked about the payment, and what it tells is done.

    Example: flask --app wsgi reconciliation accept-placement 0197b5c8-… --because 凭证已核 --as lin
    """
    return Note("已同意，待微信核实", state=actions.accept_placement(by, placement, because).state)


@reconciliation.command("reject-placement")
@click.argument("placement", type=click.UUID)
@because_option
@acting
def reject_placement(by: Actor, *, placement: uuid.UUID, because: str) -> Answer:
    """Do not agree: it stays in suspense.

    Example: flask --app wsgi reconciliation reject-placement 0197b5c8-… --because 请附凭证 --as lin
    """
    return Note("申请已退回", state=actions.reject_placement(by, placement, because).state)
