"""What WeChat says of a refund becomes ours: the one path for answers, queries and notices alike."""

from collections.abc import Callable, Mapping

from app.kernel import audit, clock
from app.kernel.db import current
from app.kernel.faults import fault_point
from payments.charges.actions.cases import open_case
from payments.charges.models import Order, Payment
from payments.ledger.actions import post
from payments.payees.models import MerchantChannel
from payments.receipts.actions.request import amend
from payments.refunds.actions.moves import let_go, move
from payments.refunds.models import Refund
from payments.refunds.queries import refund_reference
from payments.refunds.rules import (
    EVENT_OF,
    REFUND,
    STATE_AFTER,
    Expected,
    abnormal_lines,
    discrepancies,
    next_check,
    recovered_lines,
    severity_of,
    succeeded_lines,
)
from payments.wechat import RefundSeen

Step = Callable[[Payment, Refund, RefundSeen, str], None]


def learn(payment: Payment, refund: Refund, seen: RefundSeen, cause: str) -> str:
    """Follow WeChat's word about a locked refund and say what came of it; the same word again changes nothing.

    What does not fit our refund moves no money and becomes a case, as does a word that contradicts an end.
    """
    wrong = discrepancies(_expected(payment, refund), _sub_mchid(refund), refund.refund_id, seen)
    if wrong:
        return _puzzle("refund_mismatch", refund, severity_of(wrong), fields=wrong)
    event = EVENT_OF.get(seen.status)
    if event is None:
        return _puzzle("refund_status_unknown", refund, 2)
    heard_before = refund.refund_id is not None
    refund.refund_id = seen.refund_id
    if _is_old_news(refund, event, heard_before=heard_before):
        return "known"
    if not REFUND.may(refund.state, event):
        return _puzzle("refund_contradicted", refund, 1, ours=refund.state, theirs=seen.status)
    STEPS[event](payment, refund, seen, cause)
    fault_point("refund.after_move")
    audit.record(f"refund.{event}", "refund", refund.id, cause)
    return refund.state


def _expected(payment: Payment, refund: Refund) -> Expected:
    order = current().get_one(Order, payment.order_id)
    return Expected(
        refund.out_refund_no, payment.transaction_id, order.out_trade_no, refund.amount_fen, order.amount_fen
    )


def _sub_mchid(refund: Refund) -> str:
    return current().get_one(MerchantChannel, refund.channel_id).sub_mchid


def _is_old_news(refund: Refund, event: str, *, heard_before: bool) -> bool:
    """That WeChat accepts what we gave up before it ever spoke of it is no old news: money is about to go."""
    accepted_before = heard_before and refund.state in {"success", "closed", "abnormal"}
    return refund.state == STATE_AFTER[event] or (event == "accept" and accepted_before)


def _puzzle(kind: str, refund: Refund, severity: int, **detail: object) -> str:
    """A person decides: WeChat is not asked again until then."""
    open_case(kind, refund_reference(refund), severity, refund_id=refund.id, **detail)
    refund.next_check_at = None
    return kind


def _accept(_: Payment, refund: Refund, __: RefundSeen, cause: str) -> None:
    move(refund, "accept", cause, next_check_at=next_check("processing", 0, clock.now()), checks=0)


def _succeed(_: Payment, refund: Refund, seen: RefundSeen, cause: str) -> None:
    held = refund.state == "abnormal"
    move(refund, "succeed", cause, next_check_at=None)
    kind, lines = ("refund_recovered", recovered_lines) if held else ("refund_success", succeeded_lines)
    at = seen.success_time or clock.now()
    post(kind, refund_reference(refund), refund.payee_id, at, lines(refund.amount_fen))
    amend([refund.charge_id])


def _close(payment: Payment, refund: Refund, _: RefundSeen, cause: str) -> None:
    let_go(payment, refund, "close", cause)
    open_case("refund_closed", refund_reference(refund), 3, refund_id=refund.id)


def _fail(_: Payment, refund: Refund, __: RefundSeen, cause: str) -> None:
    now = clock.now()
    move(refund, "fail", cause, next_check_at=next_check("abnormal", 0, now))
    post("refund_abnormal", refund_reference(refund), refund.payee_id, now, abnormal_lines(refund.amount_fen))
    open_case("refund_abnormal", refund_reference(refund), 2, refund_id=refund.id)


STEPS: Mapping[str, Step] = {"accept": _accept, "succeed": _succeed, "close": _close, "fail": _fail}
