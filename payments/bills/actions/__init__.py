"""Bills come in: which are due, how one is fetched, and how a file becomes lines."""

from payments.bills.actions.due import ask_for_due, expect_bills, lease_due
from payments.bills.actions.fetch import fetch
from payments.bills.actions.load import load

__all__ = ["ask_for_due", "expect_bills", "fetch", "lease_due", "load"]
