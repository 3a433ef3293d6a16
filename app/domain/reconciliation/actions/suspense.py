"""What stands in suspense is cleared against its offset, placed on an open charge or given back: by two persons."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.payees.queries import place_of_payee
from app.domain.reconciliation.actions.places import place_of_difference
from app.domain.staff.rules import Actor, permit
from app.kernel.db import transaction
from payments.reconciliation import actions as recon
from payments.reconciliation.models import StrayPlacement, SuspenseClearing
from payments.reconciliation.queries import clearing, placement


@dataclass(frozen=True)
class Against:
    """What offsets something in suspense: what is held of a charge or a refund, or other differences."""

    charge: uuid.UUID | None = None
    refund: uuid.UUID | None = None
    others: Sequence[uuid.UUID] = ()


def clear(by: Actor, key: uuid.UUID, against: Against, because: str) -> SuspenseClearing:
    """Ask that something in suspense is cleared. Refuses as `payments.reconciliation.actions.clear_against` does."""
    with transaction():
        permit(by, "reconciliation.clear", place_of_difference(key))
        if against.charge is not None:
            return recon.clear_against_charge(key, against.charge, by.label, because)
        if against.refund is not None:
            return recon.clear_against_refund(key, against.refund, by.label, because)
        return recon.clear_against(key, against.others, by.label, because)


def accept_clearing(by: Actor, key: uuid.UUID, because: str) -> SuspenseClearing:
    """Agree to a clearing. Refuses as `payments.reconciliation.actions.accept_clearing` does."""
    with transaction():
        permit(by, "reconciliation.accept_clearing", place_of_payee(clearing(key).payee_id))
        return recon.accept_clearing(key, by.label, because)


def reject_clearing(by: Actor, key: uuid.UUID, because: str) -> SuspenseClearing:
    """Send a clearing back. Refuses as `payments.reconciliation.actions.reject_clearing` does."""
    with transaction():
        permit(by, "reconciliation.reject_clearing", place_of_payee(clearing(key).payee_id))
        return recon.reject_clearing(key, by.label, because)


def place(by: Actor, key: uuid.UUID, charge: uuid.UUID, because: str) -> StrayPlacement:
    """Ask that a stray payment pays an open charge. Refuses as `payments.reconciliation.actions.place` does."""
    with transaction():
        permit(by, "reconciliation.place", place_of_difference(key))
        return recon.place(key, charge, by.label, because)


def give_back(by: Actor, key: uuid.UUID, because: str) -> StrayPlacement:
    """Ask that a stray payment goes back. Refuses as `payments.reconciliation.actions.give_back` does."""
    with transaction():
        permit(by, "reconciliation.give_back", place_of_difference(key))
        return recon.give_back(key, by.label, because)


def accept_placement(by: Actor, key: uuid.UUID, because: str) -> StrayPlacement:
    """Agree where a stray payment goes. Refuses as `payments.reconciliation.actions.accept_placement` does."""
    with transaction():
        permit(by, "reconciliation.accept_placement", place_of_payee(placement(key).payee_id))
        return recon.accept_placement(key, by.label, because)


def reject_placement(by: Actor, key: uuid.UUID, because: str) -> StrayPlacement:
    """Leave a stray payment in suspense. Refuses as `payments.reconciliation.actions.reject_placement` does."""
    with transaction():
        permit(by, "reconciliation.reject_placement", place_of_payee(placement(key).payee_id))
        return recon.reject_placement(key, by.label, because)
