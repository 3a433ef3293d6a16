"""A journal that is not what happened is reversed by two persons; what did happen is posted in its place."""

import uuid
from typing import Final

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.money import Fen
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.two_persons import TwoPersons
from payments.ledger.actions import hold, post, reverse
from payments.ledger.models import Journal
from payments.ledger.queries import is_reversed, journal_named, lines_of
from payments.ledger.rules import CORRECTION, Line
from payments.parity.models import Correction
from payments.parity.queries import NoSuchCorrection, Owed, is_corrected, owed


class NothingToCorrect(Conflict):
    """The journal says what happened: what is wrong, if anything, is the event."""

    code = "nothing_to_correct"
    message = "该凭证与业务事实一致，无需冲正"


class JournalReversed(Conflict):
    """It was reversed before, or belongs to a correction itself."""

    code = "journal_reversed"
    message = "该凭证已冲销或为更正凭证，不能再冲正"


class CorrectionWaits(Conflict):
    """Somebody's proposal waits for its decision."""

    code = "correction_waits"
    message = "该凭证已有冲正申请"


class CorrectionDecided(Conflict):
    """It was accepted or rejected before."""

    code = "correction_decided"
    message = "该冲正申请已复核"


class CorrectionOutdated(Conflict):
    """Its event has moved on: what would stand in its place is not what was asked for."""

    code = "correction_outdated"
    message = "该业务已变化，更正分录与申请时不一致，请驳回后重新申请"


class OwnCorrection(NotAllowed):
    """Nobody decides on what they asked themselves."""

    code = "own_correction"
    message = "申请人不得复核本人的冲正申请"


class CorrectionReasonMissing(Invalid):
    """Who asks or decides says why, without personal data."""

    code = "correction_reason_missing"
    message = "请填写冲正原因"


REQUESTS: Final = TwoPersons(Correction, NoSuchCorrection, CorrectionDecided, OwnCorrection, CorrectionReasonMissing)


def correct(kind: str, reference: str, by: str, because: str) -> Correction:
    """Ask that a journal which is not what happened is reversed; another person decides.

    Refuses `NoSuchJournal`, `NothingToCorrect`, `JournalReversed`, `CorrectionWaits`, `CorrectionReasonMissing`.
    """
    with transaction():
        wrong = journal_named(kind, reference)
        right = _expect_wrong(wrong)
        made = Correction(
            journal_id=wrong.id, payee_id=wrong.payee_id, instead_payee_id=right and right.payee_id,
            instead=right and dict(right.moved), **REQUESTS.asking(by, because),
        )  # fmt: skip
        with refusing({"a_journal_is_corrected_once": CorrectionWaits}):
            current().add(made)
        audit.record("correction.ask", "correction", made.id, by)
        return made


def accept_correction(key: uuid.UUID, by: str, because: str) -> Correction:
    """Agree: the journal is reversed today, and what its event comes to is posted in its place, if it comes to any.

    Refuses `NoSuchCorrection`, `CorrectionDecided`, `OwnCorrection`, `NothingToCorrect`, `JournalReversed`,
    `CorrectionOutdated`, `CorrectionReasonMissing`.
    """
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        REQUESTS.decide(found, "accepted", by, because)
        wrong = current().get_one(Journal, found.journal_id)
        hold(wrong.business_ref)
        right = _expect_wrong(wrong)
        if right != _agreed(found):
            raise CorrectionOutdated
        reverse(wrong, clock.now())
        if right is not None:
            lines = [Line(code, fen) for code, fen in right.moved.items()]
            post(CORRECTION, f"{wrong.kind}/{wrong.business_ref}", right.payee_id, wrong.event_at, lines)
        audit.record("correction.accept", "correction", found.id, by)
        return found


def reject_correction(key: uuid.UUID, by: str, because: str) -> Correction:
    """Do not agree: the books stay as they are. Refuses as `accept_correction` does."""
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        REQUESTS.decide(found, "rejected", by, because)
        audit.record("correction.reject", "correction", found.id, by)
        return found


def _expect_wrong(journal: Journal) -> Owed | None:
    """What stands in its place when it is reversed: what its event comes to; nothing where there is no event."""
    of_a_correction = journal.kind == CORRECTION or journal.business_ref.startswith(f"{CORRECTION}/")
    if of_a_correction or is_reversed(journal) or is_corrected(journal.reverses_id):
        raise JournalReversed
    right = owed(journal.kind, journal.business_ref)
    if right == Owed(journal.payee_id, _moved(journal)):
        raise NothingToCorrect
    return right


def _agreed(found: Correction) -> Owed | None:
    if found.instead is None or found.instead_payee_id is None:
        return None
    return Owed(found.instead_payee_id, found.instead)


def _moved(journal: Journal) -> dict[str, Fen]:
    moved: dict[str, Fen] = {}
    for each in lines_of(journal.id):
        moved[each.account] = moved.get(each.account, 0) + each.amount_fen
    return moved
