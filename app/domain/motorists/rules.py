"""What follows from a vehicle's plate, and how a person's number is shown."""

from typing import Final

from app.domain.motorists.plates import Plate, PlateColour

_LARGE: Final = frozenset({PlateColour.YELLOW, PlateColour.YELLOW_GREEN})
MOBILE_DIGITS: Final = 11


def vehicle_class(plate: Plate) -> str:
    """The class that tariffs know a vehicle by: yellow plates are `large`, all others `small`.

    Source: price notes of Hangzhou, "large vehicles (yellow plate)".
    """
    return "large" if plate.colour in _LARGE else "small"


def masked_phone(phone: str) -> str:
    """`13812345678` -> `138****5678`; the last four of any other number."""
    shown = phone[:3] if len(phone) == MOBILE_DIGITS else ""
    return f"{shown}****{phone[-4:]}"
