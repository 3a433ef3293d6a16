"""What the tables refuse, and senders side by side."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.adapters.city import CitySystem
from app.domain.city_feed.actions import find_lots, find_visits, send_due
from app.domain.city_feed.models import CityUpload
from app.domain.city_feed.queries import stands
from app.domain.city_feed.rules import UPLOAD, baidu_point, lane_number, pause, visit_uid
from app.domain.lots.models import Lot
from app.kernel.db import transaction
from tests.city_feed.stand import CityStand
from tests.conftest import MovableClock
from tests.payments.servers import in_parallel
from tests.world import drive, gate, open_lot, shanghai, some_plate


def _visit(lot: Lot, clock_: MovableClock) -> None:
    plate = some_plate()
    drive(gate(lot), plate)
    clock_.move_by(timedelta(minutes=2))
    drive(gate(lot, "out"), plate)


@pytest.mark.usefixtures("city")
def test_the_table_refuses_an_exit_while_its_entry_waits(known_lot: Lot, clock: MovableClock) -> None:
    _visit(known_lot, clock)
    find_visits()
    with pytest.raises(IntegrityError, match="the entry of visit"):
        _accept_the_exit()


def _accept_the_exit() -> None:
    with transaction() as session:
        upload = session.query(CityUpload).filter_by(kind="exit").one()
        upload.attempts = 1
        UPLOAD.move(upload, "accept", "test", ended_at=datetime.now(UTC))


@pytest.mark.usefixtures("city")
def test_a_visit_has_one_entry_however_many_look_for_it(app: Flask, known_lot: Lot, clock: MovableClock) -> None:
    for _ in range(3):
        _visit(known_lot, clock)
    found = in_parallel(app, 4, find_visits)
    assert sorted(found) == [0, 0, 0, 6]


def test_a_lot_is_announced_once_however_many_look_for_it(app: Flask, city: CityStand, known_lot: Lot) -> None:
    open_lot()
    assert sorted(in_parallel(app, 4, find_lots)) == [0, 0, 0, 1]
    assert (len(city.book["lots"]), known_lot.state) == (1, "open")


def test_senders_side_by_side_tell_each_visit_once_and_in_order(
    app: Flask, city: CityStand, known_lot: Lot, system: CitySystem, clock: MovableClock
) -> None:
    for _ in range(4):
        _visit(known_lot, clock)
    find_visits()

    def send() -> int:
        return sum(send_due(system) for _ in range(20))

    assert sum(in_parallel(app, 3, send)) == 8
    send_due(system)
    assert stands().due == 0
    assert [kind for kind, _ in city.taken if kind in {"arrival", "departure"}] == ["arrival", "departure"] * 4


def test_the_program_cannot_unmake_what_was_told(admin: psycopg.Connection[Any], known_lot: Lot) -> None:
    assert known_lot.id
    rights = admin.execute(
        "SELECT DISTINCT privilege_type FROM information_schema.role_table_grants "
        "WHERE grantee = 'app_rw' AND table_name IN ('city_upload', 'city_visit', 'city_lot', 'city_line')"
    ).fetchall()
    assert {right for (right,) in rights} == {"SELECT", "INSERT", "UPDATE"}


def test_a_number_is_made_of_lot_lane_and_millisecond() -> None:
    at = shanghai("2026-06-10 20:00") + timedelta(milliseconds=7)
    assert visit_uid("330106000012", "3", at) == "330106000012320260610200000007"


@pytest.mark.parametrize(("lane", "number"), [("1", "1"), ("B2", "B2"), ("东门", "77"), (None, "77")])
def test_a_lane_that_cannot_be_told_is_told_by_its_gate(lane: str | None, number: str) -> None:
    assert lane_number(lane, 77) == number


def test_pauses_double_up_to_five_minutes() -> None:
    assert [pause(failures).total_seconds() for failures in (1, 2, 3, 8, 9, 10_000)] == [2, 4, 8, 256, 300, 300]


def test_a_baidu_point_is_undone_by_the_usual_inverse() -> None:
    latitude, longitude = baidu_point(30.2460, 120.2100)
    curve, x, y = math.pi * 3000 / 180, longitude - 0.0065, latitude - 0.006
    radius = math.hypot(x, y) - 0.00002 * math.sin(y * curve)
    angle = math.atan2(y, x) - 0.000003 * math.cos(x * curve)
    assert (longitude - 120.21, latitude - 30.246) == pytest.approx((0.0065, 0.006), abs=0.001)
    assert (radius * math.sin(angle), radius * math.cos(angle)) == pytest.approx((30.2460, 120.2100), abs=0.00001)
