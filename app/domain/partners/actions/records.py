"""Batches: each record is judged alone; what is good takes effect, what is not is written down and comes back."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.lots.queries import LotNotFound
from app.domain.partners.models import PartnerLot, PartnerRefusal
from app.domain.partners.queries import OwnLot, own_lots
from app.domain.partners.rules import RecordUnreadable, Verdict, canonical
from app.domain.tasks.actions import settle_tasks
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.refusals import Refusal

RefusalKind = Literal["count", "visit", "lot", "request"]
Told = TypeVar("Told")


@dataclass(frozen=True)
class Record(Generic[Told]):
    """One record of a batch as it came (`raw`) and as it was read; unreadable ones name their `wrong_fields`."""

    raw: Any
    lot: uuid.UUID | None = None
    told: Told | None = None
    wrong_fields: tuple[str, ...] = ()


def judged(
    partner_id: int,
    kind: RefusalKind,
    records: Sequence[Record[Told]],
    take: Callable[[OwnLot, Told], bool],
    lots: Mapping[uuid.UUID, OwnLot],
) -> list[Verdict]:
    """A verdict for each record, in order. `take` says whether a record is new, or refuses it."""
    verdicts = []
    for index, record in enumerate(records):
        try:
            own, told = _readable(record, lots)
            verdicts.append(Verdict(index, "recorded" if take(own, told) else "repeated"))
        except Refusal as refused:
            known = lots.get(record.lot) if record.lot else None
            note_refusal(partner_id, kind, refused.code, canonical(record.raw), known.id if known else None)
            verdicts.append(Verdict(index, "refused", refused.code, refused.message, refused.details))
    return verdicts


def _readable(record: Record[Told], lots: Mapping[uuid.UUID, OwnLot]) -> tuple[OwnLot, Told]:
    if record.told is None or record.lot is None:
        raise RecordUnreadable(fields=list(record.wrong_fields))
    if record.lot not in lots:
        raise LotNotFound
    return lots[record.lot], record.told


def note_refusal(partner_id: int, kind: RefusalKind, code: str, content: bytes, lot_id: int | None = None) -> None:
    """Write down that something was not believed; of the content only a keyed digest is kept."""
    digest = crypto.blind_index("partner_refusal", content.decode("utf-8", "replace"))
    with transaction() as session:
        session.add(
            PartnerRefusal(
                partner_id=partner_id, kind=kind, code=code, lot_id=lot_id, digest=digest, at=clock.now()
            )
        )  # fmt: skip


def locked_lots(partner_id: int, keys: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, OwnLot]:
    """Those of the lots that this partner may speak of, each locked against its other messages, in one order."""
    lots = own_lots(partner_id, keys)
    ids = sorted(own.id for own in lots.values())
    if ids:
        current().execute(
            insert(PartnerLot)
            .values([{"partner_id": partner_id, "lot_id": lot_id} for lot_id in ids])
            .on_conflict_do_nothing()
        )
        current().execute(
            select(PartnerLot.lot_id)
            .where(PartnerLot.partner_id == partner_id, PartnerLot.lot_id.in_(ids))
            .order_by(PartnerLot.lot_id)
            .with_for_update()
        )
    return lots


def heard_of(partner_id: int, lot_ids: Iterable[int], at: datetime) -> None:
    """News about these locked lots took effect: nobody need look any more for what broke a silence."""
    ids = sorted(lot_ids)
    ours = (PartnerLot.partner_id == partner_id, PartnerLot.lot_id.in_(ids))
    silent = current().scalars(select(PartnerLot.lot_id).where(*ours, PartnerLot.silence_noted_at.is_not(None))).all()
    current().execute(
        update(PartnerLot)
        .where(*ours)
        .values(heard_at=at, silence_noted_at=None)
        .execution_options(synchronize_session=False)
    )
    for lot_id in silent:
        _nobody_is_silent(lot_id)


def _nobody_is_silent(lot_id: int) -> None:
    """Another partner of the same lot may still be."""
    still = select(PartnerLot.lot_id).where(PartnerLot.lot_id == lot_id, PartnerLot.silence_noted_at.is_not(None))
    if current().scalar(still.limit(1)) is None:
        settle_tasks("partner_silent", "lot", lot_id, "接入数据已恢复")
