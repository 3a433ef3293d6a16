"""Closing lots and single bays for a span by an adjustment (N5.6), and opening them again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, update
from sqlalchemy.dialects.postgresql import Range

from app.domain.lots.models import BayClosure, LotAnnouncement, LotClosure
from app.kernel.db import transaction


def close_lots(lot_ids: Sequence[int], spans: Sequence[Range[datetime]], adjustment_id: int) -> None:
    """Shut whole lots for some spans; it binds new promises from the commit on. The caller writes windows."""
    rows = [{"lot_id": lot, "during": each, "adjustment_id": adjustment_id} for lot in lot_ids for each in spans]
    with transaction() as session:
        if rows:
            session.execute(insert(LotClosure), rows)


def close_bays(bay_ids: Sequence[int], during: Range[datetime], adjustment_id: int) -> None:
    """Take bays from the public for a span; it binds new promises from the commit on."""
    rows = [{"bay_id": bay, "during": during, "adjustment_id": adjustment_id} for bay in bay_ids]
    with transaction() as session:
        session.execute(insert(BayClosure), rows)


def announce(lot_ids: Sequence[int], kind: str, text: str, during: Range[datetime], adjustment_id: int) -> None:
    """Let each lot's page say what is adjusted; told at once, also what is planned."""
    told = {"kind": kind, "text": text, "during": during, "adjustment_id": adjustment_id}
    with transaction() as session:
        session.execute(insert(LotAnnouncement), [{"lot_id": lot, **told} for lot in lot_ids])


def open_again(adjustment_id: int, at: datetime) -> None:
    """Let an adjustment's closures and announcements end at a moment; what has not begun by then never does."""
    with transaction() as session:
        for closure in (LotClosure, BayClosure, LotAnnouncement):
            begins_at, ends_at = func.lower(closure.during), func.upper(closure.during)
            mine = closure.adjustment_id == adjustment_id
            session.execute(delete(closure).where(mine, begins_at >= at))
            session.execute(
                update(closure)
                .where(mine, or_(ends_at > at, func.upper_inf(closure.during)))
                .values(during=func.tstzrange(begins_at, at))
                .execution_options(synchronize_session=False)
            )
