"""Rows that hold from a moment on (`valid`): a change ends the running row, and the old one stays readable."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from app.kernel.db import current
from app.kernel.refusals import Conflict


class ChangeOutOfOrder(Conflict):
    """Something else is laid down for that moment or a later one; changes are laid down in the order of time."""

    code = "change_out_of_order"
    message = "已有同时或更晚生效的设定，请调整生效时间"


def end_running(rows: type[Any], same: Sequence[ColumnElement[bool]], at: datetime) -> None:
    """Let the row among `same` that holds at `at` end then, so that another may begin. Refuses `ChangeOutOfOrder`."""
    begins_at = func.lower(rows.valid)
    if current().scalar(select(rows.id).where(*same, begins_at >= at).limit(1)) is not None:
        raise ChangeOutOfOrder
    current().execute(
        update(rows)
        .where(*same, rows.valid.contains(at))
        .values(valid=func.tstzrange(begins_at, at))
        .execution_options(synchronize_session=False)
    )
