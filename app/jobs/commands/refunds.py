"""Money that goes back to motorists: asked for, decided, followed."""

import uuid
from pathlib import Path

import click

from app.domain.refunds import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, because_option, looking, noun
from app.wiring import wiring
from payments.refunds.rules import REFUND_STATES, STAFF_REASONS, WAYS

refunds = noun(
    "Refunds (退款): asked for by one person, above a limit decided by another, carried out by WeChat.",
    "refunds payments 0197b5c8-0000-7000-8000-000000000000 --as wang",
    "refunds ask 0197b5c8-0000-7000-8000-000000000000 --fen 300 --reason overpaid --basis 出口道闸离线 --as wang",
    "refunds list --state requested --as lin",
    "refunds approve 0197b5c8-0000-7000-8000-000000000000 --because 已核对过车记录 --as lin",
)


@refunds.command("payments")
@click.argument("stay", type=click.UUID)
@looking
def list_payments(by: Actor, stay: uuid.UUID) -> Answer:
    """List what was paid for a stay (its key), and how much of it may still go back.

    Example: flask --app wsgi refunds payments 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    headings = {
        "key": "支付编号", "payee": "收费主体", "paid_at": "支付时间", "paid_fen": "支付（分）",
        "refundable_fen": "可退（分）", "surplus": "重复支付",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in queries.payments(by, stay)])


@refunds.command("ask")
@click.argument("payment", type=click.UUID)
@click.option("--fen", type=int, required=True, help="how much goes back, in fen")
@click.option("--reason", type=click.Choice(list(STAFF_REASONS)), required=True, help="why, from the list")
@click.option("--basis", required=True, help="on what this rests, in a sentence without personal data")
@acting
def ask(by: Actor, payment: uuid.UUID, fen: int, reason: str, basis: str) -> Answer:
    """Ask that a part of a payment (its key) goes back; above the limit another person decides.

    Example: flask --app wsgi refunds ask 0197b5c8-… --fen 300 --reason overpaid --basis 出口道闸离线 --as wang
    """
    asked = actions.ask(by, payment, fen, reason, basis)
    return Note("退款已提出" if asked.state == "requested" else "退款已受理", key=asked.key, state=asked.state)


@refunds.command("approve")
@click.argument("refund", type=click.UUID)
@because_option
@acting
def approve(by: Actor, refund: uuid.UUID, because: str) -> Answer:
    """Let a refund that somebody else asked for go to WeChat.

    Example: flask --app wsgi refunds approve 0197b5c8-… --because 已核对过车记录 --as lin
    """
    return Note("退款已同意", state=actions.approve(by, refund, because).state)


@refunds.command("reject")
@click.argument("refund", type=click.UUID)
@because_option
@acting
def reject(by: Actor, refund: uuid.UUID, because: str) -> Answer:
    """Keep the money where it is; the motorist is told.

    Example: flask --app wsgi refunds reject 0197b5c8-… --because 计费无误 --as lin
    """
    return Note("退款未同意", state=actions.reject(by, refund, because).state)


@refunds.command("stop")
@click.argument("refund", type=click.UUID)
@because_option
@acting
def stop(by: Actor, refund: uuid.UUID, because: str) -> Answer:
    """Give up a refund that WeChat does not take; it ends once WeChat signs that it has none.

    Example: flask --app wsgi refunds stop 0197b5c8-… --because 用户账户已注销 --as lin
    """
    return Note("退款将终止", state=actions.stop(by, refund, because).state)


@refunds.command("pay-to-card")
@click.argument("refund", type=click.UUID)
@click.option("--bank-type", required=True, help="WeChat's code of the bank and kind of card, such as ICBC_DEBIT")
@click.option(
    "--card-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="file with the card's number and, on the next line, its holder; else the terminal asks, unseen",
)  # fmt: skip
@click.option("--because", required=True, help="why to this card, without personal data")
@acting
def pay_to_card(by: Actor, refund: uuid.UUID, bank_type: str, card_file: Path | None, because: str) -> Answer:
    """Have WeChat pay a refund that it could not give back (abnormal) to a card of its motorist; it is kept nowhere.

    Example: flask --app wsgi refunds pay-to-card 0197b5c8-… --bank-type ICBC_DEBIT --because 原卡已注销 --as lin
    """
    card = actions.card_of(bank_type, *_number_and_holder(card_file))
    return Note("异常退款已提交微信支付", state=actions.pay_to_card(by, refund, card, because, wiring().pay).state)


def _number_and_holder(file: Path | None) -> tuple[str, str]:
    if file is None:
        number, holder = (click.prompt(each, hide_input=True, err=True) for each in ("银行卡号", "开户姓名"))
    else:
        number, holder = (*file.read_text().splitlines(), "", "")[:2]
    return number, holder


@refunds.command("file")
@click.argument("refund", type=click.UUID)
@click.option("--document", required=True, help="number of the application to the finance bureau (退付申请书号)")
@acting
def file(by: Actor, refund: uuid.UUID, document: str) -> Answer:
    """Say that a refund of remitted money was filed with the finance bureau (退付).

    Example: flask --app wsgi refunds file 0197b5c8-… --document 退付2026-0012 --as wang
    """
    return Note("退付已报送财政", state=actions.file(by, refund, document).state)


@refunds.command("record-paid")
@click.argument("refund", type=click.UUID)
@click.option("--voucher", required=True, help="number of the treasury's voucher (退付凭证号)")
@acting
def record_paid(by: Actor, refund: uuid.UUID, voucher: str) -> Answer:
    """Say that the treasury has paid a refund back; it is posted, and the motorist told.

    Example: flask --app wsgi refunds record-paid 0197b5c8-… --voucher 凭证0007 --as lin
    """
    return Note("财政已退付", state=actions.record_paid(by, refund, voucher).state)


@refunds.command("record-refusal")
@click.argument("refund", type=click.UUID)
@click.option("--because", required=True, help="why the finance bureau does not pay, without personal data")
@acting
def record_refusal(by: Actor, refund: uuid.UUID, because: str) -> Answer:
    """Say that the treasury does not pay a refund back: its money stays where it is.

    Example: flask --app wsgi refunds record-refusal 0197b5c8-… --because 材料不全 --as lin
    """
    return Note("财政未予退付", state=actions.record_refusal(by, refund, because).state)


@refunds.command("list")
@click.option("--state", type=click.Choice(REFUND_STATES), help="only those in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True, help="rows at most")
@looking
def list_refunds(by: Actor, state: str | None, limit: int) -> Answer:
    """List refunds of the lots within one's reach, the newest first.

    Example: flask --app wsgi refunds list --state abnormal --as lin
    """
    headings = {
        "key": "编号", "lot": "停车场", "amount_fen": "退款（分）", "paid_fen": "支付（分）", "reason_text": "原因",
        "basis": "依据", "way_text": "途径", "state": "状态", "asked_by": "申请人",
        "asked_at": "申请时间", "moved_at": "更新时间",
    }  # fmt: skip
    return Sheet(
        headings,
        [vars(each) | {"way_text": WAYS[each.way]} for each in queries.refunds_within(by, state=state, limit=limit)],
    )


@refunds.command("show")
@click.argument("refund", type=click.UUID)
@looking
def show(by: Actor, refund: uuid.UUID) -> Answer:
    """Show one refund with each step.

    Example: flask --app wsgi refunds show 0197b5c8-0000-7000-8000-000000000000 --as lin --json
    """
    seen, steps = queries.one_refund(by, refund)
    return Note("退款", **vars(seen), steps=steps)
