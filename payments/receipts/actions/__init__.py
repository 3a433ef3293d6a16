"""What can be done with receipts: titles, asking, planning, issuing; one file a verb."""

from payments.receipts.actions.ask import ask_invoice
from payments.receipts.actions.issue import issue_due
from payments.receipts.actions.news import take_news
from payments.receipts.actions.plan import plan_due
from payments.receipts.actions.request import amend
from payments.receipts.actions.retry import retry
from payments.receipts.actions.titles import empty_titles, remove_title, save_title

__all__ = [
    "amend",
    "ask_invoice",
    "empty_titles",
    "issue_due",
    "plan_due",
    "remove_title",
    "retry",
    "save_title",
    "take_news",
]
