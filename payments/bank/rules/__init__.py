"""How a statement must read: CSV by the names of its columns, or camt.053; its balances prove that it is whole."""

from payments.bank.rules.camt import read_camt
from payments.bank.rules.statement import Entry, Statement, StatementRefused
from payments.bank.rules.table import read_csv

__all__ = ["Entry", "Statement", "StatementRefused", "read_camt", "read_csv"]
