"""A journal that is not what happened is reversed by two persons."""

import uuid

from app.domain.payees.queries import place_of_payee
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction
from payments.ledger.queries import journal_named
from payments.parity import actions as parity
from payments.parity.models import Correction
from payments.parity.queries import correction


def correct(by: Actor, kind: str, reference: str, because: str) -> Correction:
    """Ask that a journal is reversed. Refuses as `payments.parity.actions.correct` does."""
    with transaction():
        permit(by, "reconciliation.correct", place_of_payee(journal_named(kind, reference).payee_id))
        return parity.correct(kind, reference, by.label, because)


def accept_correction(by: Actor, key: uuid.UUID, because: str) -> Correction:
    """Agree that a journal is reversed. Refuses as `payments.parity.actions.accept_correction` does."""
    with transaction():
        permit(by, "reconciliation.accept_correction", place_of_payee(correction(key).payee_id))
        return parity.accept_correction(key, by.label, because)


def reject_correction(by: Actor, key: uuid.UUID, because: str) -> Correction:
    """Leave the books as they are. Refuses as `payments.parity.actions.reject_correction` does."""
    with transaction():
        permit(by, "reconciliation.reject_correction", place_of_payee(correction(key).payee_id))
        return parity.reject_correction(key, by.label, because)
