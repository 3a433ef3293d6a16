"""Free time by an adjustment: lots that take no money for a span."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import Range, insert

from app.domain.pricing.models import FreeSpan
from app.kernel.db import refusing, transaction
from app.kernel.refusals import NotAllowed


class BasisMissing(NotAllowed):
    """Public money is waived only on a basis that finance recorded and a second person approved (收支两条线)."""

    code = "waiver_basis_missing"
    message = "机关事业单位停车场的收费减免须有经批准的依据"


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
