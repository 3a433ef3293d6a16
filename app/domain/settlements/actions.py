"""Finance people draft statements of enterprises, decide on them, and take them out."""

import uuid
from datetime import date

from app.domain.payees.queries import place_of_payee
from app.domain.staff.rules import Actor, Place, permit
from app.kernel.db import transaction
from payments.payees.queries import payee_by_key
from payments.settlement import actions as settlements
from payments.settlement.models import SettlementStatement
from payments.settlement.queries import settlement


def draft(by: Actor, payee: uuid.UUID, first: date, last: date) -> SettlementStatement:
    """Draw a payee's statement of these days. Refuses as `payments.settlement.actions.draft` does."""
    with transaction():
        of = payee_by_key(payee)
        permit(by, "settlements.draft", place_of_payee(of.id))
        return settlements.draft(of.id, first, last, by.label)


def issue(by: Actor, key: uuid.UUID, because: str) -> SettlementStatement:
    """Agree with another's statement. Refuses as `payments.settlement.actions.issue` does."""
    with transaction():
        permit(by, "settlements.issue", _place_of(key))
        return settlements.issue(key, by.label, because)


def reject(by: Actor, key: uuid.UUID, because: str) -> SettlementStatement:
    """Do not agree with another's statement. Refuses as `payments.settlement.actions.reject` does."""
    with transaction():
        permit(by, "settlements.reject", _place_of(key))
        return settlements.reject(key, by.label, because)


def _place_of(key: uuid.UUID) -> Place:
    return place_of_payee(settlement(key).payee_id)
