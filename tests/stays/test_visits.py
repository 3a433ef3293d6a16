"""What passages amount to, whatever their order: the rule alone, and a car inside told by a misread plate."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.motorists.plates import PlateColour, plate_as_seen
from app.domain.stays.rules.likeness import the_one_like
from app.domain.stays.rules.visits import Book, Passed, Visit

START = datetime(2026, 6, 10, 12, tzinfo=UTC)
BLUE, GREEN, OTHER = PlateColour.BLUE, PlateColour.GREEN, PlateColour.OTHER


def passed(number: int, way: str, minute: float, *, offline: bool = False) -> Passed:
    return Passed(number, way, START + timedelta(minutes=minute), offline)


def visits(told: Sequence[Passed]) -> list[tuple[datetime, datetime | None]]:
    book = Book()
    for each in told:
        book.take(each)
    return sorted((visit.entered_at, visit.exited_at) for visit in book.visits)


@st.composite
def outages(draw: st.DrawFn) -> tuple[list[Passed], list[Passed]]:
    """Visits of one car as they were, and the same told late by an entrance and an exit, each in its own order.

    Some are told twice: the second time under another event, some seconds later.
    """
    count = draw(st.integers(1, 5))
    lived = [passed(n, "out" if n % 2 else "in", 10 * n, offline=True) for n in range(2 * count - draw(st.booleans()))]
    lanes = {way: [each for each in lived if each.direction == way] for way in ("in", "out")}
    told = []
    while any(lanes.values()):
        way = draw(st.sampled_from([way for way, left in lanes.items() if left]))
        one = lanes[way].pop(0)
        told.append(one)
        if draw(st.booleans()):
            told.append(Passed(one.event_id + 100, way, one.at + timedelta(seconds=7), offline=True))
    return lived, told


@given(outages())
def test_news_of_an_outage_comes_to_the_same_in_whatever_order_the_gates_tell_it(
    outage: tuple[list[Passed], list[Passed]],
) -> None:
    lived, told = outage
    assert visits(told) == visits(lived)


@given(st.lists(st.tuples(st.sampled_from(["in", "out"]), st.integers(0, 60), st.booleans()), max_size=12))
def test_visits_of_a_car_never_overlap_never_end_before_they_begin_and_one_at_most_is_open(
    told: list[tuple[str, int, bool]],
) -> None:
    book = Book()
    for number, (way, minute, offline) in enumerate(told):
        book.take(passed(number, way, minute, offline=offline))
    in_order = sorted(book.visits, key=lambda visit: visit.entered_at)
    assert all(visit.exited_at is None or visit.entered_at <= visit.exited_at for visit in in_order)
    for one, after in pairwise(in_order):
        assert one.exited_at is not None
        assert one.exited_at <= after.entered_at
    assert len({visit.entry for visit in in_order}) == len(in_order)


def test_an_exit_behind_an_entry_that_came_late_waits_for_the_exit_before_it() -> None:
    told = [passed(1, "in", 0), passed(3, "in", 20, offline=True), passed(4, "out", 30, offline=True)]
    assert visits(told) == [(START, None)]
    assert len(visits([*told, passed(2, "out", 10, offline=True)])) == 2


def test_an_entry_told_late_that_lies_within_a_visit_begins_no_second_one() -> None:
    told = [passed(1, "in", 0), passed(3, "out", 60), passed(2, "in", 30, offline=True)]
    assert [visit[0] for visit in visits(told)] == [START]


def test_the_car_inside_is_the_visit_without_an_exit() -> None:
    assert Book([Visit(1, START)]).inside == Visit(1, START)


@pytest.mark.parametrize(
    ("read", "colour", "inside", "distance"),
    [
        ("浙A1234B", BLUE, {"浙A12348": BLUE}, 30),
        ("浙AD2345", BLUE, {"浙A02345": BLUE}, 30),
        ("浙A5Z6G1", BLUE, {"浙AS26G1": BLUE}, 60),
        ("豫A12345", BLUE, {"鲁A12345": BLUE}, 50),
        ("浙AD1234", GREEN, {"浙AD12345": GREEN}, 50),
        ("浙AD1234", OTHER, {"浙AD12345": GREEN}, 50),
        ("浙A1234B", BLUE, {"浙A12348": BLUE, "浙C99999": BLUE}, 30),
        ("浙AD1234", BLUE, {"浙AD12345": GREEN}, None),
        ("浙A1234B", BLUE, {"浙A12348": GREEN}, None),
        ("浙A1234X", BLUE, {"浙A12348": BLUE}, None),
        ("豫A1234B", BLUE, {"鲁A12348": BLUE}, None),
        ("浙A1234", BLUE, {"浙A12345": BLUE}, None),
        ("浙A1234B", BLUE, {"浙A12348": BLUE, "浙A1234X": BLUE}, None),
        ("浙A1234B", BLUE, {"浙A12348": BLUE, "浙AI234B": BLUE}, None),
        ("浙AD1234", GREEN, {"浙AD12345": GREEN, "浙AD12346": GREEN}, None),
        ("浙A1234B", BLUE, {}, None),
    ],
)
def test_a_misread_plate_is_the_one_car_inside_that_hardly_differs_or_nobodys(
    read: str, colour: PlateColour, inside: dict[str, PlateColour], distance: int | None
) -> None:
    known = {number: plate_as_seen(*each) for number, each in enumerate(inside.items())}
    found = the_one_like(plate_as_seen(read, colour), known)
    assert (found and (found.plate_id, found.distance)) == (None if distance is None else (0, distance))
