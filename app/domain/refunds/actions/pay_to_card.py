"""What WeChat could not give back goes to another card of its motorist."""

import uuid

from app.domain.refunds.queries import origin_of_refund
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction
from app.kernel.refusals import Invalid
from payments.refunds import actions as refunds
from payments.refunds.models import Refund
from payments.wechat import BankCard, WeChatPay


class CardUnfit(Invalid):
    """A card has WeChat's code of its bank (ICBC_DEBIT), 8 to 30 digits, and a holder."""

    code = "card_unfit"
    message = "请填写银行类型（如 ICBC_DEBIT）、8至30位卡号和开户姓名"


def pay_to_card(by: Actor, refund_key: uuid.UUID, card: BankCard, because: str, pay: WeChatPay) -> Refund:
    """Have WeChat pay an abnormal refund to a card, which rests nowhere. Outside any transaction.

    Refuses as `payments.refunds.actions.pay_to_card` does.
    """
    with transaction():
        permit(by, "refunds.pay_to_card", origin_of_refund(refund_key).place)
    return refunds.pay_to_card(refund_key, card, pay, by.label, because)


def card_of(bank_type: str, account: str, holder: str) -> BankCard:
    """The card that somebody names. Refuses `CardUnfit`, which repeats nothing of it."""
    try:
        return BankCard(bank_type.strip(), account.strip().replace(" ", ""), holder.strip())
    except ValueError:
        raise CardUnfit from None
