"""Another person decides on a batch; before that its maker may take it back."""

import uuid

from app.kernel.db import transaction
from app.kernel.refusals import NotAllowed
from payments.remittance.actions.steps import lock, lock_anothers, move
from payments.remittance.models import RemittanceBatch


class NotYourBatch(NotAllowed):
    """A batch is taken back by who proposed it; others send it back."""

    code = "not_your_remittance"
    message = "只有制单人可以撤回上缴批次"


def approve(key: uuid.UUID, by: str, because: str) -> RemittanceBatch:
    """Agree that a batch is paid in: from now on a refund of its money is the treasury's (退付).

    Refuses `NoSuchBatch`, `OwnBatch`, `ReasonMissing`, `WrongState`.
    """
    with transaction():
        batch = lock_anothers(key, by)
        move(batch, "approve", by, because)
        return batch


def send_back(key: uuid.UUID, by: str, because: str) -> RemittanceBatch:
    """Do not agree: what it held is due again. Refuses as `approve` does."""
    with transaction():
        batch = lock_anothers(key, by)
        move(batch, "return", by, because)
        return batch


def withdraw(key: uuid.UUID, by: str, because: str) -> RemittanceBatch:
    """Take back one's own batch. Refuses `NoSuchBatch`, `NotYourBatch`, `ReasonMissing`, `WrongState`."""
    with transaction():
        batch = lock(key)
        if batch.made_by != by:
            raise NotYourBatch
        move(batch, "withdraw", by, because)
        return batch
