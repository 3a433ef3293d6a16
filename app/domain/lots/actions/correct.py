"""Correcting how a lot is described, in whatever state it is, by somebody whose right to do so was asked before."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from app.domain.lots.actions.bays import REFUSALS
from app.domain.lots.actions.steps import lock_lot_by_id, remember_step, said
from app.domain.lots.models import Lot
from app.domain.lots.rules.telling import NewLot
from app.domain.staff.rules import Actor
from app.kernel.db import refusing, transaction


def corrected(lot: Lot, facts: Mapping[str, Any]) -> NewLot:
    """The lot as it would be told with these columns. Refuses what `NewLot.checked` refuses."""
    told = {each.name: getattr(lot, each.name) for each in fields(NewLot)}
    return NewLot(**{**told, **facts}).checked()


def correct(by: Actor, lot_id: int, facts: Mapping[str, Any], why: str) -> Lot:
    """Change these columns of a lot's description, with a reason; the step is remembered.

    For rooms that asked `permit` themselves. Refuses `ReasonMissing`, what `NewLot.checked` refuses, `LotKnown` and
    `MoreBaysThanThereAre`.
    """
    with transaction():
        lot = lock_lot_by_id(lot_id)
        with refusing(REFUSALS):
            for name, value in vars(corrected(lot, facts)).items():
                setattr(lot, name, value)
        remember_step(lot, "correct", by, said(why))
        return lot
