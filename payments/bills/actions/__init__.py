"""Bills come in: which are due, how one is fetched, and how a file becomes lines."""

from payments.bills.actions.due import expect_bills, lease_due
from payments.bills.actions.fetch import fetch
from payments.bills.actions.load import load

__all__ = ["expect_bills", "fetch", "lease_due", "load"]
