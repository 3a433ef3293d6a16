"""Reading the log: to prove it, and for those who may look into it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, func, select

from app.adapters.anchors import Anchor, AnchorPlace, AnchorsUnreadable
from app.domain.audit.models import AuditAnchor, AuditBlock, AuditCheck
from app.domain.audit.rules import Block, Entry, Fault, Noted, Printed, Walk, faults_of
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel.audit import DATABASE, AuditEntry
from app.kernel.db import transaction

PAGE = 50
AT_A_TIME = 2_000
_PATIENTLY = select(
    func.set_config("statement_timeout", "0", True), func.set_config("idle_in_transaction_session_timeout", "0", True)
)
"""A proof reads everything there is."""

_BLOCK = (
    AuditBlock.block_no, AuditBlock.from_xid, AuditBlock.below_xid, AuditBlock.first_id, AuditBlock.last_id,
    AuditBlock.entries, AuditBlock.total, AuditBlock.leaves, AuditBlock.root, AuditBlock.previous, AuditBlock.sealed_at,
    AuditBlock.hash,
)  # fmt: skip
_ENTRY = (
    AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.subject, AuditEntry.subject_id,
    cast(AuditEntry.detail, Text), AuditEntry.request_id, AuditEntry.transaction_id,
)  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """What a verification found. `head` is the last block; entries after it are not sealed yet."""

    blocks: int
    entries: int
    unsealed: int
    head: Block | None
    faults: Sequence[Fault]

    @property
    def is_sound(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class Standing:
    """Where the log stands: its last block, and how many entries the blocks hold."""

    block_no: int
    hash: bytes
    entries: int


def standing() -> Standing | None:
    """The last block, and how many entries there are up to it; None while nothing is sealed."""
    told = select(AuditBlock.block_no, AuditBlock.hash, AuditBlock.total).order_by(AuditBlock.block_no.desc())
    with transaction() as session:
        row = session.execute(told.limit(1)).one_or_none()
        return Standing(*row) if row else None


def sealing(subject: str, subject_id: int) -> Standing | None:
    """The block that holds the newest entry on something, for a paper about it; None while that is not sealed."""
    newest = select(func.max(AuditEntry.transaction_id)).filter_by(subject=subject, subject_id=subject_id)
    with transaction() as session:
        xid = session.scalar(newest)
        of_block = select(AuditBlock.block_no, AuditBlock.hash, AuditBlock.total)
        row = session.execute(of_block.where(AuditBlock.from_xid <= xid, AuditBlock.below_xid > xid)).one_or_none()
        return Standing(*row) if row else None


def last_anchored(place: str) -> int:
    """The last block whose hash a place was given, by our own notes; 0: none."""
    given = select(func.coalesce(func.max(AuditAnchor.block_no), 0)).where(AuditAnchor.place == place)
    with transaction() as session:
        return int(session.scalar(given) or 0)


def last_check() -> AuditCheck | None:
    """The newest verification that was written down."""
    with transaction() as session:
        return session.scalar(select(AuditCheck).order_by(AuditCheck.id.desc()).limit(1))


def oldest_unsealed() -> datetime | None:
    """When the oldest deed was done that no block holds yet; what triggers wrote, by the database's clock, is aside."""
    end = select(func.coalesce(func.max(AuditBlock.below_xid), 0)).scalar_subquery()
    waiting = (AuditEntry.transaction_id >= end, AuditEntry.actor != DATABASE)
    with transaction() as session:
        return session.scalar(select(func.min(AuditEntry.at)).where(*waiting))


def entries(
    by: Actor, *, subject: str | None = None, subject_id: int | None = None, actor: str | None = None,
    before: int | None = None, limit: int = PAGE,
) -> Sequence[AuditEntry]:  # fmt: skip
    """What the log says, the newest first; for people of the whole city. Refuses `NotPermitted`, `NotFound`."""
    with transaction() as session:
        permit(by, "audit.see", CITY)
        told = {"subject": subject, "subject_id": subject_id, "actor": actor}
        wanted = select(AuditEntry).filter_by(**{name: value for name, value in told.items() if value is not None})
        if before is not None:
            wanted = wanted.where(AuditEntry.id < before)
        return session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(limit)).all()


def blocks(by: Actor, limit: int = PAGE) -> Sequence[Row[*tuple[Any, ...]]]:
    """The newest blocks without their leaves, the newest first. Refuses `NotPermitted`, `NotFound`."""
    with transaction() as session:
        permit(by, "audit.see", CITY)
        told = (
            AuditBlock.block_no, AuditBlock.first_id, AuditBlock.last_id, AuditBlock.entries, AuditBlock.sealed_at,
            AuditBlock.hash,
        )  # fmt: skip
        return session.execute(select(*told).order_by(AuditBlock.block_no.desc()).limit(limit)).all()


def proof(places: Sequence[AnchorPlace], printed: Sequence[Printed] = ()) -> Proof:
    """Recompute the whole log and hold it against the anchors. Raises `AnchorsUnreadable`; nothing is written."""
    return _proof({place.name: place.all() for place in places}, printed)


def proof_despite_unreadable(places: Sequence[AnchorPlace]) -> Proof:
    """The same with whatever anchors are to be had: that a place cannot be read is a fault."""
    anchors: dict[str, Sequence[Anchor]] = {}
    unread: list[Fault] = []
    for place in places:
        try:
            anchors[place.name] = place.all()
        except AnchorsUnreadable:
            unread.append(Fault("anchors_unreadable", place=place.name))
    found = _proof(anchors)
    return replace(found, faults=[*unread, *found.faults])


def _proof(anchors: Mapping[str, Sequence[Anchor]], printed: Sequence[Printed] = ()) -> Proof:
    with transaction() as session:
        session.execute(_PATIENTLY)
        return proved(session.connection(), anchors, printed)


def proved(connection: Connection, anchors: Any, printed: Sequence[Printed] = ()) -> Proof:
    """The same over one connection; `anchors` by place, oldest first."""
    walk = Walk()
    end = connection.scalar(select(func.coalesce(func.max(AuditBlock.below_xid), 0))) or 0
    noted = [
        Noted(*row) for row in connection.execute(select(AuditAnchor.block_no, AuditAnchor.place, AuditAnchor.digest))
    ]
    sealed = select(*_ENTRY).where(AuditEntry.transaction_id < end).order_by(AuditEntry.transaction_id)
    faults = list(
        faults_of(walk, _blocks(connection), map(Entry._make, _streamed(connection, sealed)), anchors, noted, printed)
    )
    later = AuditEntry.transaction_id >= end
    unsealed = connection.scalar(select(func.count()).select_from(AuditEntry).where(later)) or 0
    beyond = select(AuditEntry.id).where(AuditEntry.transaction_id >= _NEXT_TRANSACTION).order_by(AuditEntry.id)
    faults += [Fault("row_beyond", row=number) for (number,) in connection.execute(beyond.limit(100))]
    return Proof(walk.blocks, walk.entries, unsealed, walk.head, faults)


_NEXT_TRANSACTION = func.txid_snapshot_xmax(func.txid_current_snapshot())


def _blocks(connection: Connection) -> Iterator[Block]:
    for row in _streamed(connection, select(*_BLOCK).order_by(AuditBlock.block_no), 100):
        yield Block(*row)


def _streamed(connection: Connection, question: Select[*tuple[Any, ...]], at_a_time: int = AT_A_TIME) -> Iterator[Any]:
    """Rows as they come: neither side holds them all."""
    return iter(connection.execute(question, execution_options={"yield_per": at_a_time}))
