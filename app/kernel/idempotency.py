"""A request that is sent twice happens once, and gets the same answer twice.

The key comes from the client, stored before it sends; the row and the effect share a transaction.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CTE, CheckConstraint, ColumnElement, Index, Table, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from app.kernel import clock, crypto
from app.kernel.base import Base
from app.kernel.db import LOCK_NOT_AVAILABLE, current, sqlstate, transaction
from app.kernel.leftovers import forget
from app.kernel.prepared import Prepared
from app.kernel.refusals import Conflict, Invalid

KEPT = timedelta(days=7)


class KeyReused(Invalid):
    """The key was used before with another request."""

    code = "idempotency_key_reused"
    message = "幂等键已用于另一请求"


class InFlight(Conflict):
    """The first request with this key has not ended yet."""

    code = "request_in_flight"
    message = "相同的请求正在处理，请稍候"


class RememberedRequest(Base):
    """One request by its key (幂等记录) with its final answer, sealed.

    Of the request there is an index under our key: from a plain hash a plate or an address could be guessed.
    """

    __tablename__ = "remembered_request"
    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int | None]
    answer: Mapped[bytes | None]
    expires_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint(
            "(status IS NULL) = (answer IS NULL)",
            name="an_answer_comes_with_its_status",
        ),
        Index("ix_remembered_request_expires_at", "expires_at"),
    )


@dataclass(frozen=True)
class Answer:
    """What a door sent back: an HTTP status and a JSON body."""

    status: int
    body: Any


@dataclass(frozen=True)
class Named:
    """A request by the key that its client gave it, with the index of what it says."""

    key: str
    index: bytes

    def told(self, at: datetime) -> dict[str, Any]:
        """What a statement with `claimed` is told, about the moment `at`."""
        return {"key": self.key, "request_hash": self.index, "expires_at": at + KEPT}


def named(key: str, request: bytes) -> Named:
    """A request and its key."""
    return Named(key, crypto.blind_index("remembered_request", request.decode("latin-1")))


def remembered(scope: str, wanted: Named, run: Callable[[], Answer], *, is_first: bool | None = None) -> Answer:
    """Run once per scope and key; later calls with the same request get the first answer.

    The row and whatever `run` does locally commit together, so a crash leaves neither. Refuses
    `KeyReused` when the request differs. A refusal raised by `run` is not remembered: nothing has
    happened, so the same key may try again. `is_first`: what a statement with `claimed` told in this transaction.
    """
    with transaction():
        if is_first is None:
            with in_turn():
                is_first = _CLAIM.first(scope=scope, **wanted.told(clock.now())) is not None
        if not is_first:
            return _answer_of(_first(scope, wanted))
        answer = run()
        sealed = crypto.seal(json.dumps(answer.body, ensure_ascii=False), _where(scope, wanted.key))
        _ANSWERED.run(its_scope=scope, its_key=wanted.key, status=answer.status, answer=sealed)
        return answer


def is_remembered(scope: str, key: str) -> bool:
    """Whether a request with this key has its answer already, for what must be asked of others before `remembered`."""
    with transaction() as session:
        row = session.get(RememberedRequest, (scope, key))
        return row is not None and row.status is not None


@contextmanager
def in_turn() -> Iterator[None]:
    """A statement that claims a key: a rival with the same one waits for our commit. Refuses `InFlight`."""
    try:
        yield
    except OperationalError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise InFlight from error
        raise


def claimed(who: CTE, scope: ColumnElement[str]) -> CTE:
    """For a statement that finds out whose key it is: the row is there if it is theirs now, for `Named.told`."""
    theirs = select(scope, *(bindparam(name, type_=_TABLE.c[name].type) for name in _NAMED)).select_from(who)
    return _claiming(insert(_TABLE).from_select(["scope", *_NAMED], theirs)).cte("claimed")


def _claiming(row: Insert) -> ReturningInsert[str]:
    return row.on_conflict_do_nothing().returning(_TABLE.c.key)


def _first(scope: str, wanted: Named) -> RememberedRequest:
    """The row of the request that was first, which is over. Refuses `KeyReused`."""
    row = current().get_one(RememberedRequest, (scope, wanted.key))
    if row.request_hash != wanted.index:
        raise KeyReused
    return row


_TABLE: Final = cast("Table", RememberedRequest.__table__)
_NAMED: Final = ("key", "request_hash", "expires_at")
_CLAIM: Final = Prepared(_claiming(insert(_TABLE).values({name: bindparam(name) for name in ("scope", *_NAMED)})))
_ANSWERED: Final = Prepared(
    update(_TABLE)
    .where(_TABLE.c.scope == bindparam("its_scope"), _TABLE.c.key == bindparam("its_key"))
    .values(status=bindparam("status"), answer=bindparam("answer"))
)


def _where(scope: str, key: str) -> str:
    return f"remembered_request.answer:{scope}:{key}"


def _answer_of(row: RememberedRequest) -> Answer:
    assert row.answer is not None
    assert row.status is not None
    return Answer(row.status, json.loads(crypto.unseal(row.answer, _where(row.scope, row.key))))


def forget_answers_to(caller: str) -> None:
    """Delete what somebody was answered: whoever is erased asks for nothing again."""
    with transaction() as session:
        session.execute(
            delete(RememberedRequest).where(RememberedRequest.scope.startswith(f"{caller}:", autoescape=True))
        )


def forget_expired() -> int:
    """Delete what nobody may ask for again; returns how many rows went."""
    return forget(RememberedRequest, RememberedRequest.expires_at < clock.now())
