"""Whoever notes what was rendered and whoever learns that WeChat wants it noted wait for each other."""

from typing import Final

from sqlalchemy import func, select

from app.kernel.db import current
from payments.shipping.models import TradeManagement

_NAME: Final = func.hashtext("trade_management")


def is_wanted() -> bool:
    """Whether WeChat wants reports; until the transaction ends nobody learns that it does."""
    current().execute(select(func.pg_advisory_xact_lock_shared(_NAME)))
    return current().scalar(select(TradeManagement.managed)) or False


def wait_for_all_who_note() -> None:
    """Return when everybody has ended who noted nothing because it was not wanted; who comes later waits for us."""
    current().execute(select(func.pg_advisory_xact_lock(_NAME)))
