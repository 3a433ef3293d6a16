"""A difference has an owner; one person says what it is, another agrees."""

import uuid

from app.domain.payees.queries import place_of_payee
from app.domain.reconciliation.actions.places import place_of_difference
from app.domain.staff.queries import account_id, actor_of
from app.domain.staff.rules import Actor, NotPermitted, Place, permit
from app.kernel.db import transaction
from app.kernel.refusals import Conflict, NotFound
from payments.reconciliation import actions as recon
from payments.reconciliation.models import Difference
from payments.reconciliation.queries import payee_of_held


class OwnerCannotAct(Conflict):
    """Whoever is to clear something up must be allowed to act there."""

    code = "owner_cannot_act"
    message = "该账号无权处理该收费主体的差异"


def take(by: Actor, key: uuid.UUID) -> Difference:
    """It is this person's to clear up. Refuses `NoSuchDifference`."""
    with transaction():
        permit(by, "reconciliation.take", place_of_difference(key))
        return recon.take(key, by.label)


def assign(by: Actor, key: uuid.UUID, login: str) -> str:
    """Make a difference, or a second payment in suspense, somebody else's to clear up; returns whose.

    Refuses `NoSuchDifference`, `OwnerCannotAct`, `NotFound` for the login.
    """
    with transaction():
        place = place_of_payee(payee_of_held(key))
        permit(by, "reconciliation.assign", place)
        owner = _expected_owner(login, place).label
        recon.assign(key, owner, by.label)
        return owner


def explain(by: Actor, key: uuid.UUID, because: str) -> Difference:
    """Say what a difference is. Refuses as `payments.reconciliation.actions.explain` does."""
    with transaction():
        permit(by, "reconciliation.explain", place_of_difference(key))
        return recon.explain(key, by.label, because)


def accept(by: Actor, key: uuid.UUID, because: str) -> Difference:
    """Agree with another's explanation. Refuses as `payments.reconciliation.actions.accept` does."""
    with transaction():
        permit(by, "reconciliation.accept", place_of_difference(key))
        return recon.accept(key, by.label, because)


def reject(by: Actor, key: uuid.UUID, because: str) -> Difference:
    """Send another's explanation back. Refuses as `payments.reconciliation.actions.reject` does."""
    with transaction():
        permit(by, "reconciliation.reject", place_of_difference(key))
        return recon.reject(key, by.label, because)


def _expected_owner(login: str, place: Place) -> Actor:
    owner = actor_of(account_id(login))
    try:
        permit(owner, "reconciliation.take", place)
    except (NotPermitted, NotFound):
        raise OwnerCannotAct from None
    return owner
