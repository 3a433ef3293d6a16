"""What is due to the treasuries: gathered, decided by another person, paid in, receipted."""

import uuid
from datetime import date
from pathlib import Path

import click

from app.domain.remittance import actions, queries
from app.domain.remittance.rules import STATES
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import (
    DAY,
    KEPT,
    PAPER,
    acting,
    because_option,
    looking,
    named,
    noun,
    to_option,
    written_out,
)
from app.kernel.files import Paper
from payments.payees.models import Payee
from payments.remittance.queries import PAGE

remittance = noun(
    "Remittance (上缴): what is due to each treasury, in batches of signed-off days, gross of every fee.",
    "remittance due --as wang",
    "remittance propose 某区机关事务中心 --because 6月上旬 --as wang",
    "remittance approve 0197b5c8-0000-7000-8000-000000000000 --because 已核对 --as lin",
    "remittance send 0197b5c8-0000-7000-8000-000000000000 --document 33010620260610000001 --because 已缴 --as wang",
    "remittance receive 0197b5c8-… --receipt 回单0042 --on 2026-06-12 --fen 128000 --because 国库回单 --as lin",
    "remittance list --state sent --as wang",
)


@remittance.command("due")
@looking
def list_due(by: Actor) -> Answer:
    """List what each payee owes its treasury, and how much of it may be remitted now.

    Example: flask --app wsgi remittance due --as wang
    """
    headings = {
        "payee": "收费主体", "treasury_target": "上缴账户", "item_code": "项目编码", "due_fen": "应缴未缴（分）",
        "ready_fen": "可上缴（分）", "oldest": "最早入账日", "through": "已日结至",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.dues(by)])


@remittance.command("list")
@click.option("--state", type=click.Choice(list(STATES)), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=PAGE, show_default=True, help="rows at most")
@looking
def list_batches(by: Actor, state: str | None, limit: int) -> Answer:
    """List remittances of the payees within one's reach, the newest first.

    Example: flask --app wsgi remittance list --state sent --as wang
    """
    headings = {
        "key": "编号", "payee": "收费主体", "treasury_target": "上缴账户", "item_code": "项目编码", "first": "起始日",
        "last": "截止日", "left_out": "其间未含", "lines": "笔数", "amount_fen": "金额（分）", "state_text": "状态",
        "document_number": "缴款书号", "left_on": "出账日", "received_on": "到账日", "made_by": "制单人",
    }  # fmt: skip
    found = queries.batches(by, state=state, limit=limit)
    return Sheet(headings, [vars(each) | {"state_text": STATES[each.state]} for each in found])


@remittance.command("show")
@click.argument("batch", type=click.UUID)
@looking
def show(by: Actor, batch: uuid.UUID) -> Answer:
    """Show a remittance, and who took each of its steps, when and why.

    Example: flask --app wsgi remittance show 0197b5c8-0000-7000-8000-000000000000 --as lin --json
    """
    seen, steps = queries.one_batch(by, batch)
    told = [{"state": each.state, "by": each.by, "at": each.at, "because": each.because} for each in steps]
    return Note("上缴批次", **vars(seen), steps=told)


@remittance.command("papers")
@click.option("--limit", type=click.IntRange(1, 10_000), default=PAGE, show_default=True, help="rows at most")
@looking
def list_papers(by: Actor, limit: int) -> Answer:
    """List the papers by which banks gave remittances back (退汇) and treasuries refused them, the newest first.

    Example: flask --app wsgi remittance papers --as wang
    """
    headings = {
        "batch": "上缴批次", "payee": "收费主体", "kind": "凭证", "number": "凭证号", "on": "凭证日期",
        "amount_fen": "金额（分）", **KEPT,
    }  # fmt: skip
    return Sheet(headings, [vars(each) | vars(each.file) for each in queries.papers(by, limit)])


@remittance.command("take-paper")
@click.argument("batch", type=click.UUID)
@to_option
@acting
def take_paper(by: Actor, batch: uuid.UUID, to: Path) -> Answer:
    """Write the paper by which a remittance (its key) came to nothing to a file that you alone can read; it is written down.

    Example: flask --app wsgi remittance take-paper 0197b5c8-0000-7000-8000-000000000000 --to 退汇.pdf --as lin
    """  # noqa: E501
    return written_out(actions.take_paper(by, batch), to)


@remittance.command("propose")
@click.argument("payee")
@because_option
@acting
def propose(by: Actor, payee: str, because: str) -> Answer:
    """Gather all that a payee (key or name) owes its treasury of signed-off days; another person decides.

    Example: flask --app wsgi remittance propose 某区机关事务中心 --because 6月上旬 --as wang
    """
    made = actions.propose(by, named(Payee, payee).key, because)
    return Note("上缴批次已提交复核", key=made.key, lines=made.lines, amount_fen=made.amount_fen)


@remittance.command("approve")
@click.argument("batch", type=click.UUID)
@because_option
@acting
def approve(by: Actor, batch: uuid.UUID, because: str) -> Answer:
    """Agree with another's batch; from now on a refund of its money goes the treasury's way (退付).

    Example: flask --app wsgi remittance approve 0197b5c8-… --because 已核对 --as lin
    """
    return Note("上缴批次已复核", state=actions.approve(by, batch, because).state)


@remittance.command("send-back")
@click.argument("batch", type=click.UUID)
@because_option
@acting
def send_back(by: Actor, batch: uuid.UUID, because: str) -> Answer:
    """Do not agree with another's batch: what it held is due again.

    Example: flask --app wsgi remittance send-back 0197b5c8-… --because 请核对10日差异 --as lin
    """
    return Note("上缴批次已退回", state=actions.send_back(by, batch, because).state)


@remittance.command("withdraw")
@click.argument("batch", type=click.UUID)
@because_option
@acting
def withdraw(by: Actor, batch: uuid.UUID, because: str) -> Answer:
    """Take one's own batch back before another decides on it.

    Example: flask --app wsgi remittance withdraw 0197b5c8-… --because 待并入次日 --as wang
    """
    return Note("上缴批次已撤回", state=actions.withdraw(by, batch, because).state)


@remittance.command("refuse")
@click.argument("batch", type=click.UUID)
@click.option("--paper-number", "number", required=True, help="number of the treasury's paper (不予受理凭证)")
@click.option("--on", "refused_on", type=DAY, required=True, help="the paper's day")
@click.option("--file", "paper", type=PAPER, required=True, help="the treasury's paper: PDF, PNG or JPEG")
@because_option
@acting
def refuse(by: Actor, batch: uuid.UUID, *, number: str, refused_on: date, paper: Paper, because: str) -> Answer:
    """Write down that the treasury does not take an approved batch: what it held is due again, in another batch.

    Example: flask --app wsgi remittance refuse 0197b5c8-… --paper-number 退单0007 --on 2026-06-12 --file 退单.pdf --because 项目编码已停用 --as lin
    """  # noqa: E501
    return Note("财政未受理，款项须重新上缴", state=actions.refuse(by, batch, number, refused_on, paper, because).state)


@remittance.command("send")
@click.argument("batch", type=click.UUID)
@click.option("--document", required=True, help="number of the payment-in document (缴款书号)")
@because_option
@acting
def send(by: Actor, batch: uuid.UUID, document: str, because: str) -> Answer:
    """Say that an approved batch was paid in under a payment-in document; it is posted.

    Example: flask --app wsgi remittance send 0197b5c8-… --document 33010620260610000001 --because 已缴 --as wang
    """
    return Note("上缴已报送", state=actions.send(by, batch, document, because).state)


@remittance.command("receive")
@click.argument("batch", type=click.UUID)
@click.option("--receipt", required=True, help="number of the treasury's receipt (回单)")
@click.option("--on", "received_on", type=DAY, required=True, help="the day on which the treasury had it")
@click.option("--fen", type=int, required=True, help="the receipt's sum in fen: that of the batch, exactly")
@because_option
@acting
def receive(by: Actor, batch: uuid.UUID, receipt: str, received_on: date, fen: int, because: str) -> Answer:
    """Write down the treasury's receipt; a bank statement that names the document shows only that the money left.

    Example: flask --app wsgi remittance receive 0197b5c8-… --receipt 回单0042 --on 2026-06-12 --fen 128000 --because 国库回单 --as lin
    """  # noqa: E501
    return Note("上缴已到账", state=actions.receive(by, batch, receipt, received_on, fen, because).state)


@remittance.command("bounce")
@click.argument("batch", type=click.UUID)
@click.option("--paper-number", "number", required=True, help="number of the bank's paper (退汇凭证)")
@click.option("--on", "returned_on", type=DAY, required=True, help="the day on which the payee's bank had it back")
@click.option("--fen", type=int, required=True, help="the sum that came back in fen: that of the batch, exactly")
@click.option("--file", "paper", type=PAPER, required=True, help="the bank's paper: PDF, PNG or JPEG")
@because_option
@acting
def bounce(
    by: Actor, batch: uuid.UUID, *, number: str, returned_on: date, fen: int, paper: Paper, because: str
) -> Answer:  # fmt: skip
    """Write down that the bank gave a batch back: what it held is due again, for another batch and document.

    Example: flask --app wsgi remittance bounce 0197b5c8-… --paper-number 退汇0042 --on 2026-06-12 --fen 128000 --file 退汇.pdf --because 账号有误 --as lin
    """  # noqa: E501
    return Note(
        "上缴已退汇，款项须重新上缴", state=actions.bounce(by, batch, number, returned_on, fen, paper, because).state
    )
