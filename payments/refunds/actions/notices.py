"""A verified refund notice takes effect in one transaction: inbox row, refund, books, job."""

from sqlalchemy import select

from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from payments.charges.actions.cases import open_case
from payments.charges.actions.inbox import is_known, remember, unexpected
from payments.refunds.actions.learn import learn
from payments.refunds.actions.locks import lock_refund_by_id
from payments.refunds.models import Refund
from payments.wechat import Notice, NoticeRejected, RefundSeen

EVENTS = frozenset({"REFUND.SUCCESS", "REFUND.CLOSED", "REFUND.ABNORMAL"})


def apply_refund_notice(notice: Notice) -> None:
    """Let a verified notice of a refund take effect exactly once, however often and under whatever ids it comes.

    When it returns, everything is committed and WeChat may be answered 200. What is authentic but not ours, or
    unreadable, moves no money and leaves a case (WeChat Pay v3: partner/4012791906).
    """
    with transaction():
        if is_known(notice):
            return  # an old word would contradict what WeChat said since
        remember(notice, "refund" if _tells_of_refund(notice) else "unknown", _effect(notice))
        fault_point("refund.before_commit")
    fault_point("refund.after_commit")


def _tells_of_refund(notice: Notice) -> bool:
    return notice.event_type in EVENTS and notice.original_type == "refund"


def _effect(notice: Notice) -> str:
    if not _tells_of_refund(notice):
        return unexpected("unknown_event", notice)
    seen = _seen(notice)
    if seen is None:
        return unexpected("unreadable_notice", notice)
    refund_id = current().scalar(select(Refund.id).filter_by(out_refund_no=seen.out_refund_no))
    if refund_id is None:
        open_case("unknown_refund", f"{seen.out_refund_no}:{seen.refund_id}", 2, status=seen.status)
        return "unknown_refund"
    payment, refund = lock_refund_by_id(refund_id)
    if is_known(notice):
        return "known"  # its twin came first, and perhaps a later word after it
    return learn(payment, refund, seen, f"notice:{notice.id}")


def _seen(notice: Notice) -> RefundSeen | None:
    """The refund it tells of; none when an authentic notice cannot be read, which is for a person to see."""
    try:
        return notice.refund()
    except NoticeRejected:
        return None
