"""Cars without a reservation: the share kept for those who reserve, and what becomes of a refusal (N2.2.3)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from psycopg.errors import CheckViolation, ExclusionViolation, InsufficientPrivilege
from sqlalchemy import select

from app.domain.claims.rules import Room, kept, share
from app.domain.lots.models import Lot
from app.domain.lots.rules import LOT
from app.domain.policies.actions import lay_down
from app.domain.reservations.actions import cancel
from app.domain.stays.actions import report_turn_away
from app.domain.stays.models import TurnAway
from app.domain.tasks.models import Task
from app.kernel.db import transaction
from tests.commands import refused, told
from tests.ground import Addresses
from tests.world import (
    ask,
    driver,
    gate,
    open_lot,
    reservation_ready_to_cancel,
    some_plate,
    staff,
)

Move = Callable[[datetime], None]
COUNT = st.integers(0, 50)


@pytest.fixture
def lot(evening: datetime) -> Lot:
    """Five bays, of which two are kept for reservations until an hour before nobody wants them."""
    own = open_lot(bays=5)
    lay_down("kept_for_reservations_percent", 40, evening - timedelta(days=1), "test", scope="lot", scope_id=own.id)
    return own


def reasons(lot: Lot, cars: int) -> list[str]:
    entrance = gate(lot)
    return [ask(entrance, some_plate()).reason for _ in range(cars)]


def recorded() -> TurnAway:
    with transaction() as session:
        return session.scalars(select(TurnAway)).one()


@given(bays=COUNT, free=COUNT, reserved=COUNT, wanted=COUNT, percent=st.integers(0, 200))
def test_no_more_is_kept_than_the_share_and_than_is_free_and_nothing_unwanted(
    bays: int, free: int, reserved: int, wanted: int, percent: int
) -> None:
    found = kept(Room(bays, min(free, bays), reserved, min(wanted, reserved)), percent)
    assert 0 <= found <= min(free, share(bays, percent))
    assert found == 0 or min(wanted, reserved) > 0
    assert found + reserved <= share(bays, percent) or found == 0


def test_what_is_left_of_the_share_is_kept_while_reservations_are_awaited(lot: Lot) -> None:
    reservation_ready_to_cancel(driver(), lot)
    assert reasons(lot, 5) == ["walk_in"] * 4 + ["kept_for_reservations"]
    row = recorded()
    assert (row.shared_bays, row.occupied_bays, row.kept_bays) == (5, 4, 1)


def test_the_share_is_released_where_nobody_wants_it_in_the_next_hour(lot: Lot) -> None:
    assert reasons(lot, 6) == ["walk_in"] * 5 + ["full"]


def test_a_cancelled_reservation_releases_what_was_kept_beside_it(lot: Lot) -> None:
    who = driver()
    made = reservation_ready_to_cancel(who, lot)
    assert reasons(lot, 5)[-1] == "kept_for_reservations"
    cancel(who.id, made.key)
    assert reasons(lot, 1) == ["walk_in"]


def test_a_share_of_nothing_keeps_nothing(lot: Lot, evening: datetime) -> None:
    lay_down("kept_for_reservations_percent", 0, evening, "test", scope="lot", scope_id=lot.id)
    reservation_ready_to_cancel(driver(), lot)
    assert "kept_for_reservations" not in reasons(lot, 5)


def test_a_car_with_a_reservation_gets_in_whatever_is_kept(lot: Lot, evening: datetime, at: Move) -> None:
    who = driver()
    made = reservation_ready_to_cancel(who, lot)
    reasons(lot, 5)
    at(made.begins_at)
    assert ask(gate(lot), who.plate).reason == "reserved"


def test_of_two_cars_at_once_only_one_gets_the_last_bay_that_is_not_kept(app: Flask, lot: Lot) -> None:
    reservation_ready_to_cancel(driver(), lot)
    reasons(lot, 3)
    gates, plates = [gate(lot), gate(lot)], [some_plate(), some_plate()]

    def arrive(number: int) -> str:
        with app.app_context():
            return str(ask(gates[number], plates[number]).reason)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(arrive, range(2))) == ["kept_for_reservations", "walk_in"]


@pytest.fixture
def connection(servers: Addresses) -> Any:
    """The database as the program's own role."""
    with psycopg.connect(servers.app.replace("+psycopg", "", 1), autocommit=True) as connected:
        yield connected


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ("'full', 5, 4, 1", "bays_are_kept_for_reservations_or_none_are"),
        ("'kept_for_reservations', 5, 4, 0", "bays_are_kept_for_reservations_or_none_are"),
        ("'disliked', 5, 4, 0", "a_turn_away_has_one_of_the_known_reasons"),
        ("'full', 5, 6, 0", "no_more_bays_are_taken_than_there_are"),
    ],
)
def test_a_refusal_of_another_kind_cannot_be_stored(
    lot: Lot, connection: psycopg.Connection[Any], values: str, name: str
) -> None:
    reasons(lot, 6)
    with pytest.raises(CheckViolation) as refusal:
        connection.execute(
            "INSERT INTO turn_away (lot_id, event_id, at, reason, shared_bays, occupied_bays, kept_bays) "  # noqa: S608
            f"SELECT lot_id, event_id, at, {values} FROM turn_away".encode()
        )
    assert refusal.value.diag.constraint_name == name


@pytest.mark.parametrize("table", ["turn_away", "turn_away_report"])
def test_what_was_refused_is_never_rewritten(lot: Lot, connection: psycopg.Connection[Any], table: str) -> None:
    for change in (f"UPDATE {table} SET lot_id = lot_id", f"DELETE FROM {table}", f"TRUNCATE {table}"):  # noqa: S608
        with pytest.raises(InsufficientPrivilege):
            connection.execute(change.encode())


def test_a_report_is_joined_with_what_the_gate_was_told(lot: Lot) -> None:
    reasons(lot, 5)
    who = driver()
    ask(gate(lot), who.plate)
    report = report_turn_away(who.id, lot.key)
    assert (report.finding, report.decision, report.reason) == ("recorded", "deny", "full")
    assert (report.was_open, report.shared_bays, report.occupied_bays, report.free_bays) == (True, 5, 5, 0)


def test_a_refusal_that_no_gate_knows_of_is_put_before_a_person(lot: Lot) -> None:
    report = report_turn_away(driver().id, lot.key)
    assert (report.finding, report.decision, report.free_bays) == ("unexplained", None, 5)
    with transaction() as session:
        assert session.scalars(select(Task.kind)).all() == ["refusal_unexplained"]
        assert session.scalars(select(Task.unit_id)).all() == [lot.unit_id]


def test_what_a_gate_tells_late_is_found_beside_the_report(lot: Lot, evening: datetime) -> None:
    who = driver()
    assert report_turn_away(who.id, lot.key).finding == "unexplained"
    assert ask(gate(lot), who.plate).decision == "open"
    assert report_turn_away(who.id, lot.key).finding == "let_in"


def test_a_second_tap_is_the_same_report_and_a_later_one_another(lot: Lot, evening: datetime, at: Move) -> None:
    who = driver()
    first = report_turn_away(who.id, lot.key)
    assert report_turn_away(who.id, lot.key).key == first.key
    at(evening + timedelta(minutes=15))
    assert report_turn_away(who.id, lot.key).key != first.key


def test_the_table_itself_holds_a_second_tap_to_be_the_first(lot: Lot, connection: psycopg.Connection[Any]) -> None:
    report_turn_away(driver().id, lot.key)
    columns = "motorist_id, lot_id, around, lot_state, was_open, shared_bays, occupied_bays, free_bays"
    with pytest.raises(ExclusionViolation) as refusal:
        connection.execute(
            f"INSERT INTO turn_away_report (key, {columns}) "  # noqa: S608
            f"SELECT gen_random_uuid(), {columns} FROM turn_away_report".encode()
        )
    assert refusal.value.diag.constraint_name == "a_turn_away_is_reported_once"


def test_outside_the_open_hours_and_in_a_suspended_lot_the_report_says_so(
    lot: Lot, evening: datetime, at: Move
) -> None:
    with transaction() as session:
        LOT.move(session.get_one(Lot, lot.id), "suspend", "test")
    assert report_turn_away(driver().id, lot.key).finding == "not_open"


def test_staff_see_refusals_and_reports_of_their_own_lots(app: Flask, lot: Lot) -> None:
    reasons(lot, 6)
    report_turn_away(driver().id, lot.key)
    for by in (staff("regulator"), staff("unit", unit_id=lot.unit_id)):
        [row] = told(app, by, "turn-aways", "list", "--lot", lot.key)
        assert (row["reason"], row["occupied_bays"], row["lot"]) == ("full", 5, lot.name)
        [row] = told(app, by, "turn-aways", "reports", "--lot", lot.key)
        assert (row["finding"], row["lot"]) == ("full", lot.name)
    stranger = staff("unit", unit_id=open_lot().unit_id)
    assert told(app, stranger, "turn-aways", "list") == told(app, stranger, "turn-aways", "reports") == []
    assert refused(app, staff("price_officer"), "turn-aways", "list") == "not_permitted"
