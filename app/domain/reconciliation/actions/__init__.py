"""What finance people do: compare days, explain differences, clear suspense, correct journals, sign days off."""

from app.domain.reconciliation.actions.bank import (
    accept_line,
    confirm_account,
    explain_line,
    import_statement,
    record_account,
    reject_line,
)
from app.domain.reconciliation.actions.bills import export_bill, load_bill, load_no_bill
from app.domain.reconciliation.actions.corrections import accept_correction, correct, reject_correction
from app.domain.reconciliation.actions.days import compare, propose, sign, take_day_sheet, take_month_sheet
from app.domain.reconciliation.actions.differences import OwnerCannotAct, accept, assign, explain, reject, take
from app.domain.reconciliation.actions.rates import confirm_rate, record_rate
from app.domain.reconciliation.actions.suspense import (
    Against,
    accept_clearing,
    accept_placement,
    clear,
    give_back,
    place,
    reject_clearing,
    reject_placement,
)

__all__ = [
    "Against",
    "OwnerCannotAct",
    "accept",
    "accept_clearing",
    "accept_correction",
    "accept_line",
    "accept_placement",
    "assign",
    "clear",
    "compare",
    "confirm_account",
    "confirm_rate",
    "correct",
    "explain",
    "explain_line",
    "export_bill",
    "give_back",
    "import_statement",
    "load_bill",
    "load_no_bill",
    "place",
    "propose",
    "record_account",
    "record_rate",
    "reject",
    "reject_clearing",
    "reject_correction",
    "reject_line",
    "reject_placement",
    "sign",
    "take",
    "take_day_sheet",
    "take_month_sheet",
]
