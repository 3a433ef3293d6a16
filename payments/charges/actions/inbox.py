"""The inbox of verified notices: each by its id, once, sealed, with what came of it."""

from typing import Final, cast

from sqlalchemy import Interval, Table, bindparam, func, update
from sqlalchemy.dialects.postgresql import insert

from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.prepared import Prepared
from payments.charges.actions.cases import open_case
from payments.charges.models import CallbackInbox
from payments.wechat import Notice

CHANNEL = "wechat"


def is_new(notice: Notice, kind: str) -> bool:
    """Keep a notice in the running transaction, whose moment this is; says no when one with its id is there."""
    at = _KEEP.value(
        notify_id=notice.id, kind=kind, event_type=notice.event_type, raw=_sealed(notice), verified_by=notice.serial,
        offset=clock.offset(),
    )  # fmt: skip
    if at is None:
        return False
    clock.brought(at)
    return True


def remember(notice: Notice, outcome: str) -> None:
    """Write down what came of a notice."""
    _REMEMBER.run(notify_id=notice.id, outcome=outcome)


def unexpected(kind: str, notice: Notice) -> str:
    """An authentic notice that we cannot follow is for a person to see."""
    open_case(kind, f"notice:{notice.id}", 2, event_type=notice.event_type)
    return kind


def _sealed(notice: Notice) -> bytes:
    text = notice.plaintext.decode(errors="backslashreplace")
    return seal(text, f"callback_inbox.raw:{CHANNEL}:{notice.id}")


_INBOX: Final = cast("Table", CallbackInbox.__table__)
_NAMED: Final = ("notify_id", "kind", "event_type", "raw", "verified_by")
_OFFSET: Final = bindparam("offset", type_=Interval)
_KEEP: Final = Prepared(
    insert(_INBOX)
    .values(channel=CHANNEL, outcome="received", **{name: bindparam(name) for name in _NAMED})
    .values(received_at=func.clock_timestamp() + _OFFSET)
    .on_conflict_do_nothing()
    .returning(_INBOX.c.received_at - _OFFSET)
)
_REMEMBER: Final = Prepared(
    update(_INBOX)
    .where(_INBOX.c.channel == CHANNEL, _INBOX.c.notify_id == bindparam("notify_id"))
    .values(outcome=bindparam("outcome"))
)
