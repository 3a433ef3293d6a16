"""A bank line that is nothing we expected is brought before a person; one says what it is, another decides."""

import uuid
from datetime import timedelta
from typing import Final

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.two_persons import TwoPersons
from payments.bank.actions.arrivals import LATE_DAYS
from payments.bank.models import BankStatement, LineMeaning
from payments.bank.queries import NoSuchMeaning, balances, unexplained, unexplained_line
from payments.bank.rules.meanings import FEE_BORNE, borne_lines
from payments.charges.actions.cases import open_case
from payments.ledger.actions import post
from payments.ledger.queries import balance
from payments.ledger.rules import TREASURY
from payments.payees.models import Payee
from payments.payees.queries import payee_by_id


class LineExplained(Conflict):
    """It is what we expected, or somebody has said what it is."""

    code = "bank_line_explained"
    message = "该笔流水已有说明"


class NoFeeToBear(Conflict):
    """Only a treasury's payee has fees borne by its unit, never more than WeChat kept and is still open."""

    code = "no_fee_to_bear"
    message = "补足手续费仅适用于财政收费主体的入账，且不得超过尚未补足的手续费"


class MeaningDecided(Conflict):
    """It was accepted or rejected before."""

    code = "bank_line_decided"
    message = "该笔流水说明已复核"


class OwnMeaning(NotAllowed):
    """Nobody decides on what they said themselves."""

    code = "own_bank_line"
    message = "说明人不得复核本人的流水说明"


class MeaningReasonMissing(Invalid):
    """Who explains or decides says why, without personal data."""

    code = "bank_line_reason_missing"
    message = "请填写流水说明的原因"


REQUESTS: Final = TwoPersons(LineMeaning, NoSuchMeaning, MeaningDecided, OwnMeaning, MeaningReasonMissing)


def explain_line(statement: uuid.UUID, number: int, meaning: str, by: str, because: str) -> LineMeaning:
    """Say what a line of a statement is that nothing explains; another person decides.

    Refuses `NoSuchLine`, `LineExplained`, `NoFeeToBear`, `MeaningReasonMissing`.
    """
    with transaction():
        found = unexplained_line(statement, number)
        if found is None:
            raise LineExplained
        payee = payee_by_id(found.payee_id)
        if meaning == FEE_BORNE and (payee.regime != TREASURY or found.amount_fen <= 0):
            raise NoFeeToBear
        made = LineMeaning(
            statement_id=found.statement_id, line=found.line, payee_id=payee.id, regime=payee.regime,
            amount_fen=found.amount_fen, meaning=meaning, **REQUESTS.asking(by, because),
        )  # fmt: skip
        with refusing({"a_bank_line_means_one_thing": LineExplained}):
            current().add(made)
        audit.record("bank_line.explain", "line_meaning", made.id, by)
        return made


def accept_line(key: uuid.UUID, by: str, because: str) -> LineMeaning:
    """Agree: what the unit paid in for WeChat's fees is posted.

    Refuses `NoSuchMeaning`, `MeaningDecided`, `OwnMeaning`, `LineExplained`, `NoFeeToBear`, `MeaningReasonMissing`.
    """
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        if found.meaning == FEE_BORNE:
            _expect_kept(found)
        with refusing({"a_bank_line_is_one_thing": LineExplained}):
            REQUESTS.decide(found, "accepted", by, because)
        if found.meaning == FEE_BORNE:
            statement = current().get_one(BankStatement, found.statement_id)
            reference = f"bank:{statement.key}:{found.line}"
            post("fee_borne", reference, found.payee_id, clock.now(), borne_lines(found.amount_fen))
        audit.record("bank_line.accept", "line_meaning", found.id, by)
        return found


def reject_line(key: uuid.UUID, by: str, because: str) -> LineMeaning:
    """Do not agree: nothing explains the line. Refuses as `accept_line` does."""
    with transaction():
        found = REQUESTS.waiting(key, by, because)
        REQUESTS.decide(found, "rejected", by, because)
        audit.record("bank_line.reject", "line_meaning", found.id, by)
        return found


def watch_lines() -> int:
    """A person hears of each line that nothing explains for three days, and of balances that differ.

    Lines of statements that came before lines were explained at all are listed, and no cases. Returns how many there
    are.
    """
    with transaction():
        before = clock.business_day(clock.now()) - timedelta(days=LATE_DAYS)
        late = [each for each in unexplained(watched=True, limit=None) if each.booked_on < before]
        for each in late:
            told = {"payee_id": each.payee_id, "fen": each.amount_fen, "owner": each.owner}
            reference = f"bank:{each.statement}:{each.line}"
            open_case("bank_line_unexplained", reference, 2, **told, booked_on=each.booked_on.isoformat())
        apart = [each for each in balances() if each.gap_fen]
        for one in apart:
            told = {"payee_id": one.payee_id, "gap_fen": one.gap_fen, "through": one.through.isoformat()}
            open_case("bank_balance_differs", f"bank_balance:{one.payee_id}:{one.through}", 2, **told)
        return len(late) + len(apart)


def _expect_kept(found: LineMeaning) -> None:
    """WeChat kept as much of what is still open; whoever else accepts a fee of this payee waits."""
    current().get_one(Payee, found.payee_id, with_for_update={"key_share": True})
    if found.amount_fen > balance(found.payee_id, "wx_fee"):
        raise NoFeeToBear
