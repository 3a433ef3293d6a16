"""A verified notice takes effect in one transaction: inbox row, payment, books, receipt, job."""

from collections.abc import Sequence

from app.kernel.db import transaction
from app.kernel.faults import fault_point
from payments.charges.actions.inbox import remember, unexpected
from payments.charges.actions.settle import OF_PAYMENT, settle
from payments.charges.rules import PAID_AT_WECHAT
from payments.wechat import Notice, NoticeRejected, Transaction

SUCCESS = "TRANSACTION.SUCCESS"


def apply_notice(notice: Notice) -> None:
    """Let a verified notice take effect exactly once, however often and under whatever ids it comes.

    When it returns, everything is committed and WeChat may be answered 200. A wrong but authentic notice, or
    one of an unknown kind, moves no money and leaves a case (WeChat Pay v3: partner/4012085801). Whether a notice
    came before is not asked: a paid order says so itself, and a case is opened once.
    """
    with transaction():
        _take(notice)
        fault_point("notice.before_commit")
    fault_point("notice.after_commit")


def _take(notice: Notice) -> None:
    if notice.event_type != SUCCESS or notice.original_type != OF_PAYMENT:
        remember(notice, "unknown", unexpected("unknown_event", notice))
        return
    told = _transactions(notice)
    if not told:
        remember(notice, OF_PAYMENT, unexpected("unreadable_notice", notice))
        return
    paid = [each for each in told if each.trade_state in PAID_AT_WECHAT]
    if not paid:
        remember(notice, OF_PAYMENT, unexpected("unexpected_trade_state", notice))
        return
    _settle(paid, notice)


def _settle(paid: Sequence[Transaction], notice: Notice) -> None:
    """A notice of one payment, as nearly all are, is kept by the statement that enters the payment."""
    cause = f"notice:{notice.id}"
    if len(paid) == 1:
        settle(paid[0], cause, notice)
    else:
        remember(notice, OF_PAYMENT, ",".join(sorted({settle(each, cause) for each in paid})))


def _transactions(notice: Notice) -> Sequence[Transaction]:
    """The orders it tells of; none when an authentic notice cannot be read, which is for a person to see."""
    try:
        return notice.transactions()
    except NoticeRejected:
        return []
