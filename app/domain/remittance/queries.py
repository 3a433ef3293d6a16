"""What finance people see of remittances: those of the payees within their reach."""

import uuid
from collections.abc import Sequence

from app.domain.payees.queries import payees_within, place_of_payee
from app.domain.staff.rules import Actor, permit, reach
from app.kernel.db import transaction
from payments.remittance import queries as remittance
from payments.remittance.models import RemittanceStep
from payments.remittance.queries import PAGE, BatchPaper, BatchView, Due


def dues(by: Actor) -> list[Due]:
    """What is due to each treasury and was not sent. Refuses `NotPermitted`."""
    with transaction():
        return remittance.dues(payees=payees_within(reach(by, "remittance.see")))


def batches(by: Actor, *, state: str | None = None, limit: int = PAGE) -> list[BatchView]:
    """Batches, the newest first. Refuses `NotPermitted`."""
    with transaction():
        return remittance.batches(payees=payees_within(reach(by, "remittance.see")), state=state, limit=limit)


def papers(by: Actor, limit: int = PAGE) -> list[BatchPaper]:
    """The papers by which remittances were given back or refused, the newest first. Refuses `NotPermitted`."""
    with transaction():
        return remittance.papers(payees=payees_within(reach(by, "remittance.see")), limit=limit)


def one_batch(by: Actor, key: uuid.UUID) -> tuple[BatchView, Sequence[RemittanceStep]]:
    """A batch, and who took each of its steps. Refuses `NoSuchBatch`."""
    with transaction():
        found = remittance.batch(key)
        permit(by, "remittance.see", place_of_payee(found.payee_id))
        return remittance.view(found), remittance.steps_of(found.id)
