"""Motorists who signed, with a plate of their own."""

import random
import secrets
import uuid
from dataclasses import dataclass

from app.adapters.identity import Identity
from app.domain.motorists import actions as motorists
from app.domain.motorists.models import Motorist
from app.domain.motorists.plates import Plate, read_plate
from app.kernel.db import transaction
from tests import moulds
from tests.world.city import ANYWHERE, the_city


@dataclass(frozen=True)
class Driver:
    """A motorist who signed the agreement, with one vehicle."""

    id: int
    key: uuid.UUID
    vehicle_key: uuid.UUID
    plate: Plate


def some_plate(chance: random.Random | None = None) -> Plate:
    """A blue plate of Hangzhou that no other test uses; without `chance` the same in the same test."""
    choices = (chance or random).choices
    return read_plate("浙A" + "".join(choices("BCDEFGHJKLMNPQRSTUVWXYZ23456789", k=5)), "blue")


def driver(plate: Plate | None = None) -> Driver:
    """A motorist ready to reserve."""
    the_city()
    return _ready_to_reserve(plate) if plate else moulds.common("driver", _somebody, ["agreement"])


def _somebody() -> Driver:
    return _ready_to_reserve(some_plate(ANYWHERE))


def _ready_to_reserve(own: Plate) -> Driver:
    grant = motorists.sign_in("wx0000000000000000", Identity(openid=f"o-{secrets.token_hex(12)}", unionid=None))
    motorist_id = _id_of(grant.motorist_key)
    motorists.sign_agreement(motorist_id, "test-1", {"system": "test"})
    vehicle = motorists.add_vehicle(motorist_id, own.characters, own.colour)
    return Driver(motorist_id, grant.motorist_key, vehicle.key, own)


def _id_of(key: uuid.UUID) -> int:
    with transaction() as session:
        return session.query(Motorist.id).filter_by(key=key).scalar() or 0
