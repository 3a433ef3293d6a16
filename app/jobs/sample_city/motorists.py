"""Sample motorists: signed in, with the agreement signed and a vehicle each; and cars that nobody has registered."""

import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from app.adapters.identity import Identity
from app.domain.motorists import actions as motorists
from app.domain.motorists.models import Motorist
from app.domain.motorists.plates import Plate, read_plate
from app.domain.motorists.published import SAMPLE_VERSION
from app.kernel.db import transaction

MOTORISTS: Final = 48
STRANGERS: Final = 8
ELECTRIC_EVERY: Final = 4


@dataclass(frozen=True)
class Driver:
    """A motorist of the sample with one vehicle."""

    id: int
    openid: str
    vehicle_key: uuid.UUID
    plate: Plate

    def __repr__(self) -> str:
        """Without the openid, so that a traceback never tells it."""
        return f"Driver({self.id})"


def sample_openid(number: int) -> str:
    """The openid of a sample motorist; the stand-in WeChat can be told to be this person."""
    return f"oSampleCity{number:017d}"


def sample_plate(number: int) -> Plate:
    """A plate of Hangzhou; every fourth car is electric."""
    if number % ELECTRIC_EVERY == 0:
        return read_plate(f"浙AD{number:05d}", "green")
    return read_plate(f"浙A{number:03d}SL", "blue")


def welcome(app_id: str) -> list[Driver]:
    """Sign all sample motorists in for the first time."""
    return [_welcome(app_id, number) for number in range(1, MOTORISTS + 1)]


def _welcome(app_id: str, number: int) -> Driver:
    openid, plate = sample_openid(number), sample_plate(number)
    with transaction() as session:
        grant = motorists.sign_in(app_id, Identity(openid=openid, unionid=None))
        motorist_id = session.scalars(select(Motorist.id).where(Motorist.key == grant.motorist_key)).one()
        motorists.sign_agreement(motorist_id, SAMPLE_VERSION, {"system": "sample-city"})
        vehicle = motorists.add_vehicle(motorist_id, plate.characters, plate.colour)
    return Driver(motorist_id, openid, vehicle.key, plate)


def strangers() -> list[Plate]:
    """Cars that drive in without an account behind them."""
    return [read_plate(f"浙A{number:03d}YK", "blue") for number in range(1, STRANGERS + 1)]
