"""How a bill must read: strictly by the names of its columns, to the fen, its sums those of its lines."""

from payments.bills.rules.cadence import (
    after_failure,
    after_success,
    is_gone,
    is_late,
    ready_at,
)
from payments.bills.rules.flows import FlowReader
from payments.bills.rules.reading import BillRefused, Owner, Sums, lines_of
from payments.bills.rules.trades import TradeReader
from payments.bills.rules.unpacking import Inflated, sha1_of

__all__ = [
    "BillRefused",
    "FlowReader",
    "Inflated",
    "Owner",
    "Sums",
    "TradeReader",
    "after_failure",
    "after_success",
    "is_gone",
    "is_late",
    "lines_of",
    "ready_at",
    "sha1_of",
]
