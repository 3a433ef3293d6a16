"""A payee's accounts, its bank's statements, and what two persons say of lines that nothing explains."""

import uuid
from datetime import date

from app.domain.payees.queries import place_of_payee
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction
from payments.bank import actions as bank
from payments.bank.models import BankStatement, LineMeaning, PayeeAccount
from payments.bank.queries import account as account_by
from payments.bank.queries import meaning
from payments.bank.queries import statement as statement_by
from payments.payees.queries import payee_by_key


def record_account(by: Actor, payee: uuid.UUID, account: str, bank_name: str, since: date, note: str) -> PayeeAccount:
    """Put an account of a payee on record. Refuses `NoSuchPayee`, `AccountUnfit`."""
    with transaction():
        of = payee_by_key(payee)
        permit(by, "reconciliation.record_account", place_of_payee(of.id))
        return bank.record_account(of.id, account, bank_name, since, note, by.label)


def confirm_account(by: Actor, key: uuid.UUID) -> PayeeAccount:
    """Agree with a recorded account. Refuses as `payments.bank.actions.confirm_account` does."""
    with transaction():
        permit(by, "reconciliation.confirm_account", place_of_payee(account_by(key).payee_id))
        return bank.confirm_account(key, by.label)


def import_statement(by: Actor, payee_id: int, form: str, account: str, content: bytes) -> BankStatement:
    """Keep a payee's bank statement. Refuses as `payments.bank.actions.import_statement` does."""
    permit(by, "reconciliation.import_statement", place_of_payee(payee_id))
    return bank.import_statement(payee_id, form, account, content, by.label)


def explain_line(by: Actor, statement: uuid.UUID, number: int, means: str, because: str) -> LineMeaning:
    """Say what a bank line is that nothing explains. Refuses as `payments.bank.actions.explain_line` does."""
    with transaction():
        permit(by, "reconciliation.explain_line", place_of_payee(statement_by(statement).payee_id))
        return bank.explain_line(statement, number, means, by.label, because)


def accept_line(by: Actor, key: uuid.UUID, because: str) -> LineMeaning:
    """Agree what a bank line is. Refuses as `payments.bank.actions.accept_line` does."""
    with transaction():
        permit(by, "reconciliation.accept_line", place_of_payee(meaning(key).payee_id))
        return bank.accept_line(key, by.label, because)


def reject_line(by: Actor, key: uuid.UUID, because: str) -> LineMeaning:
    """Do not agree what a bank line is. Refuses as `payments.bank.actions.reject_line` does."""
    with transaction():
        permit(by, "reconciliation.reject_line", place_of_payee(meaning(key).payee_id))
        return bank.reject_line(key, by.label, because)
