"""Payees are opened by one person of finance and confirmed by another; one that is no longer needed ends."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from app.kernel.spans import span
from payments.ledger.actions import open_books
from payments.payees.actions.ends import shortened
from payments.payees.models import Payee, PayeeConfirmation
from payments.payees.queries import NoSuchPayee
from payments.payees.rules import Particulars, regime_of, says_sample


class SampleNotMarked(Invalid):
    """A sample confirmation must say so, and a real one must not."""

    code = "sample_not_marked"
    message = "示例确认须在说明中写明“示例”，正式确认不得出现"


class ConfirmationSaysNothing(Invalid):
    """Who confirms names the basis."""

    code = "confirmation_without_basis"
    message = "请填写确认依据，如财政部门文号"


class OwnPayee(NotAllowed):
    """Who opened a payee does not confirm it."""

    code = "own_payee"
    message = "收费主体须由开设人以外的人员确认"


class PayeeConfirmed(Conflict):
    """It was confirmed before, and stays so."""

    code = "payee_confirmed"
    message = "该收费主体已经确认"


class PayeeStillNamed(Conflict):
    """A lot's money belongs to the payee beyond that moment: another must be named for the lot first."""

    code = "payee_still_named"
    message = "仍有停车场以该收费主体收费，请先为其设定后继收费主体"


def open_payee(name: str, particulars: Particulars, since: datetime, *, actor: str) -> Payee:
    """Write down a recipient of money with its books, there from a moment on; it cannot collect before `confirm`.

    The particulars decide the regime and are never altered: a change is a new payee.
    """
    with transaction() as session:
        payee = Payee(
            name=name, regime=regime_of(particulars), opened_by=actor, valid=span(since, None), created_at=clock.now(),
            **asdict(particulars),
        )  # fmt: skip
        session.add(payee)
        session.flush()
        open_books(payee.id, payee.regime)
        audit.record("payee.open", "payee", payee.id, actor)
        return payee


def confirm(payee_id: int, *, confirmed_by: str, note: str, sample: bool = False) -> PayeeConfirmation:
    """A second person's word that the particulars are right; from now on the payee may collect.

    `sample=True` needs the word 示例 in its note and counts only where samples are accepted.
    Refuses `NoSuchPayee`, `SampleNotMarked`, `ConfirmationSaysNothing`, `OwnPayee`, `PayeeConfirmed`.
    """
    if not note.strip():
        raise ConfirmationSaysNothing
    if says_sample(note) is not sample:
        raise SampleNotMarked
    with transaction():
        payee = _locked(payee_id)
        if payee.opened_by == confirmed_by:
            raise OwnPayee
        confirmation = PayeeConfirmation(
            payee_id=payee_id, opened_by=payee.opened_by, confirmed_by=confirmed_by, confirmed_at=clock.now(),
            note=note.strip(), sample=sample,
        )  # fmt: skip
        with refusing({"a_payee_is_confirmed_once": PayeeConfirmed}) as session:
            session.add(confirmation)
        audit.record("payee.confirm", "payee", payee_id, confirmed_by, {"sample": sample})
        return confirmation


def retire(payee_id: int, at: datetime, actor: str) -> Payee:
    """Lots may name the payee until this moment and no longer; what arose before, it still collects.

    Refuses `NoSuchPayee`, `EndUnfit`, `PayeeStillNamed`.
    """
    with transaction():
        payee = _locked(payee_id)
        with refusing({"a_payee_that_a_lot_names_does_not_end": PayeeStillNamed}):
            payee.valid = shortened(payee.valid, at)
        audit.record("payee.retire", "payee", payee_id, actor, {"at": at.isoformat()})
        return payee


def _locked(payee_id: int) -> Payee:
    mine = select(Payee).filter_by(id=payee_id).with_for_update(key_share=True)
    found = current().scalar(mine.execution_options(populate_existing=True))
    if found is None:
        raise NoSuchPayee
    return found
