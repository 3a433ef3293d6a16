"""A payee's bank: accounts on record, statements, and what their lines are."""

import uuid
from datetime import date

import click

from app.domain.reconciliation import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import DAY, PAPER, acting, because_option, looking, named
from app.jobs.commands.reconciliation.group import reconciliation
from app.kernel import clock, files
from payments.bank.actions import FORMATS
from payments.bank.rules.meanings import MEANING_STATES, MEANINGS
from payments.payees.models import Payee
from payments.reconciliation.queries import merchant as find_merchant


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
