"""Visits that only a partner's system saw: the city hears of each once, as of those that our gates saw (N3.1)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.domain.city_feed.actions import find_visits
from app.domain.city_feed.models import CityUpload, CityVisit
from app.domain.lots.models import Lot
from app.domain.motorists.plates import Plate
from app.domain.partners.actions import Record, ToldVisit, take_visits
from app.kernel import clock
from app.kernel.db import transaction
from tests.city_feed.stand import CityStand, find_secret
from tests.partners.stand import partner_of
from tests.payments.servers import in_parallel
from tests.world import drive, gate, some_plate

Tell = Callable[[], int]
Say = Callable[..., None]
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def plate() -> Plate:
    return some_plate()


@pytest.fixture
def say(known_lot: Lot, plate: Plate) -> Say:
    """The partner of the lot's unit tells of a visit that began half an hour ago."""
    partner = partner_of(unit_id=known_lot.unit_id)

    def say_it(uid: str = "V1", **more: Any) -> None:
        came = clock.now() - HALF_AN_HOUR
        usual = {"kind": "report", "told_at": clock.now(), "plate": plate, "entered_at": came, "entry_lane": "3"}
        told = ToldVisit(uid, **{**usual, **more})
        [verdict] = take_visits(partner.id, [Record({}, known_lot.key, told)])
        assert verdict.outcome == "recorded", verdict

    return say_it


def test_an_entry_is_told_with_the_partners_lane_and_moment(
    city: CityStand, say: Say, tell: Tell, plate: Plate
) -> None:
    say()
    tell()
    [told] = city.book["arrivals"].values()
    assert (told["plateNo"], told["entryNum"], told["parkingType"]) == (plate.characters, "3", 3)
    assert told["arriveTime"].startswith("2026-06-10 19:30")


def test_an_exit_is_told_under_the_number_of_its_entry(city: CityStand, say: Say, tell: Tell) -> None:
    entered_at = clock.now() - HALF_AN_HOUR
    say(entered_at=entered_at)
    tell()
    say(entered_at=entered_at, left_at=clock.now(), exit_lane="4")
    tell()
    [arrived], [left] = city.book["arrivals"].values(), city.book["departures"].values()
    assert (left["uid"], left["outNum"]) == (arrived["uid"], "4")
    assert left["endTime"].startswith("2026-06-10 20:00")


def test_a_visit_told_as_a_whole_is_told_as_entry_and_exit_and_once(city: CityStand, say: Say, tell: Tell) -> None:
    say(left_at=clock.now())
    assert [tell(), tell()] == [2, 0]
    assert [news[0] for news in city.taken if news[0] in {"arrival", "departure"}] == ["arrival", "departure"]


def test_a_visit_that_our_own_gates_saw_is_told_from_them_alone(
    city: CityStand, known_lot: Lot, say: Say, tell: Tell, plate: Plate
) -> None:
    drive(gate(known_lot), plate)
    say()
    tell()
    assert len(city.book["arrivals"]) == 1


def test_a_visit_that_was_voided_before_the_city_heard_of_it_is_not_told(
    city: CityStand, say: Say, tell: Tell, at: Callable[[datetime], None], evening: datetime
) -> None:
    say()
    find_visits()
    at(evening + timedelta(minutes=1))
    say(kind="void", reason="示例误报", plate=None, entered_at=None, entry_lane=None)
    tell()
    assert (city.book["arrivals"], city.book["departures"]) == ({}, {})
    with transaction() as session:
        assert [row.has_ended for row in session.query(CityVisit)] == [True]


def test_what_a_partner_saw_before_the_feed_began_is_not_told(city: CityStand, say: Say, tell: Tell) -> None:
    say(entered_at=clock.now() - timedelta(hours=3), left_at=clock.now() - timedelta(hours=2))
    assert tell() == 0


def test_a_partners_visit_to_a_secret_units_lot_is_withheld(
    city: CityStand, known_lot: Lot, say: Say, tell: Tell
) -> None:
    say()
    find_visits()
    find_secret(known_lot)
    tell()
    assert city.book["arrivals"] == {}
    with transaction() as session:
        assert {row.state for row in session.query(CityUpload).filter_by(kind="entry")} == {"withheld"}


@pytest.mark.usefixtures("city")
def test_a_partners_visit_is_found_once_however_many_look(app: Flask, say: Say) -> None:
    for number in range(3):
        say(f"V{number}", left_at=clock.now())
    assert sorted(in_parallel(app, 4, find_visits)) == [0, 0, 0, 6]
