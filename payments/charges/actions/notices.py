"""A verified notice takes effect in one transaction: inbox row, payment, books, receipt, job."""

from collections.abc import Sequence

from app.kernel.db import transaction
from app.kernel.faults import fault_point
from payments.charges.actions.inbox import remember, unexpected
from payments.charges.actions.settle import settle
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
        remember(notice, "transaction" if _tells_of_payment(notice) else "unknown", _effect(notice))
        fault_point("notice.before_commit")
    fault_point("notice.after_commit")


def _tells_of_payment(notice: Notice) -> bool:
    return notice.event_type == SUCCESS and notice.original_type == "transaction"


def _effect(notice: Notice) -> str:
    if not _tells_of_payment(notice):
        return unexpected("unknown_event", notice)
    told = _transactions(notice)
    if not told:
        return unexpected("unreadable_notice", notice)
    paid = [each for each in told if each.trade_state in PAID_AT_WECHAT]
    if not paid:
        return unexpected("unexpected_trade_state", notice)
    return ",".join(sorted({settle(each, f"notice:{notice.id}") for each in paid}))


def _transactions(notice: Notice) -> Sequence[Transaction]:
    """The orders it tells of; none when an authentic notice cannot be read, which is for a person to see."""
    try:
        return notice.transactions()
    except NoticeRejected:
        return []
