"""The only thing that search ever writes: it forgets changes that every board has seen."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select

from app.domain.search.models import LotChange
from app.kernel.db import affected, transaction

KEPT: Final = timedelta(minutes=10)
"""Longer than a board may stay unread without being built anew, and than any transaction of ours may last."""
AT_ONCE: Final = 20_000


def forget_old_changes() -> int:
    """Remove changes that nobody needs any more; returns how many. By the database's own clock, as they are written."""
    oldest = (
        select(LotChange.id).where(LotChange.at < func.clock_timestamp() - KEPT).order_by(LotChange.at).limit(AT_ONCE)
    )
    with transaction():
        return affected(delete(LotChange).where(LotChange.id.in_(oldest)))
