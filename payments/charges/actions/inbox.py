"""The inbox of verified notices: each by its id, once, sealed, with what came of it."""

from sqlalchemy.dialects.postgresql import insert

from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.db import current
from payments.charges.actions.cases import open_case
from payments.charges.models import CallbackInbox
from payments.wechat import Notice

CHANNEL = "wechat"


def is_new(notice: Notice, kind: str) -> bool:
    """Keep a notice in the running transaction; says no when one with its id is there."""
    row = insert(CallbackInbox).values(
        channel=CHANNEL, notify_id=notice.id, kind=kind, event_type=notice.event_type, raw=_sealed(notice),
        verified_by=notice.serial, outcome="received", received_at=clock.now(),
    )  # fmt: skip
    return current().scalar(row.on_conflict_do_nothing().returning(CallbackInbox.notify_id)) is not None


def remember(notice: Notice, outcome: str) -> None:
    """Write down what came of a notice."""
    current().get_one(CallbackInbox, (CHANNEL, notice.id)).outcome = outcome


def unexpected(kind: str, notice: Notice) -> str:
    """An authentic notice that we cannot follow is for a person to see."""
    open_case(kind, f"notice:{notice.id}", 2, event_type=notice.event_type)
    return kind


def _sealed(notice: Notice) -> bytes:
    text = notice.plaintext.decode(errors="backslashreplace")
    return seal(text, f"callback_inbox.raw:{CHANNEL}:{notice.id}")
