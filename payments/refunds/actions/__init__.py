"""What can be done with a refund: ask for it, decide, send it, learn of it; and what the law returns by itself."""

from payments.refunds.actions.ask import ask
from payments.refunds.actions.check import check_refund
from payments.refunds.actions.confirm import confirm_refund
from payments.refunds.actions.decide import approve, reject, stop
from payments.refunds.actions.give_back import give_back_due
from payments.refunds.actions.notices import apply_refund_notice
from payments.refunds.actions.pay_to_card import pay_to_card
from payments.refunds.actions.sweep import sweep
from payments.refunds.actions.treasury import file, record_paid, record_refusal

__all__ = [
    "apply_refund_notice", "approve", "ask", "check_refund", "confirm_refund", "file", "give_back_due", "pay_to_card",
    "record_paid", "record_refusal", "reject", "stop", "sweep",
]  # fmt: skip
