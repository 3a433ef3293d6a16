"""A verified notice takes effect in one transaction: inbox row, payment, books, receipt, job."""

from sqlalchemy.dialects.postgresql import insert

from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from payments.charges.actions.cases import open_case
from payments.charges.actions.settle import settle
from payments.charges.models import CallbackInbox
from payments.charges.rules import PAID_AT_WECHAT
from payments.wechat import Notice, NoticeRejected, Transaction

CHANNEL = "wechat"
SUCCESS = "TRANSACTION.SUCCESS"


def apply_notice(notice: Notice) -> None:
    """Let a verified notice take effect exactly once, however often and under whatever ids it comes.

    When it returns, everything is committed and WeChat may be answered 200. A wrong but authentic notice, or
    one of an unknown kind, moves no money and leaves a case (WeChat Pay v3: partner/4012085801).
    """
    with transaction():
        if _is_new(notice):
            fault_point("notice.after_inbox")
            _remember(notice, _effect(notice))
            fault_point("notice.before_commit")
    fault_point("notice.after_commit")


def _is_new(notice: Notice) -> bool:
    row = insert(CallbackInbox).values(
        channel=CHANNEL, notify_id=notice.id, kind="transaction" if _tells_of_payment(notice) else "unknown",
        event_type=notice.event_type, raw=_sealed(notice), verified_by=notice.serial,
        outcome="received", received_at=clock.now(),
    )  # fmt: skip
    return current().scalar(row.on_conflict_do_nothing().returning(CallbackInbox.notify_id)) is not None


def _sealed(notice: Notice) -> bytes:
    text = notice.plaintext.decode(errors="backslashreplace")
    return seal(text, f"callback_inbox.raw:{CHANNEL}:{notice.id}")


def _tells_of_payment(notice: Notice) -> bool:
    return notice.event_type == SUCCESS and notice.original_type == "transaction"


def _effect(notice: Notice) -> str:
    if not _tells_of_payment(notice):
        return _unexpected("unknown_event", notice)
    paid = _transaction(notice)
    if paid is None:
        return _unexpected("unreadable_notice", notice)
    if paid.trade_state not in PAID_AT_WECHAT:
        return _unexpected("unexpected_trade_state", notice)
    return settle(paid, f"notice:{notice.id}")


def _transaction(notice: Notice) -> Transaction | None:
    """The order it tells of; none when an authentic notice cannot be read, which is for a person to see."""
    try:
        return notice.transaction()
    except NoticeRejected:
        return None


def _unexpected(kind: str, notice: Notice) -> str:
    open_case(kind, f"notice:{notice.id}", 2, event_type=notice.event_type)
    return kind


def _remember(notice: Notice, outcome: str) -> None:
    current().get_one(CallbackInbox, (CHANNEL, notice.id)).outcome = outcome
