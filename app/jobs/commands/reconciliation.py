"""WeChat's bills, what differs from our books, and days that are signed off."""

import hashlib
import re
import uuid
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import click

from app.adapters.documents import Paper, rendered
from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, MONTH, PAPER, acting, for_me_alone, looking, named, noun, to_option
from app.jobs.sign_off_sheets import day_paper, month_paper
from app.kernel import clock, files
from payments.bank.actions import FORMATS
from payments.bank.rules.meanings import MEANING_STATES, MEANINGS
from payments.bills.queries import FUND_FLOW, TRADE
from payments.payees.models import Payee
from payments.reconciliation.queries import merchant as find_merchant
from payments.reconciliation.queries.suspense import SURPLUS
from payments.reconciliation.rules import CLASSES, CLEARING_STATES, PLACEMENT_STATES, STATES, TARGETS, WAYS

reconciliation = noun(
    "Reconciliation (对账): WeChat's bills against our books, day by day and merchant by merchant.",
    "reconciliation days --as wang",
    "reconciliation differences --merchant 1900000109 --day 2026-06-10 --as wang",
    "reconciliation explain 0197b5c8-0000-7000-8000-000000000000 --because 商户平台误收 --as wang",
    "reconciliation accept 0197b5c8-0000-7000-8000-000000000000 --because 同意挂账 --as lin",
    "reconciliation propose 1900000109 2026-06-10 --as wang",
    "reconciliation sign 1900000109 2026-06-10 --as lin",
    "reconciliation sheet 1900000109 2026-06-10 --pdf 日结单.pdf --as lin",
    "reconciliation export-bill 1900000109 2026-06-10 --to 交易账单.csv --as lin",
)


class PercentType(click.ParamType[int]):
    """`0.54`: percent with at most four decimals, as millionths."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if not re.fullmatch(r"\d{1,2}(\.\d{1,4})?", value):
            self.fail(f"{value} is no percentage such as 0.54", param, ctx)
        return int(Decimal(value).scaleb(4))


PERCENT = PercentType()
merchant_option = click.option("--merchant", help="only this sub-merchant (特约商户号)")
first_option = click.option("--first", type=DAY, help="the first day; else 30 days ago")
last_option = click.option("--last", type=DAY, help="the last day; else yesterday")
pdf_option = click.option(
    "--pdf", type=click.Path(dir_okay=False, path_type=Path), required=True, help="the file to write"
)
HELD_NAMES = {name: each.name for name, each in CLASSES.items()} | {SURPLUS: "重复支付，自动退回"}
because_option = click.option("--because", required=True, help="why, without personal data")


def _span(first: date | None, last: date | None) -> tuple[date, date]:
    today = clock.business_day(clock.now())
    return first or today - timedelta(days=30), last or today - timedelta(days=1)


@reconciliation.command("bills")
@merchant_option
@first_option
@last_option
@looking
def list_bills(by: Actor, *, merchant: str | None, first: date | None, last: date | None) -> Answer:
    """List every version of WeChat's bills, those that were refused too.

    Example: flask --app wsgi reconciliation bills --merchant 1900000109 --as wang
    """
    headings = {
        "day": "账单日", "sub_mchid": "特约商户号", "kind": "种类", "version": "版本", "state": "状态",
        "code": "拒收原因", "at_line": "行", "lines": "笔数", "paid_fen": "收入（分）", "refunded_fen": "支出（分）",
        "fee_fen": "手续费（分）", "fetched_at": "取得时间",
        "brought_by": "补录人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.bills(by, *_span(first, last), merchant)])


@reconciliation.command("days")
@merchant_option
@first_option
@last_option
@looking
def list_days(by: Actor, *, merchant: str | None, first: date | None, last: date | None) -> Answer:
    """List merchants' days: what the newest comparison counted, and who signed.

    Example: flask --app wsgi reconciliation days --first 2026-06-01 --as wang
    """
    headings = {
        "day": "账单日", "sub_mchid": "特约商户号", "theirs": "微信笔数", "theirs_fen": "微信金额（分）",
        "ours": "我方笔数", "ours_fen": "我方金额（分）", "matched": "相符笔数", "unexplained": "未说明差异",
        "proposed_by": "提请人", "signed_by": "复核人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.days(by, *_span(first, last), merchant)])


@reconciliation.command("compare")
@click.argument("merchant")
@click.argument("day", type=DAY)
@acting
def compare(by: Actor, *, merchant: str, day: date) -> Answer:
    """Compare a merchant's day anew with the newest bills.

    Example: flask --app wsgi reconciliation compare 1900000109 2026-06-10 --as wang
    """
    run = actions.compare(by, merchant, day)
    return Note("已核对", theirs=run.theirs, ours=run.ours, matched=run.matched)


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


@reconciliation.command("settlements")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_settlements(by: Actor, *, limit: int) -> Answer:
    """List what WeChat paid out to the payees' banks, and when it arrived.

    Example: flask --app wsgi reconciliation settlements --as wang
    """
    headings = {
        "day": "日期", "sub_mchid": "特约商户号", "flow_id": "资金流水号", "amount_fen": "金额（分）",
        "booked_on": "银行记账日", "by_reference": "按单号匹配",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.settlements(by, limit)])


@reconciliation.command("record-account")
@click.argument("payee")
@click.argument("account")
@click.option("--bank", required=True, help="开户银行")
@click.option("--since", type=DAY, required=True, help="the first day on which money is paid into it")
@click.option("--note", required=True, help="the document on which it rests")
@acting
def record_account(by: Actor, *, payee: str, account: str, bank: str, since: date, note: str) -> Answer:
    """Put an account (收款账户) of a payee (key or name) on record; another person confirms it.

    Example: flask --app wsgi reconciliation record-account 某区财政专户 5719… --bank 某银行 --since 2026-06-01 --note 财政局函12号 --as wang
    """  # noqa: E501
    made = actions.record_account(by, named(Payee, payee).key, account, bank, since, note)
    return Note("账户已登记，待确认", key=made.key)


@reconciliation.command("confirm-account")
@click.argument("account", type=click.UUID)
@acting
def confirm_account(by: Actor, *, account: uuid.UUID) -> Answer:
    """Confirm a recorded account: statements of it are taken from now on.

    Example: flask --app wsgi reconciliation confirm-account 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    return Note("账户已确认", since=actions.confirm_account(by, account).since)


@reconciliation.command("accounts")
@looking
def list_accounts(by: Actor) -> Answer:
    """List which accounts are on record, beside those with which enterprises were opened.

    Example: flask --app wsgi reconciliation accounts --as wang
    """
    headings = {
        "key": "编号", "payee": "收费主体", "account": "账号", "bank": "开户银行", "since": "起始日", "note": "依据",
        "recorded_by": "登记人", "confirmed_by": "确认人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.accounts(by)])


@reconciliation.command("import-statement")
@click.argument("merchant")
@click.argument("statement", type=PAPER)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), required=True, help="csv, or camt053 (ISO 20022)")
@click.option("--account", required=True, help="number of the account that it is of")
@acting
def import_statement(by: Actor, *, merchant: str, statement: files.Paper, form: str, account: str) -> Answer:
    """Import a bank statement (银行流水) of the payee behind a sub-merchant; its settlements are looked for in it.

    Example: flask --app wsgi reconciliation import-statement 1900000109 june.csv --format csv --account 5719… --as wang
    """
    payee_id = find_merchant(merchant).payee_id
    made = actions.import_statement(by, payee_id, form, account, statement.content)
    return Note("银行流水已导入", key=made.key, lines=made.lines, closing_fen=made.closing_fen)


@reconciliation.command("bank-lines")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_bank_lines(by: Actor, *, limit: int) -> Answer:
    """List lines of imported statements that nothing explains, the oldest first: whose, since when, and with whom.

    Example: flask --app wsgi reconciliation bank-lines --as wang
    """
    headings = {
        "statement": "流水编号", "line": "行", "payee": "收费主体", "account": "账号", "booked_on": "记账日",
        "amount_fen": "金额（分）", "owner": "责任人", "age_days": "账龄（天）", "waiting": "待复核说明",
    }  # fmt: skip
    today = clock.business_day(clock.now())
    found = queries.bank_lines(by, limit)
    return Sheet(headings, [vars(each) | {"age_days": (today - each.booked_on).days} for each in found])


@reconciliation.command("bank-balances")
@looking
def list_bank_balances(by: Actor) -> Answer:
    """List what payees' banks hold against the account `bank` of the books (余额调节); a gap is nobody's yet.

    Example: flask --app wsgi reconciliation bank-balances --as lin
    """
    headings = {
        "payee": "收费主体", "through": "流水截至", "opening_fen": "期初（分）", "closing_fen": "银行余额（分）",
        "ledger_fen": "账面（分）", "in_transit_fen": "在途（分）", "elsewhere_fen": "与平台无关（分）",
        "unexplained_fen": "未说明（分）", "gap_fen": "差额（分）",
    }  # fmt: skip
    return Sheet(headings, [vars(each) | {"gap_fen": each.gap_fen} for each in queries.bank_balances(by)])


@reconciliation.command("explain-line")
@click.argument("statement", type=click.UUID)
@click.argument("line", type=int)
@click.option("--is", "means", type=click.Choice(list(MEANINGS)), required=True, help="what it is")
@because_option
@acting
def explain_line(by: Actor, *, statement: uuid.UUID, line: int, means: str, because: str) -> Answer:
    """Say what a bank line is that nothing explains; another person decides.

    `fee_borne`: the unit paid in what WeChat kept of the treasury's money. `elsewhere`: not this platform's business.

    Example: flask --app wsgi reconciliation explain-line 0197b5c8-… 7 --is fee_borne --because 6月手续费补足 --as wang
    """
    return Note("流水说明已提交复核", key=actions.explain_line(by, statement, line, means, because).key)


@reconciliation.command("line-meanings")
@click.option("--state", type=click.Choice(MEANING_STATES), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_line_meanings(by: Actor, *, state: str | None, limit: int) -> Answer:
    """List what was said of bank lines, the newest first.

    Example: flask --app wsgi reconciliation line-meanings --state waiting --as lin
    """
    headings = {
        "key": "编号", "statement": "流水编号", "line": "行", "booked_on": "记账日", "amount_fen": "金额（分）",
        "meaning_name": "说明", "because": "原因", "made_by": "说明人", "state": "状态", "decided_by": "复核人",
    }  # fmt: skip
    found = queries.line_meanings(by, state=state, limit=limit)
    return Sheet(headings, [vars(each) | {"meaning_name": MEANINGS[each.meaning]} for each in found])


@reconciliation.command("accept-line")
@click.argument("meaning", type=click.UUID)
@because_option
@acting
def accept_line(by: Actor, *, meaning: uuid.UUID, because: str) -> Answer:
    """Agree what a bank line is: fees that the unit bore are posted.

    Example: flask --app wsgi reconciliation accept-line 0197b5c8-… --because 拨款单已核 --as lin
    """
    return Note("流水说明已同意", state=actions.accept_line(by, meaning, because).state)


@reconciliation.command("reject-line")
@click.argument("meaning", type=click.UUID)
@because_option
@acting
def reject_line(by: Actor, *, meaning: uuid.UUID, because: str) -> Answer:
    """Do not agree: nothing explains the line.

    Example: flask --app wsgi reconciliation reject-line 0197b5c8-… --because 请附拨款单 --as lin
    """
    return Note("流水说明已退回", state=actions.reject_line(by, meaning, because).state)


@reconciliation.command("propose")
@click.argument("merchant")
@click.argument("day", type=DAY)
@acting
def propose(by: Actor, *, merchant: str, day: date) -> Answer:
    """Say that a merchant's day is explained; another person signs it off.

    Example: flask --app wsgi reconciliation propose 1900000109 2026-06-10 --as wang
    """
    made = actions.propose(by, merchant, day)
    return Note("已提请日结", day=made.day, **_in_suspense(by, merchant))


@reconciliation.command("sign")
@click.argument("merchant")
@click.argument("day", type=DAY)
@acting
def sign(by: Actor, *, merchant: str, day: date) -> Answer:
    """Sign a merchant's day off: its fees and settlements are posted, and it takes no other bill.

    Example: flask --app wsgi reconciliation sign 1900000109 2026-06-10 --as lin
    """
    signed = actions.sign(by, merchant, day)
    return Note("已日结", key=signed.key, **_in_suspense(by, merchant))


def _in_suspense(by: Actor, merchant: str) -> dict[str, int]:
    """What the merchant still has in suspense, so that whoever closes a day sees what is old."""
    held, now = queries.suspense(by, merchant), clock.now()
    return {
        "suspense": len(held),
        "suspense_fen": sum(each.fen for each in held),
        "oldest_days": max(((now - each.since).days for each in held), default=0),
    }


@reconciliation.command("record-rate")
@click.argument("merchant")
@click.argument("percent", type=PERCENT)
@click.option("--since", type=DAY, required=True, help="the first day for which it holds")
@click.option("--note", required=True, help="the contract or notice on which it rests")
@acting
def record_rate(by: Actor, *, merchant: str, percent: int, since: date, note: str) -> Answer:
    """Record at which rate (约定费率) WeChat's fee was agreed; another person confirms it.

    Example: flask --app wsgi reconciliation record-rate 1900000109 0.54 --since 2026-06-01 --note 合同2026-17 --as wang
    """
    return Note("费率已登记，待确认", key=actions.record_rate(by, merchant, percent, since, note).key)


@reconciliation.command("confirm-rate")
@click.argument("rate", type=click.UUID)
@acting
def confirm_rate(by: Actor, *, rate: uuid.UUID) -> Answer:
    """Confirm a recorded rate: days that are compared from now on are held against it.

    Example: flask --app wsgi reconciliation confirm-rate 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    return Note("费率已确认", since=actions.confirm_rate(by, rate).since)


@reconciliation.command("rates")
@acting
def list_rates(by: Actor) -> Answer:
    """List which rates of WeChat's fee were agreed, by merchant.

    Example: flask --app wsgi reconciliation rates --as wang
    """
    headings = {
        "key": "编号", "sub_mchid": "特约商户号", "since": "起始日", "percent": "费率（%）", "note": "依据",
        "recorded_by": "登记人", "confirmed_by": "确认人",
    }  # fmt: skip
    rows = [vars(each) | {"percent": f"{Decimal(each.rate_ppm).scaleb(-4):f}"} for each in queries.rates(by)]
    return Sheet(headings, rows)


@reconciliation.command("export-bill")
@click.argument("merchant")
@click.argument("day", type=DAY)
@click.option("--kind", type=click.Choice([TRADE, FUND_FLOW]), default=TRADE, show_default=True)
@click.option("--version", type=int, help="as `reconciliation bills` tells it; else the newest that was loaded")
@to_option
@acting
def export_bill(by: Actor, *, merchant: str, day: date, kind: str, version: int | None, to: Path) -> Answer:
    """Write a bill as WeChat gave it, for an auditor: proven by its hashes, and written down.

    It names payers. The file is readable by you alone, and is there only when all of it was proven.

    Example: flask --app wsgi reconciliation export-bill 1900000109 2026-06-10 --to 交易账单.csv --as lin
    """
    with for_me_alone(to) as file:
        bill = actions.export_bill(by, merchant, day, kind, file, version)
    assert bill.sha256 is not None
    return Note(f"Written to {to}: version {bill.version}, {bill.lines} lines, SHA-256 {bill.sha256.hex()}.")


@reconciliation.command("load-bill")
@click.argument("merchant")
@click.argument("day", type=DAY)
@click.option("--kind", type=click.Choice([TRADE, FUND_FLOW]), default=TRADE, show_default=True)
@click.option("--file", type=click.File("rb"), help="the bill as the merchant platform gave it, gzipped or plain")
@click.option("--nothing", type=PAPER, help="proof that the platform has none: PDF, PNG or JPEG")
@because_option
@acting
def load_bill(
    by: Actor, *, merchant: str, day: date, kind: str, file: BinaryIO | None, nothing: files.Paper | None, because: str
) -> Answer:  # fmt: skip
    """Bring a bill that WeChat has no more (three months), as its merchant platform (商户平台) gave it.

    It is read and proven as every bill; another person than you signs the day off.

    Example: flask --app wsgi reconciliation load-bill 1900000109 2026-06-10 --file 交易账单.csv --because 微信已不提供 --as wang
    """  # noqa: E501
    if file is not None and nothing is None:
        bill = actions.load_bill(by, merchant, day, kind, file, because)
    elif nothing is not None and file is None:
        bill = actions.load_no_bill(by, merchant, day, kind, nothing, because)
    else:
        raise click.UsageError("exactly one of --file, --nothing")
    return Note("账单已补录，当日日结须由另一人复核", version=bill.version, lines=bill.lines)


@reconciliation.command("sheet")
@click.argument("merchant")
@click.argument("day", type=DAY)
@pdf_option
@acting
def sheet(by: Actor, *, merchant: str, day: date, pdf: Path) -> Answer:
    """Write the sign-off sheet (日结单) of a closed day: sums, differences, who closed it, and the audit anchor.

    Example: flask --app wsgi reconciliation sheet 1900000109 2026-06-10 --pdf 日结单.pdf --as lin
    """
    return _written(pdf, day_paper(actions.take_day_sheet(by, merchant, day)))


@reconciliation.command("month-sheet")
@click.argument("merchant")
@click.argument("month", type=MONTH)
@pdf_option
@acting
def month_sheet(by: Actor, *, merchant: str, month: date, pdf: Path) -> Answer:
    """Write the sheet (月结单) of a month whose days are all closed.

    Example: flask --app wsgi reconciliation month-sheet 1900000109 2026-06 --pdf 月结单.pdf --as lin
    """
    return _written(pdf, month_paper(actions.take_month_sheet(by, merchant, month)))


def _written(file: Path, paper: Paper) -> Answer:
    content = rendered(paper)
    file.write_bytes(content)
    return Note("已写出", file=str(file), sha256=hashlib.sha256(content).hexdigest())
