"""Telling whoever owes, reminding them, and at last keeping them from reserving anew."""

from sqlalchemy import select

from app.domain.arrears.queries import arrears_to_chase, step_due
from app.domain.arrears.rules import STEPS, body_of, push_of
from app.domain.messages.actions import tell
from app.domain.motorists.models import Motorist
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.rounds import each_alone


def chase(limit: int = 200) -> int:
    """Take every step that is due; returns how many. Several may run at once, and nobody is told twice.

    Each step counts from the one before it, so that after an outage nobody is held to a debt at the moment he first
    hears of it.
    """
    return each_alone(arrears_to_chase(limit), lambda due: _chase(*due))


def _chase(arrear_id: int, motorist_id: int) -> bool:
    """One arrear, one transaction: with the motorist's row locked, as by `reserve`, and asked again."""
    with transaction():
        lock_motorist(motorist_id)
        due = step_due(arrear_id, motorist_id)
        if due is None:
            return False
        it, now, step = due.arrear, clock.now(), STEPS[due.step]
        setattr(it, step.column, now)
        tell(
            motorist_id, f"arrears_{due.step}", f"arrear:{it.id}", step.title,
            body_of(due.step, due.lot_name, it.left_at, it.amount_fen),
            push_of(due.step, due.lot_name, it.left_at, it.amount_fen, now),
        )  # fmt: skip
        return True


def lock_motorist(motorist_id: int) -> None:
    """Reservations of this motorist wait until the transaction ends."""
    current().execute(select(Motorist.id).where(Motorist.id == motorist_id).with_for_update(key_share=True))
