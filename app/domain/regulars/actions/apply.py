"""Motorists apply for a regular place, and withdraw."""

import uuid

from app.domain.arrears.queries import refuse_owing
from app.domain.conduct.queries import refuse_suspended
from app.domain.lots.queries import policy_of
from app.domain.motorists.queries import agreement_signed, vehicle_of
from app.domain.regulars.models import RegularApplication
from app.domain.regulars.queries import own_application, round_by_key, running_applications
from app.domain.regulars.rules import APPLICATION
from app.domain.regulars.rules.refusals import (
    AlreadyApplied,
    ApplicationsClosed,
    PlateEntered,
    TooManyApplications,
)
from app.domain.reservations.actions.locks import lock_motorist
from app.kernel import clock
from app.kernel.db import refusing, transaction

REFUSALS = {
    "a_motorist_applies_once_to_a_round": AlreadyApplied,
    "a_plate_is_entered_once_in_a_round": PlateEntered,
    "an_application_comes_in_time": ApplicationsClosed,
}


def apply(motorist_id: int, round_key: uuid.UUID, vehicle_key: uuid.UUID) -> RegularApplication:
    """Enter a round with a vehicle; when and how early does not matter for the draw.

    Refuses `ReservationsSuspended`, `ArrearsOwed`, `AgreementNotSigned`, `VehicleNotFound`, `RoundNotFound`,
    `ApplicationsClosed` before it opens, from the closing moment on and after the draw, `AlreadyApplied`,
    `PlateEntered`, `TooManyApplications`.
    """
    with transaction() as session:
        lock_motorist(motorist_id)
        refuse_suspended(motorist_id)
        refuse_owing(motorist_id)
        signature, vehicle = agreement_signed(motorist_id), vehicle_of(motorist_id, vehicle_key)
        one = round_by_key(round_key).round
        made = RegularApplication(
            round_id=one.id, places=one.places, motorist_id=motorist_id, vehicle_id=vehicle.id,
            plate_id=vehicle.plate_id, agreement_signature_id=signature.id, applied_at=clock.now(), state="applied",
        )  # fmt: skip
        with refusing(REFUSALS):
            session.add(made)
            APPLICATION.born(made, "motorist", "apply")
        limit = policy_of(one.lot_id)["regular_places_per_motorist"]
        if running_applications(motorist_id, one.nights) > limit:
            raise TooManyApplications(limit=limit)
        return made


def withdraw(motorist_id: int, key: uuid.UUID) -> RegularApplication:
    """Take no part in the draw, or wait no longer. Refuses `ApplicationNotFound`, and `WrongState` with a place."""
    with transaction():
        lock_motorist(motorist_id)
        mine = own_application(motorist_id, key)
        APPLICATION.move(mine, "withdraw", "motorist")
        return mine
