"""Publishing tariffs, and naming the reference lots that bound a lot's fee."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import Range, insert

from app.domain.pricing.models import FreeSpan, LotReference, LotTariff, ReferenceLot, TariffVersion
from app.domain.pricing.rules import Tariff
from app.kernel import audit, clock
from app.kernel.db import refusing, transaction
from app.kernel.refusals import NotAllowed
from app.kernel.spans import span
from app.kernel.terms import end_running


def publish_tariff(name: str, document: str, parameters: dict[str, Any], actor: str) -> TariffVersion:
    """Store a tariff for ever, under a name of its own. Refuses `InvalidTariff` when the form is ill."""
    Tariff.load(parameters)
    with transaction() as session:
        version = TariffVersion(name=name, document=document, parameters=parameters, published_at=clock.now())
        session.add(version)
        session.flush()
        audit.record("pricing.publish_tariff", "tariff_version", version.id, actor)
        return version


def charge_by(lot_id: int, tariff_id: int, valid_from: datetime, actor: str) -> LotTariff:
    """From `valid_from` on, the lot charges by this tariff (N3.3); until then by the one before.

    Refuses `ChangeOutOfOrder` when a tariff is named for then or later.
    """
    with transaction() as session:
        end_running(LotTariff, [LotTariff.lot_id == lot_id], valid_from)
        row = LotTariff(lot_id=lot_id, tariff_id=tariff_id, valid=span(valid_from, None))
        session.add(row)
        session.flush()
        audit.record("pricing.charge_by", "lot", lot_id, actor, {"tariff_id": tariff_id})
        return row


class BasisMissing(NotAllowed):
    """Public money is waived only on a basis that finance recorded and a second person approved (收支两条线)."""

    code = "waiver_basis_missing"
    message = "机关事业单位停车场的收费减免须有经批准的依据"


@dataclass(frozen=True)
class Approved:
    """A government-priced lot as its approval tells it. The point is GCJ-02."""

    name: str
    approval: str
    latitude: float
    longitude: float
    tariff_id: int


def register_reference(told: Approved, valid_from: datetime, actor: str) -> ReferenceLot:
    """Enter a government-priced lot into the register."""
    with transaction() as session:
        row = ReferenceLot(valid=span(valid_from, None), **vars(told))
        session.add(row)
        session.flush()
        audit.record("pricing.register_reference", "reference_lot", row.id, actor)
        return row


def approve_references(lot_id: int, reference_lot_ids: Sequence[int], actor: str) -> None:
    """Name the surrounding lots that bound a lot's fee: a set that a person approves, not one computed silently."""
    with transaction() as session:
        session.add_all(
            LotReference(lot_id=lot_id, reference_lot_id=each, approved_at=clock.now(), approved_by=actor)
            for each in reference_lot_ids
        )
        session.flush()
        audit.record("pricing.approve_references", "lot", lot_id, actor, {"references": len(reference_lot_ids)})


def free(lot_ids: Sequence[int], during: Range[datetime], adjustment_id: int) -> None:
    """Let lots take no money for a span, by an adjustment; once for each lot, however often it is said.

    Refuses `BasisMissing` when one of them collects public money and the adjustment names no approved basis.
    """
    rows = [{"lot_id": each, "valid": during, "adjustment_id": adjustment_id} for each in lot_ids]
    with refusing({"nobody_waives_public_money_on_his_own": BasisMissing}) as session:
        session.execute(insert(FreeSpan).on_conflict_do_nothing(), rows)


def charge_again(adjustment_id: int, at: datetime) -> None:
    """Let an adjustment's free time end at a moment; what has not begun by then never does."""
    mine = (FreeSpan.adjustment_id == adjustment_id, func.upper(FreeSpan.valid) > at)
    with transaction() as session:
        session.execute(delete(FreeSpan).where(*mine, func.lower(FreeSpan.valid) >= at))
        session.execute(update(FreeSpan).where(*mine).values(valid=func.tstzrange(func.lower(FreeSpan.valid), at)))
