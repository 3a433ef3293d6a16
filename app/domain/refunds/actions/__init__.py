"""What people do with refunds, and what motorists hear of them."""

from app.domain.refunds.actions.ask import ask
from app.domain.refunds.actions.decide import approve, reject, stop
from app.domain.refunds.actions.give_back import give_back
from app.domain.refunds.actions.pay_to_card import card_of, pay_to_card
from app.domain.refunds.actions.tell import tell_forgotten, tell_of
from app.domain.refunds.actions.treasury import file, record_paid, record_refusal

__all__ = [
    "approve", "ask", "card_of", "file", "give_back", "pay_to_card", "record_paid", "record_refusal", "reject", "stop",
    "tell_forgotten", "tell_of",
]  # fmt: skip
