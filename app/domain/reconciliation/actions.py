"""Finance people compare days, explain differences, clear suspense, correct journals, and sign days off."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from app.domain.payees.queries import place_of_payee
from app.domain.policies.queries import numbers
from app.domain.reconciliation.queries import SignedDay, SignedMonth, signed_day, signed_month
from app.domain.staff.queries import account_id, actor_of
from app.domain.staff.rules import CITY, Actor, NotPermitted, Place, permit
from app.kernel import audit
from app.kernel.db import transaction
from app.kernel.files import Paper, keep
from app.kernel.refusals import Conflict, NotFound
from payments.bank import actions as bank
from payments.bank.models import BankStatement, LineMeaning, PayeeAccount
from payments.bank.queries import account as account_by
from payments.bank.queries import meaning
from payments.bank.queries import statement as statement_by
from payments.bills import actions as bills
from payments.bills.models import BillFile
from payments.bills.queries import bill_day, loaded_bill, original_text
from payments.ledger.queries import journal_named
from payments.parity import actions as parity
from payments.parity.models import Correction
from payments.parity.queries import correction
from payments.payees.models import MerchantChannel
from payments.payees.queries import payee_by_key
from payments.reconciliation import actions as recon
from payments.reconciliation.actions.sign import DayNotCompared
from payments.reconciliation.models import (
    AgreedRate,
    DayProposal,
    DaySignOff,
    Difference,
    ReconRun,
    StrayPlacement,
    SuspenseClearing,
)
from payments.reconciliation.queries import clearing, difference, latest_run, merchant, payee_of_held, placement, rate


class OwnerCannotAct(Conflict):
    """Whoever is to clear something up must be allowed to act there."""

    code = "owner_cannot_act"
    message = "该账号无权处理该收费主体的差异"


@dataclass(frozen=True)
class Against:
    """What offsets something in suspense: what is held of a charge or a refund, or other differences."""

    charge: uuid.UUID | None = None
    refund: uuid.UUID | None = None
    others: Sequence[uuid.UUID] = ()


def compare(by: Actor, sub_mchid: str, day: date) -> ReconRun:
    """Compare a merchant's day anew; once signed off it stays as it was found.

    Refuses `NoSuchMerchant`, `DayNotCompared` while there is no bill.
    """
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.compare", _place(channel))
        recon.reconcile(channel.id, day)
        run = latest_run(channel.id, day)
        if run is None:
            raise DayNotCompared
        return run


def take(by: Actor, key: uuid.UUID) -> Difference:
    """It is this person's to clear up. Refuses `NoSuchDifference`."""
    with transaction():
        permit(by, "reconciliation.take", _place_of(key))
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
        permit(by, "reconciliation.explain", _place_of(key))
        return recon.explain(key, by.label, because)


def accept(by: Actor, key: uuid.UUID, because: str) -> Difference:
    """Agree with another's explanation. Refuses as `payments.reconciliation.actions.accept` does."""
    with transaction():
        permit(by, "reconciliation.accept", _place_of(key))
        return recon.accept(key, by.label, because)


def reject(by: Actor, key: uuid.UUID, because: str) -> Difference:
    """Send another's explanation back. Refuses as `payments.reconciliation.actions.reject` does."""
    with transaction():
        permit(by, "reconciliation.reject", _place_of(key))
        return recon.reject(key, by.label, because)


def clear(by: Actor, key: uuid.UUID, against: Against, because: str) -> SuspenseClearing:
    """Ask that something in suspense is cleared. Refuses as `payments.reconciliation.actions.clear_against` does."""
    with transaction():
        permit(by, "reconciliation.clear", _place_of(key))
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
        permit(by, "reconciliation.place", _place_of(key))
        return recon.place(key, charge, by.label, because)


def give_back(by: Actor, key: uuid.UUID, because: str) -> StrayPlacement:
    """Ask that a stray payment goes back. Refuses as `payments.reconciliation.actions.give_back` does."""
    with transaction():
        permit(by, "reconciliation.give_back", _place_of(key))
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


def propose(by: Actor, sub_mchid: str, day: date) -> DayProposal:
    """Say that a merchant's day is explained. Refuses as `payments.reconciliation.actions.propose` does."""
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.propose", _place(channel))
        return recon.propose(channel.id, day, by.label)


def sign(by: Actor, sub_mchid: str, day: date) -> DaySignOff:
    """Close a merchant's day that another proposed. Refuses as `payments.reconciliation.actions.sign` does."""
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.sign", _place(channel))
        return recon.sign(channel.id, day, by.label)


def record_rate(by: Actor, sub_mchid: str, rate_ppm: int, since: date, note: str) -> AgreedRate:
    """Write down at which rate WeChat's fee was agreed. Refuses `NoSuchMerchant`, `RateUnfit`."""
    with transaction():
        channel = merchant(sub_mchid, since)
        permit(by, "reconciliation.record_rate", _place(channel))
        return recon.record_rate(channel, rate_ppm, since, note, by.label)


def confirm_rate(by: Actor, key: uuid.UUID) -> AgreedRate:
    """Agree with a recorded rate. Refuses as `payments.reconciliation.actions.confirm_rate` does."""
    with transaction():
        found = rate(key)
        permit(by, "reconciliation.confirm_rate", CITY if found is None else place_of_payee(found.payee_id))
        return recon.confirm_rate(key, by.label)


def take_day_sheet(by: Actor, sub_mchid: str, day: date) -> SignedDay:
    """Take the sheet of a closed day out of the platform, which is written down. Refuses as `signed_day` does."""
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.take_day_sheet", _place(channel))
        told = signed_day(channel, day)
        audit.record("day.sheet", "merchant_channel", channel.id, by.label, {"day": day.isoformat()})
        return told


def take_month_sheet(by: Actor, sub_mchid: str, month: date) -> SignedMonth:
    """Take the sheet of a month out, likewise. Refuses as `signed_month` does."""
    with transaction():
        channel = merchant(sub_mchid, month)
        permit(by, "reconciliation.take_month_sheet", _place(channel))
        told = signed_month(channel, month)
        audit.record("month.sheet", "merchant_channel", channel.id, by.label, {"month": f"{month:%Y-%m}"})
        return told


def export_bill(
    by: Actor, sub_mchid: str, day: date, kind: str, into: BinaryIO, version: int | None = None
) -> BillFile:  # fmt: skip
    """Write the text of a bill, or of its newest version, as WeChat gave it: proven by its hashes, and written down.

    It names payers (用户标识). Refuses `NoSuchMerchant`, `NoSuchBillDay`, `NoOriginal`.
    Raises `OriginalSpoilt`: then what was written is worth nothing.
    """
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.export_bill", _place(channel))
        bill = loaded_bill(bill_day(sub_mchid, day, kind).id, version)
        into.writelines(original_text(bill))
        audit.record("bill_original.export", "bill_file", bill.id, by.label)
        return bill


def load_bill(by: Actor, sub_mchid: str, day: date, kind: str, file: BinaryIO, because: str) -> BillFile:
    """Bring a bill that WeChat has no more, from a file of its merchant platform; another person signs the day.

    Refuses `NoSuchMerchant`, `NoSuchBillDay`, and as `payments.bills.actions.bring_bill` does.
    """
    with transaction():
        permit(by, "reconciliation.load_bill", _place(merchant(sub_mchid, day)))
        due, keep_days = bill_day(sub_mchid, day, kind), numbers()["bill_originals_days"]
        return bills.bring_bill(due.id, file, by.label, because, on_loaded="reconciliation.match", keep_days=keep_days)


def load_no_bill(by: Actor, sub_mchid: str, day: date, kind: str, paper: Paper, because: str) -> BillFile:
    """Say that the merchant platform has no bill of a day that WeChat has no more, with the paper that proves it.

    Refuses `FileRefused`, and as `load_bill` does.
    """
    with transaction():
        permit(by, "reconciliation.load_no_bill", _place(merchant(sub_mchid, day)))
        due = bill_day(sub_mchid, day, kind)
        return bills.bring_none(
            due.id, keep(paper, by.account_id).id, by.label, because, on_loaded="reconciliation.match"
        )


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


def import_statement(by: Actor, payee_id: int, form: str, account: str, content: bytes) -> BankStatement:
    """Keep a payee's bank statement. Refuses as `payments.bank.actions.import_statement` does."""
    permit(by, "reconciliation.import_statement", place_of_payee(payee_id))
    return bank.import_statement(payee_id, form, account, content, by.label)


def _expected_owner(login: str, place: Place) -> Actor:
    owner = actor_of(account_id(login))
    try:
        permit(owner, "reconciliation.take", place)
    except (NotPermitted, NotFound):
        raise OwnerCannotAct from None
    return owner


def _place(channel: MerchantChannel) -> Place:
    return place_of_payee(channel.payee_id)


def _place_of(key: uuid.UUID) -> Place:
    return place_of_payee(difference(key).payee_id)
