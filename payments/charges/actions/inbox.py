"""The inbox of verified notices: each by its id, once, sealed, with what came of it."""

from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import CTE, DateTime, Table, bindparam, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert

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
    _KEEP.run(**notice_told(notice, kind, outcome), at=clock.now())


def keeping() -> CTE:
    """For a statement that does what a notice tells of: the notice, with it.

    It is told `at`, and what `notice_told` says; `NO_NOTICE` where none told of it.
    """
    return _keeping().cte("kept")


def notice_told(notice: Notice, kind: str, outcome: str) -> Mapping[str, object]:
    """What such a statement is told of a notice."""
    return {
        "notify_id": notice.id, "notice_kind": kind, "event_type": notice.event_type, "raw": _sealed(notice),
        "verified_by": notice.serial, "outcome": outcome,
    }  # fmt: skip


def unexpected(kind: str, notice: Notice) -> str:
    """An authentic notice that we cannot follow is for a person to see."""
    open_case(kind, f"notice:{notice.id}", 2, event_type=notice.event_type)
    return kind


def _sealed(notice: Notice) -> bytes:
    text = notice.plaintext.decode(errors="backslashreplace")
    return seal(text, f"callback_inbox.raw:{CHANNEL}:{notice.id}")


_INBOX: Final = cast("Table", CallbackInbox.__table__)
_COLUMNS: Final = {
    "notify_id": "notify_id", "notice_kind": "kind", "event_type": "event_type", "raw": "raw",
    "verified_by": "verified_by", "outcome": "outcome",
}  # fmt: skip
NO_NOTICE: Final[Mapping[str, object]] = dict.fromkeys(_COLUMNS)


def _keeping() -> Insert:
    told = {column: bindparam(name, type_=_INBOX.c[column].type) for name, column in _COLUMNS.items()}
    at = bindparam("at", type_=DateTime(timezone=True))
    values: list[Any] = [literal(CHANNEL), *told.values(), at]
    there_is_one = select(*values).where(told["notify_id"].is_not(None))
    return insert(_INBOX).from_select(["channel", *told, "received_at"], there_is_one).on_conflict_do_nothing()


_KEEP: Final = Prepared(_keeping())
_KNOWN: Final = Prepared(
    select(_INBOX.c.received_at).where(_INBOX.c.channel == CHANNEL, _INBOX.c.notify_id == bindparam("notify_id"))
)
