import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.gates import actions as gates
from app.domain.lots.models import Lot
from app.kernel import clock
from tests import world
from tests.miniprogram.stand import Phone, a_plate


@pytest.fixture
def lot(motorist: Phone, evening: datetime) -> Lot:
    """A lot with two bays, open this evening; made after everybody has signed in, whose stand-in sets the time anew."""
    assert motorist.access
    assert clock.now() - evening < timedelta(minutes=1)
    return world.open_lot(bays=2)


@pytest.fixture
def driver(lot: Lot, motorist: Phone) -> Phone:
    """The motorist with the agreement of the day signed and a vehicle."""
    return ready(motorist)


def ready(phone: Phone) -> Phone:
    phone.sign_in()
    phone.post("/agreement/signatures", {"version": phone.get("/agreement")["version"]}, expect=201)
    phone.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=201)
    return phone


def span(hours: float = 1) -> dict[str, str]:
    begins_at = clock.now() + timedelta(minutes=30)
    return {"begins_at": begins_at.isoformat(), "ends_at": (begins_at + timedelta(hours=hours)).isoformat()}


def wish(phone: Phone, lot: Lot, **other: str) -> dict[str, Any]:
    return {"lot_key": str(lot.key), "vehicle_key": phone.get("/vehicles")[0]["key"], **span(), **other}


def test_a_lot_near_by_is_found_with_its_fee_and_free_bays(driver: Phone, lot: Lot) -> None:
    page = driver.get("/lots", {"lat": lot.latitude, "lng": lot.longitude, **span()})
    assert page["next_cursor"] is None
    [found] = page["items"]
    assert (found["key"], found["distance_m"], found["open_bays"]) == (str(lot.key), 0, 2)
    assert (found["is_open"], found["fee_fen"]) == (True, 300)


def test_one_lot_is_shown_closely(driver: Phone, lot: Lot) -> None:
    assert driver.get(f"/lots/{lot.key}", span(2))["fee_fen"] == 600
    assert driver.get(f"/lots/{uuid.uuid4()}", span(), expect=404)["code"] == "lot_not_found"


def test_a_list_goes_on_where_it_ended(driver: Phone) -> None:
    lots = [world.open_lot(bays=1) for _ in range(22)]
    query = {"lat": 30.255, "lng": 120.155, "radius_m": 5000, **span()}
    first = driver.get("/lots", query)
    second = driver.get("/lots", {**query, "cursor": first["next_cursor"]})
    keys = [row["key"] for row in first["items"] + second["items"]]
    assert (len(first["items"]), second["next_cursor"]) == (20, None)
    assert len(set(keys)) == len(keys) == len(lots) + 1


def test_a_cursor_of_somebody_else_or_of_another_list_is_refused(driver: Phone, stranger: Phone) -> None:
    for _ in range(21):
        world.open_lot(bays=1)
    query = {"lat": 30.255, "lng": 120.155, "radius_m": 5000, **span()}
    cursor = driver.get("/lots", query)["next_cursor"]
    ready(stranger)
    assert stranger.get("/lots", {**query, "cursor": cursor}, expect=422)["code"] == "invalid_cursor"
    assert driver.get("/reservations", {"cursor": cursor}, expect=422)["code"] == "invalid_cursor"


def test_a_reservation_is_confirmed_at_once_with_its_bay(driver: Phone, lot: Lot) -> None:
    made = driver.post("/reservations", wish(driver, lot), expect=201)
    assert (made["state"], made["lot"]["name"]) == ("confirmed", lot.name)
    assert made["bay"] in {"A001", "A002"}
    assert driver.get(f"/reservations/{made['key']}") == made
    assert driver.get("/reservations") == {"items": [made], "next_cursor": None}


def test_the_gate_is_ready_when_it_acknowledged_and_unknown_where_there_is_none(driver: Phone, lot: Lot) -> None:
    made = driver.post("/reservations", wish(driver, lot), expect=201)
    assert made["gate_ready"] is None
    gate = world.gate(lot)
    assert driver.get("/reservations")["items"][0]["gate_ready"] is False
    pulled = gates.pull(gate.id, 0)
    assert driver.get(f"/reservations/{made['key']}")["gate_ready"] is False
    assert gates.acknowledge(gate.id, pulled.to, pulled.sha256)
    assert driver.get(f"/reservations/{made['key']}")["gate_ready"] is True
    assert driver.get("/reservations")["items"][0]["gate_ready"] is True


def test_a_double_tap_reserves_one_bay(driver: Phone, lot: Lot) -> None:
    plan, key = wish(driver, lot), uuid.uuid4().hex
    first = driver.post("/reservations", plan, expect=201, key=key)
    assert driver.post("/reservations", plan, expect=201, key=key) == first
    assert len(driver.get("/reservations")["items"]) == 1


def test_a_cancelled_reservation_gives_its_bay_back(driver: Phone, lot: Lot) -> None:
    made = driver.post("/reservations", wish(driver, lot), expect=201)
    cancellation = driver.post(f"/reservations/{made['key']}/cancellation", expect=201)
    assert set(cancellation) == {"cancelled_at", "in_time"}
    assert driver.get(f"/reservations/{made['key']}")["state"] == "cancelled"
    assert driver.get(f"/lots/{lot.key}", span())["open_bays"] == 2


def test_a_reservation_cannot_be_cancelled_twice(driver: Phone, lot: Lot) -> None:
    made = driver.post("/reservations", wish(driver, lot), expect=201)
    driver.post(f"/reservations/{made['key']}/cancellation", expect=201)
    assert driver.post(f"/reservations/{made['key']}/cancellation", expect=409)["code"] == "wrong_state"


def test_somebody_elses_reservation_is_simply_not_there(driver: Phone, stranger: Phone, lot: Lot) -> None:
    made = driver.post("/reservations", wish(driver, lot), expect=201)
    ready(stranger)
    assert stranger.get(f"/reservations/{made['key']}", expect=404)["code"] == "reservation_not_found"
    stranger.post(f"/reservations/{made['key']}/cancellation", expect=404)
    assert stranger.get("/reservations")["items"] == []
    assert driver.get(f"/reservations/{made['key']}")["state"] == "confirmed"


def test_somebody_elses_vehicle_reserves_nothing(driver: Phone, stranger: Phone, lot: Lot) -> None:
    ready(stranger)
    refused = stranger.post("/reservations", wish(driver, lot), expect=404)
    assert refused["code"] == "vehicle_not_found"


@pytest.mark.parametrize("field", ["amount_fen", "state", "payee_id", "unit_id", "motorist_id", "bay_id"])
def test_fields_that_are_not_a_motorists_to_set_are_refused(driver: Phone, lot: Lot, field: str) -> None:
    refused = driver.post("/reservations", {**wish(driver, lot), field: 1}, expect=422)
    assert refused["details"]["fields"] == {"json": {field: ["未知字段"]}}
    assert driver.get("/reservations")["items"] == []


def test_the_seventh_reservation_of_a_minute_has_to_wait(driver: Phone, lot: Lot) -> None:
    plan = {**wish(driver, lot), "lot_key": str(uuid.uuid4())}
    answers = [driver.ask("POST", "/reservations", plan) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [404] * 6 + [429]
    assert answers[-1].headers["Retry-After"] == "60"


def test_a_reservation_is_extended_or_stays_as_it_was(driver: Phone, lot: Lot) -> None:
    made = driver.post("/reservations", wish(driver, lot), expect=201)
    later = (clock.now() + timedelta(hours=3)).isoformat()
    longer = driver.post(f"/reservations/{made['key']}/extensions", {"ends_at": later}, expect=201)
    assert datetime.fromisoformat(longer["ends_at"]) == datetime.fromisoformat(later)
    refused = driver.post(f"/reservations/{made['key']}/extensions", {"ends_at": later}, expect=422)
    assert refused["code"] == "extension_not_longer"
    assert driver.get(f"/reservations/{made['key']}") == longer
