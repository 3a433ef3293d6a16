"""What stands in suspense is cleared against what offsets it: one person says so, another agrees, once.

Two things in suspense offset each other when they are the same money seen twice: a payment that only WeChat has and one
that only we have; a refund made on WeChat's own site and the payment that it gave back. Nothing new is posted: the
postings that put them into suspense are reversed, so that what WeChat owes is as the bills say, before and after.
"""

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, select

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.two_persons import TwoPersons
from payments.ledger.actions import take_back
from payments.reconciliation.actions.match import difference_reference
from payments.reconciliation.models import Difference, SuspenseClearing, SuspenseClearingLine
from payments.reconciliation.queries import (
    NoSuchClearing,
    NoSuchDifference,
    clearing,
    held_for_charge,
    held_for_refund,
    sign_off,
)
from payments.reconciliation.rules import DIFFERENCE


class NotInSuspense(Conflict):
    """It does not stand in suspense, or no more."""

    code = "not_in_suspense"
    message = "该差异未在挂账中，无需清账"


class SuspenseDayNotSigned(Conflict):
    """A bill may still explain it: its day is signed off first."""

    code = "suspense_day_not_signed"
    message = "该笔挂账的账单日尚未日结，暂不能清账"


class NothingOffsetsIt(Conflict):
    """Nothing of the same payee stands in suspense for that charge or refund."""

    code = "nothing_offsets_it"
    message = "挂账中未找到可与之相抵的款项"


class ClearingNotEven(Conflict):
    """Together they do not come to nothing."""

    code = "clearing_not_even"
    message = "各笔挂账相抵后不为零，不能清账"


class ClearingWaits(Conflict):
    """One of them is in a clearing that waits for its decision, or was cleared."""

    code = "clearing_waits"
    message = "该笔挂账已有清账申请，不能重复清账"


class ClearingDecided(Conflict):
    """It was accepted or rejected before."""

    code = "clearing_decided"
    message = "该清账申请已复核"


class OwnClearing(NotAllowed):
    """Nobody decides on what they asked themselves."""

    code = "own_clearing"
    message = "申请人不得复核本人的清账申请"


class ClearingReasonMissing(Invalid):
    """Who asks or decides says why, without personal data."""

    code = "clearing_reason_missing"
    message = "请填写清账原因"


REQUESTS: Final = TwoPersons(SuspenseClearing, NoSuchClearing, ClearingDecided, OwnClearing, ClearingReasonMissing)


def clear_against_charge(key: uuid.UUID, charge_key: uuid.UUID, by: str, because: str) -> SuspenseClearing:
    """Ask to clear it against what stands in suspense for payments of a charge. Refuses as `clear_against` does."""
    with transaction():
        return _ask([key, *_others(held_for_charge(charge_key), key)], "charge", charge_key, by, because)


def clear_against_refund(key: uuid.UUID, refund_key: uuid.UUID, by: str, because: str) -> SuspenseClearing:
    """Ask to clear it against what stands in suspense for a refund. Refuses as `clear_against` does."""
    with transaction():
        return _ask([key, *_others(held_for_refund(refund_key), key)], "refund", refund_key, by, because)


def clear_against(key: uuid.UUID, others: Sequence[uuid.UUID], by: str, because: str) -> SuspenseClearing:
    """Ask to clear it against other things in suspense that offset it; another person decides.

    Refuses `NoSuchDifference`, `NothingOffsetsIt`, `NotInSuspense`, `SuspenseDayNotSigned`, `ClearingNotEven`,
    `ClearingWaits`, `ClearingReasonMissing`.
    """
    with transaction():
        return _ask([key, *_others(others, key)], "return", others[0], by, because)


def accept_clearing(key: uuid.UUID, by: str, because: str) -> SuspenseClearing:
    """Agree: each of them is cleared, and the posting that put it into suspense reversed.

    Refuses `NoSuchClearing`, `ClearingDecided`, `OwnClearing`, `NotInSuspense`, `ClearingReasonMissing`.
    """
    with transaction():
        found = clearing(key)
        lines = select(SuspenseClearingLine.difference_id).filter_by(clearing_id=found.id)
        held = _locked(Difference.id.in_(lines))
        REQUESTS.decide(REQUESTS.waiting(key, by, because), "accepted", by, because)
        for each in held:
            _let_out(each, by)
        audit.record("suspense.accept", "suspense_clearing", found.id, by)
        return found


def reject_clearing(key: uuid.UUID, by: str, because: str) -> SuspenseClearing:
    """Send it back; all of it stays in suspense. Refuses as `accept_clearing` does."""
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        REQUESTS.decide(found, "rejected", by, because)
        audit.record("suspense.reject", "suspense_clearing", found.id, by)
        return found


def _others(keys: Sequence[uuid.UUID], key: uuid.UUID) -> list[uuid.UUID]:
    found = [each for each in keys if each != key]
    if not found:
        raise NothingOffsetsIt
    return found


def _ask(keys: Sequence[uuid.UUID], target: str, target_key: uuid.UUID, by: str, because: str) -> SuspenseClearing:
    asking, held = REQUESTS.asking(by, because), _expected(keys)
    made = SuspenseClearing(payee_id=held[0].payee_id, target=target, target_key=target_key, **asking)
    current().add(made)
    current().flush()
    lines = [SuspenseClearingLine(clearing_id=made.id, difference_id=each.id, payee_id=each.payee_id,
                                  gap_fen=each.gap_fen, state=made.state) for each in held]  # fmt: skip
    with refusing({"a_difference_is_cleared_once": ClearingWaits}):
        current().add_all(lines)
    audit.record("suspense.ask", "suspense_clearing", made.id, by)
    return made


def _expected(keys: Sequence[uuid.UUID]) -> Sequence[Difference]:
    """All of them, locked: in suspense, of one payee, of days that are signed off, and zero together."""
    held = _locked(Difference.key.in_(keys))
    if len(held) < len(set(keys)):
        raise NoSuchDifference
    if any(each.state != "suspended" for each in held):
        raise NotInSuspense
    if len({each.payee_id for each in held}) > 1:
        raise NothingOffsetsIt
    if any(sign_off(each.channel_id, each.day) is None for each in held):
        raise SuspenseDayNotSigned
    if left_fen := sum(each.gap_fen for each in held):
        raise ClearingNotEven(left_fen=left_fen)
    return held


def _locked(which: ColumnElement[bool]) -> Sequence[Difference]:
    wanted = select(Difference).where(which).order_by(Difference.id).with_for_update()
    return current().scalars(wanted.execution_options(populate_existing=True)).all()


def _let_out(held: Difference, by: str) -> None:
    if held.state != "suspended":
        raise NotInSuspense
    DIFFERENCE.move(held, "clear", by, moved_at=clock.now(), next_check_at=None)
    take_back(difference_reference(held), clock.now())
