"""A camera that saw no colour still means a car that the lot knows."""

from datetime import timedelta

import pytest

from app.domain.gates import queries
from app.domain.gates.queries import Passage
from app.domain.lots.models import Lot
from app.domain.motorists.actions import remember_plate
from app.domain.motorists.plates import Plate, plate_as_seen
from app.domain.motorists.plates import PlateColour as Colour
from tests import world
from tests.conftest import MovableClock
from tests.gates.stand import Hand


def decided(hand: Hand, plate: str, colour: str) -> tuple[str, str]:
    answer = hand.ask("POST", "/decide", hand.event("arrived", plate, plate_color=colour, direction=None))
    return answer["decision"], answer["reason"]


def passes(hand: Hand, plate: str, colour: str) -> Passage:
    """The passage of a car, as it was understood."""
    hand.ask("POST", "/events", {"events": [hand.event("passed", plate, plate_color=colour, direction=None)]})
    return queries.passages(queries.gate_events(hand.device.id))[-1]


def in_colour(plate: Plate, colour: Colour) -> int:
    return remember_plate(plate_as_seen(plate.characters, colour))


@pytest.mark.parametrize("colour", ["unknown", "other", "pink"])
def test_a_reserved_car_whose_colour_was_not_seen_is_the_reserved_car(
    hand: Hand, lot: Lot, clock: MovableClock, colour: str
) -> None:
    who = world.driver()
    world.reservation_ready_to_cancel(who, lot)
    clock.move_by(timedelta(hours=1, minutes=5))
    assert decided(hand, who.plate.characters, colour) == ("open", "reserved")
    assert passes(hand, who.plate.characters, colour).plate_id == in_colour(who.plate, Colour.BLUE)


@pytest.mark.parametrize(("inward", "outward"), [("blue", "unknown"), ("unknown", "blue"), ("unknown", "unknown")])
def test_a_car_inside_is_found_when_only_one_of_its_gates_saw_the_colour(
    hand: Hand, exit_hand: Hand, clock: MovableClock, inward: str, outward: str
) -> None:
    plate = world.some_plate().characters
    assert decided(hand, plate, inward) == ("open", "walk_in")
    entered = passes(hand, plate, inward)
    clock.move_by(timedelta(minutes=5))
    assert decided(exit_hand, plate, outward) != ("manual", "not_inside")
    assert passes(exit_hand, plate, outward).plate_id == entered.plate_id


def test_between_two_cars_with_these_characters_nobody_guesses(hand: Hand, exit_hand: Hand) -> None:
    plate = world.some_plate()
    for colour in ("blue", "yellow"):
        passes(hand, plate.characters, colour)
    assert passes(exit_hand, plate.characters, "unknown").plate_id == in_colour(plate, Colour.OTHER)


def test_a_car_that_the_lot_does_not_know_is_taken_as_it_was_read(hand: Hand) -> None:
    plate = world.some_plate()
    blue = in_colour(plate, Colour.BLUE)
    assert passes(hand, plate.characters, "unknown").plate_id == in_colour(plate, Colour.OTHER) != blue


def test_a_car_that_left_is_not_inside_any_more(hand: Hand, exit_hand: Hand, clock: MovableClock) -> None:
    plate = world.some_plate()
    passes(hand, plate.characters, "blue")
    clock.move_by(timedelta(minutes=5))
    passes(exit_hand, plate.characters, "blue")
    clock.move_by(timedelta(minutes=5))
    assert passes(hand, plate.characters, "unknown").plate_id == in_colour(plate, Colour.OTHER)


def test_a_colour_that_was_seen_is_never_another_colour(hand: Hand, exit_hand: Hand) -> None:
    plate = world.some_plate()
    passes(hand, plate.characters, "blue")
    assert passes(exit_hand, plate.characters, "yellow").plate_id == in_colour(plate, Colour.YELLOW)
