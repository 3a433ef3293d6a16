"""Which accounts are on record, what has reached the bank, what in it nothing explains, and whether it holds enough."""

from payments.bank.queries.accounts import AccountView, NoSuchAccount, account, accounts, accounts_of
from payments.bank.queries.arrivals import PAGE, SettlementView, settlements
from payments.bank.queries.lines import (
    IS_FREE,
    BankBalance,
    LooseLine,
    MeaningView,
    NoSuchLine,
    NoSuchMeaning,
    balances,
    meaning,
    meanings,
    statement,
    unexplained,
    unexplained_line,
)

__all__ = [
    "IS_FREE", "PAGE", "AccountView", "BankBalance", "LooseLine", "MeaningView", "NoSuchAccount", "NoSuchLine",
    "NoSuchMeaning", "SettlementView", "account", "accounts", "accounts_of", "balances", "meaning", "meanings",
    "settlements", "statement", "unexplained", "unexplained_line",
]  # fmt: skip
