"""`reconciliation`: WeChat's bills, what differs from our books, and signed-off days; one file a matter."""

from app.jobs.commands.reconciliation import bank, bills, days, differences, rates, suspense
from app.jobs.commands.reconciliation.group import reconciliation

__all__ = ["bank", "bills", "days", "differences", "rates", "reconciliation", "suspense"]
