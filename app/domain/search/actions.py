"""The only thing that search ever writes: it forgets changes that every board has seen."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func

from app.domain.search.models import LotChange
from app.kernel.leftovers import forget

KEPT: Final = timedelta(minutes=10)
"""Longer than a board may stay unread without being built anew, and than any transaction of ours may last."""


def forget_old_changes() -> int:
    """Remove changes that nobody needs any more; returns how many. By the database's own clock, as they are written."""
    return forget(LotChange, LotChange.at < func.clock_timestamp() - KEPT)
