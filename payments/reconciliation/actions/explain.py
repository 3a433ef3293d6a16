"""A person says what a difference is, another agrees; money that differs then stands in suspense with an owner."""

import uuid

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from payments.ledger.actions import post
from payments.reconciliation.actions.match import difference_reference
from payments.reconciliation.models import Difference, Explanation, SurplusOwner
from payments.reconciliation.queries import NoSuchDifference, surplus
from payments.reconciliation.rules import DIFFERENCE, UNEXPLAINED, suspense_lines


class NotToBeExplained(Conflict):
    """It is gone, agreed or explained already."""

    code = "difference_not_open"
    message = "该差异已处理，无需说明"


class ExplainedAlready(Conflict):
    """Somebody's explanation waits for its decision."""

    code = "explanation_waits"
    message = "该差异已有说明待复核"


class NotExplained(Conflict):
    """Nothing waits for a decision."""

    code = "nothing_to_decide"
    message = "该差异尚无待复核的说明"


class OwnExplanation(NotAllowed):
    """Nobody decides on what they said themselves."""

    code = "own_explanation"
    message = "说明人不得复核本人的说明"


class ExplanationMissing(Invalid):
    """Who explains or decides says why, without personal data."""

    code = "explanation_missing"
    message = "请填写说明"


def take(key: uuid.UUID, owner: str) -> Difference:
    """From now on it is this person's to clear up. Refuses `NoSuchDifference`."""
    with transaction():
        found = _locked(key)
        found.owner = owner
        audit.record("difference.take", "difference", found.id, owner)
        return found


def assign(key: uuid.UUID, owner: str, by: str) -> None:
    """From now on a difference, or a second payment in suspense, is that person's to clear up, by another's word.

    Refuses `NoSuchDifference`.
    """
    with transaction():
        doubled = surplus(key)
        if doubled is not None:
            named = SurplusOwner(payment_id=doubled.id, owner=owner, assigned_by=by, assigned_at=clock.now())
            current().add(named)
            audit.record("surplus.assign", "payment", doubled.id, by, {"owner": owner})
            return
        found = _locked(key)
        found.owner = owner
        audit.record("difference.assign", "difference", found.id, by, {"owner": owner})


def explain(key: uuid.UUID, by: str, because: str) -> Difference:
    """Say what a difference is; another person decides. Who explains what nobody owns yet owns it.

    Refuses `NoSuchDifference`, `NotToBeExplained`, `ExplainedAlready`, `ExplanationMissing`.
    """
    with transaction():
        found, said = _locked(key), _said(because)
        if found.state not in UNEXPLAINED:
            raise NotToBeExplained
        found.owner = found.owner or by
        with refusing({"a_difference_waits_for_one_decision": ExplainedAlready}):
            current().add(Explanation(difference_id=found.id, because=said, made_by=by, made_at=clock.now()))
        audit.record("difference.explain", "difference", found.id, by)
        return found


def accept(key: uuid.UUID, by: str, because: str) -> Difference:
    """Agree with an explanation: what differs in money is posted to suspense, anything else is settled.

    Refuses `NoSuchDifference`, `NotExplained`, `OwnExplanation`, `NotToBeExplained`, `ExplanationMissing`.
    """
    with transaction():
        found = _decided(key, by, because, accepted=True)
        event = "suspend" if found.gap_fen else "settle"
        DIFFERENCE.move(found, event, by, moved_at=clock.now(), next_check_at=None)
        if found.gap_fen:
            lines = suspense_lines(found.gap_fen)
            post("difference", difference_reference(found), found.payee_id, clock.now(), lines)
        audit.record("difference.accept", "difference", found.id, by)
        return found


def reject(key: uuid.UUID, by: str, because: str) -> Difference:
    """Send an explanation back; the difference stays open. Refuses as `accept` does."""
    with transaction():
        found = _decided(key, by, because, accepted=False)
        audit.record("difference.reject", "difference", found.id, by)
        return found


def _decided(key: uuid.UUID, by: str, because: str, *, accepted: bool) -> Difference:
    found, said = _locked(key), _said(because)
    if found.state not in UNEXPLAINED:
        raise NotToBeExplained
    waiting = select(Explanation).filter_by(difference_id=found.id, decided_by=None).with_for_update()
    explanation = current().scalars(waiting).one_or_none()
    if explanation is None:
        raise NotExplained
    if explanation.made_by == by:
        raise OwnExplanation
    explanation.decided_by, explanation.decided_at = by, clock.now()
    explanation.decided_because, explanation.accepted = said, accepted
    current().flush()
    return found


def _locked(key: uuid.UUID) -> Difference:
    locked = select(Difference).filter_by(key=key).with_for_update().execution_options(populate_existing=True)
    found = current().scalars(locked).one_or_none()
    if found is None:
        raise NoSuchDifference
    return found


def _said(because: str) -> str:
    if not because.strip():
        raise ExplanationMissing
    return because.strip()
