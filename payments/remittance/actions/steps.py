"""Every step of a batch: its row locked, its state, and who took it and why."""

import uuid
from datetime import date

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.db import current
from app.kernel.refusals import Invalid, NotAllowed
from payments.remittance.models import RemittanceBatch, RemittanceReceipt, RemittanceStep
from payments.remittance.queries import NoSuchBatch
from payments.remittance.rules import REMITTANCE


class OwnBatch(NotAllowed):
    """Nobody decides on what they proposed themselves."""

    code = "own_remittance"
    message = "制单人不得复核本人提出的上缴批次"


class ReasonMissing(Invalid):
    """Whoever takes a step says why, without personal data."""

    code = "remittance_reason_missing"
    message = "请填写办理说明"


def lock(key: uuid.UUID) -> RemittanceBatch:
    """The batch, for this transaction alone. Refuses `NoSuchBatch`."""
    found = current().scalar(select(RemittanceBatch).filter_by(key=key).with_for_update())
    if found is None:
        raise NoSuchBatch
    return found


def lock_anothers(key: uuid.UUID, by: str) -> RemittanceBatch:
    """The same of a batch on which this person may decide. Refuses `NoSuchBatch`, `OwnBatch`."""
    batch = lock(key)
    if batch.made_by == by:
        raise OwnBatch
    return batch


def move(batch: RemittanceBatch, event: str, by: str, because: str, **along: object) -> None:
    """Take one edge and write down who and why. Refuses `ReasonMissing`, `WrongState`."""
    expect_reason(because)
    REMITTANCE.move(batch, event, by, **along)
    note(batch, by, because)
    audit.record(f"remittance.{event}", "remittance_batch", batch.id, by, {"amount_fen": batch.amount_fen})


def note(batch: RemittanceBatch, by: str, because: str) -> None:
    """Who brought the batch into the state in which it is."""
    told = {"batch_id": batch.id, "state": batch.state, "made_by": batch.made_by}
    current().add(RemittanceStep(**told, by=by, at=clock.now(), because=because.strip()))
    current().flush()


def prove(batch: RemittanceBatch, on: date, by: str, **source: object) -> None:
    """Keep what proves that the batch left or arrived: the bank's line, or the number of the treasury's receipt."""
    whose = {"batch_id": batch.id, "payee_id": batch.payee_id, "amount_fen": batch.amount_fen}
    current().add(RemittanceReceipt(**whose, **source, received_on=on, recorded_by=by, recorded_at=clock.now()))
    current().flush()


def expect_reason(because: str) -> None:
    """Refuses `ReasonMissing` where nothing is said."""
    if not because.strip():
        raise ReasonMissing
