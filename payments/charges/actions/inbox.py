"""The inbox of verified notices: each by its id, once, sealed, with what came of it."""

from typing import Final, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.prepared import Prepared
from payments.charges.actions.cases import open_case
from payments.charges.models import CallbackInbox
from payments.wechat import Notice

CHANNEL = "wechat"


def is_known(notice: Notice) -> bool:
    """Whether a notice with this id took effect before."""
    return _KNOWN.first(notify_id=notice.id) is not None


def remember(notice: Notice, kind: str, outcome: str) -> None:
    """Keep a notice in the running transaction, with what came of it; one with its id may be there already."""
    _KEEP.run(
        notify_id=notice.id, kind=kind, event_type=notice.event_type, raw=_sealed(notice), verified_by=notice.serial,
        outcome=outcome, received_at=clock.now(),
    )  # fmt: skip


def unexpected(kind: str, notice: Notice) -> str:
    """An authentic notice that we cannot follow is for a person to see."""
    open_case(kind, f"notice:{notice.id}", 2, event_type=notice.event_type)
    return kind


def _sealed(notice: Notice) -> bytes:
    text = notice.plaintext.decode(errors="backslashreplace")
    return seal(text, f"callback_inbox.raw:{CHANNEL}:{notice.id}")


_INBOX: Final = cast("Table", CallbackInbox.__table__)
_KNOWN: Final = Prepared(
    select(_INBOX.c.received_at).where(_INBOX.c.channel == CHANNEL, _INBOX.c.notify_id == bindparam("notify_id"))
)
_NAMED: Final = ("notify_id", "kind", "event_type", "raw", "verified_by", "outcome", "received_at")
_KEEP: Final = Prepared(
    insert(_INBOX).values(channel=CHANNEL, **{name: bindparam(name) for name in _NAMED}).on_conflict_do_nothing()
)
