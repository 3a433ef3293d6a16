"""Finance people propose, decide and send what is due to a treasury; what is late becomes a task."""

import uuid
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from app.domain.payees.queries import place_of_payee
from app.domain.policies.queries import numbers
from app.domain.remittance.rules import DUE, UNRECEIVED
from app.domain.staff.rules import Actor, Place, permit
from app.domain.tasks.actions import open_task, settle_tasks
from app.domain.tasks.queries import open_subjects
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.files import Paper, StoredFile, content_of, keep
from app.kernel.money import Fen
from payments.payees.queries import payee_by_key
from payments.remittance import actions as remittance
from payments.remittance.models import RemittanceBatch
from payments.remittance.queries import Late, batch, overdue, paper_of, unreceived


def propose(by: Actor, payee: uuid.UUID, because: str) -> RemittanceBatch:
    """Gather what a payee owes its treasury. Refuses as `payments.remittance.actions.propose` does."""
    with transaction():
        of = payee_by_key(payee)
        permit(by, "remittance.propose", place_of_payee(of.id))
        return remittance.propose(of.id, by.label, because)


def approve(by: Actor, key: uuid.UUID, because: str) -> RemittanceBatch:
    """Agree with another's batch. Refuses as `payments.remittance.actions.approve` does."""
    with transaction():
        permit(by, "remittance.approve", _place_of(key))
        return remittance.approve(key, by.label, because)


def send_back(by: Actor, key: uuid.UUID, because: str) -> RemittanceBatch:
    """Do not agree with another's batch. Refuses as `payments.remittance.actions.send_back` does."""
    with transaction():
        permit(by, "remittance.send_back", _place_of(key))
        return remittance.send_back(key, by.label, because)


def withdraw(by: Actor, key: uuid.UUID, because: str) -> RemittanceBatch:
    """Take one's own batch back. Refuses as `payments.remittance.actions.withdraw` does."""
    with transaction():
        permit(by, "remittance.withdraw", _place_of(key))
        return remittance.withdraw(key, by.label, because)


def send(by: Actor, key: uuid.UUID, document_number: str, because: str) -> RemittanceBatch:
    """Say that a batch was paid in under a document. Refuses as `payments.remittance.actions.send` does."""
    with transaction():
        permit(by, "remittance.send", _place_of(key))
        return remittance.send(key, document_number, by.label, because)


def receive(
    by: Actor, key: uuid.UUID, number: str, received_on: date, amount_fen: Fen, because: str
) -> RemittanceBatch:  # fmt: skip
    """Write the treasury's receipt of a batch down. Refuses as `payments.remittance.actions.receive` does."""
    with transaction():
        permit(by, "remittance.receive", _place_of(key))
        return remittance.receive(key, number, received_on, amount_fen, by.label, because)


def bounce(
    by: Actor, key: uuid.UUID, number: str, returned_on: date, amount_fen: Fen, paper: Paper, because: str
) -> RemittanceBatch:  # fmt: skip
    """Write down that the bank gave a batch back, with its paper. Refuses as `payments.remittance.actions.bounce` does.

    Refuses `FileRefused`.
    """
    with transaction():
        permit(by, "remittance.bounce", _place_of(key))
        kept = keep(paper, by.account_id)
        return remittance.bounce(key, number, returned_on, amount_fen, kept.id, by.label, because)


def refuse(
    by: Actor, key: uuid.UUID, number: str, refused_on: date, paper: Paper, because: str
) -> RemittanceBatch:  # fmt: skip
    """Write down that the treasury refused a batch, with its paper.

    Refuses `FileRefused`, and as `payments.remittance.actions.refuse` does.
    """
    with transaction():
        permit(by, "remittance.refuse", _place_of(key))
        kept = keep(paper, by.account_id)
        return remittance.refuse(key, number, refused_on, kept.id, by.label, because)


def take_paper(by: Actor, key: uuid.UUID) -> StoredFile:
    """Take the paper by which a remittance was given back or refused out of the platform, which is written down.

    Refuses `NoSuchBatch`, `NoBatchPaper`.
    """
    with transaction():
        permit(by, "remittance.take_paper", _place_of(key))
        of = batch(key)
        file_id = paper_of(of.id)
        audit.record("remittance.take_paper", "remittance_batch", of.id, by.label)
        return content_of(file_id)


def watch() -> int:
    """Ask a person about what was due to a treasury for too long, and what was sent and never received.

    How long stands in the policy numbers `remit_within_days` and `treasury_receipt_days`. What has been done since is
    asked no more. Returns how many are late.
    """
    with transaction():
        now, limits = clock.now(), numbers()
        due = overdue(clock.business_day(now) - timedelta(days=limits["remit_within_days"]))
        lost = unreceived(now - timedelta(days=limits["treasury_receipt_days"]))
        _ask(DUE, "payee", {each.payee_id: each for each in due})
        _ask(UNRECEIVED, "remittance_batch", {each.batch_id or 0: each for each in lost})
        return len(due) + len(lost)


def _ask(kind: str, subject: str, late: dict[int, Late]) -> None:
    _stop_asking(kind, subject, late)
    for subject_id, each in late.items():
        told: dict[str, Any] = {"payee_id": each.payee_id, "fen": each.fen, "since": each.since.isoformat()}
        open_task(kind, subject, subject_id, told, place=place_of_payee(each.payee_id))


def _stop_asking(kind: str, subject: str, late: Collection[int]) -> None:
    for subject_id in open_subjects(kind, subject):
        if subject_id not in late:
            settle_tasks(kind, subject, subject_id, "已办理")


def _place_of(key: uuid.UUID) -> Place:
    return place_of_payee(batch(key).payee_id)
