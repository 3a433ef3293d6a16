"""Which of the cars inside a misread plate is: only one that hardly differs, and only if no other comes near.

Distances count in hundredths of a character.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.motorists.plates import PROVINCES, Plate, PlateColour

LOOK_ALIKES: Final = ("0ODQ", "1I", "2Z", "5S", "8B", "6G")
"""Characters that cameras take for each other."""

ALIKE, PROVINCE, DROPPED, OTHER = 30, 50, 50, 100
NEAREST: Final = 60
"""No car that differs more is taken for the one that was read."""

APART: Final = 100
"""How much farther away the next car must be."""

SETTLES_ALONE: Final = 30
"""A likeness that differs more lets the car out, and still a person looks at it."""

GREEN: Final = (PlateColour.GREEN, PlateColour.YELLOW_GREEN)


@dataclass(frozen=True)
class Match:
    """The plate that was meant, by its id, and how far it is from what was read."""

    plate_id: int
    distance: int


def the_one_like(read: Plate, inside: Mapping[int, Plate]) -> Match | None:
    """The one car inside that must have been read; none when none is near, or when two come into question."""
    far = ((distance(read, plate), plate_id) for plate_id, plate in inside.items())
    ranked = sorted((apart, plate_id) for apart, plate_id in far if apart is not None)
    if not ranked or ranked[0][0] > NEAREST:
        return None
    if len(ranked) > 1 and ranked[1][0] < ranked[0][0] + APART:
        return None
    return Match(ranked[0][1], ranked[0][0])


def distance(read: Plate, meant: Plate) -> int | None:
    """How far two plates are apart; none for plates that cannot be the same: other colours, other lengths."""
    colours = {read.colour, meant.colour} - {PlateColour.OTHER}
    if len(colours) > 1:
        return None
    if len(read.characters) == len(meant.characters):
        return sum(map(_apart, read.characters, meant.characters))
    return DROPPED if _lost_its_last(read, meant) else None


def _lost_its_last(read: Plate, meant: Plate) -> bool:
    """Eight characters of which the camera saw seven; only green plates have eight."""
    return (
        len(read.characters) == len(meant.characters) - 1
        and meant.characters.startswith(read.characters)
        and meant.colour in GREEN
    )


def _apart(one: str, other: str) -> int:
    if one == other:
        return 0
    if one in PROVINCES and other in PROVINCES:
        return PROVINCE
    return ALIKE if any(one in group and other in group for group in LOOK_ALIKES) else OTHER
