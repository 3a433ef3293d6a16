"""Looking for a lot: near a point, on a map, by words, and only such as will do."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from marshmallow import RAISE
from sqlalchemy import update

from app.domain.adjustments.actions import close_now
from app.domain.adjustments.rules import Where
from app.domain.lots import actions as lots
from app.domain.lots.models import Bay, Lot
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from miniprogram_api.lots import LotPage
from tests import world
from tests.adjustments.scene import EMERGENCY
from tests.miniprogram.stand import Phone
from tests.statements import statements

MIDDLE = {"lat": 30.255, "lng": 120.155}
HERE: dict[str, Any] = {**MIDDLE, "radius_m": 5000}
MAP = {"south": 30.24, "west": 120.14, "north": 30.27, "east": 120.17}


@pytest.fixture
def driver(motorist: Phone, evening: datetime) -> Phone:
    """Somebody who signed in this evening: the stand-in of WeChat sets the time anew when it is asked for first."""
    assert clock.now() - evening < timedelta(minutes=1)
    return motorist.sign_in()


def span(hours: float = 1, begins_in_minutes: float = 30) -> dict[str, str]:
    begins_at = clock.now() + timedelta(minutes=begins_in_minutes)
    return {"begins_at": begins_at.isoformat(), "ends_at": (begins_at + timedelta(hours=hours)).isoformat()}


def told(lot: Lot, **facts: Any) -> Lot:
    """The lot with other facts."""
    with transaction() as session:
        session.execute(update(Lot).where(Lot.id == lot.id).values(facts))
    return lot


def fitted(lot: Lot, kind: str) -> Lot:
    """The lot with all its bays of one kind."""
    with transaction() as session:
        session.execute(update(Bay).where(Bay.lot_id == lot.id).values(kind=kind))
    return lot


def keys(page: Any) -> list[str]:
    return [row["key"] for row in page["items"]]


def test_what_is_answered_is_what_the_description_says(driver: Phone) -> None:
    world.open_lot()
    for path, asked in (("/lots", HERE), ("/lots/on-map", MAP), ("/lots/by-words", {**MIDDLE, "q": "示例"})):
        answer = driver.get(path, {**asked, **span()})
        assert len(answer["items"]) == 1
        assert LotPage().load(answer, unknown=RAISE)


@pytest.mark.parametrize("kind", ["charging", "accessible"])
def test_only_lots_with_bays_of_a_kind_are_listed(driver: Phone, kind: str) -> None:
    _plain, fit = world.open_lot(), fitted(world.open_lot(), kind)
    page = driver.get("/lots", {**HERE, kind: "true", **span()})
    assert keys(page) == [str(fit.key)]
    assert page["items"][0]["open_bays_by_kind"] == {kind: 2}


@pytest.mark.parametrize(("size", "limit"), [("height_cm", "height_limit_cm"), ("length_cm", "length_limit_cm")])
def test_a_vehicle_is_shown_where_it_fits_its_own_size_and_any_without_a_limit(
    driver: Phone, size: str, limit: str
) -> None:
    low, fits, open_air = (told(world.open_lot(), **{limit: at_most}) for at_most in (199, 200, None))
    page = driver.get("/lots", {**HERE, size: 200, **span()})
    assert set(keys(page)) == {str(fits.key), str(open_air.key)}
    assert str(low.key) in keys(driver.get("/lots", {**HERE, **span()}))


def test_dearer_lots_are_left_out_by_the_fee_of_the_whole_stay(driver: Phone) -> None:
    lot = world.open_lot()
    assert keys(driver.get("/lots", {**HERE, "max_fee_fen": 600, **span(2)})) == [str(lot.key)]
    assert keys(driver.get("/lots", {**HERE, "max_fee_fen": 599, **span(2)})) == []


def test_only_lots_that_are_open_for_the_whole_stay_are_listed_if_asked_for(driver: Phone) -> None:
    lot = world.open_lot()
    until_noon = span(15)
    assert keys(driver.get("/lots", {**HERE, **until_noon})) == [str(lot.key)]
    assert keys(driver.get("/lots", {**HERE, "open_only": "true", **until_noon})) == []


def test_a_map_shows_what_lies_in_it_the_nearest_to_its_middle_first(driver: Phone) -> None:
    edge, middle, _outside = (
        told(world.open_lot(), latitude=latitude, longitude=120.155) for latitude in (30.27, 30.255, 30.271)
    )
    assert keys(driver.get("/lots/on-map", {**MAP, **span()})) == [str(middle.key), str(edge.key)]


@pytest.mark.parametrize("corner", [{"north": 30.9}, {"east": 120.9}, {"north": 30.2}, {"east": 120.1}])
def test_a_map_that_is_too_large_or_upside_down_is_refused(driver: Phone, corner: dict[str, float]) -> None:
    assert driver.get("/lots/on-map", {**MAP, **corner, **span()}, expect=422)["code"] == "rectangle_too_large"


@pytest.mark.parametrize("words", ["机关一号", "ａｂ楼", "AB楼", "文三路 机关", "示例局"])
def test_words_are_found_in_name_address_and_unit_in_any_width_and_case(driver: Phone, words: str) -> None:
    lot = told(world.open_lot(), name="机关一号停车场（AB楼）", address="文三路２号")
    with transaction() as session:
        session.execute(update(Unit).where(Unit.id == lot.unit_id).values(name="示例局"))
    world.open_lot()
    assert keys(driver.get("/lots/by-words", {**MIDDLE, "q": words, **span()})) == [str(lot.key)]
    assert keys(driver.get("/lots/by-words", {**MIDDLE, "q": f"{words} 别处", **span()})) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"height_cm": 0}, "height_cm"), ({"charging": "maybe"}, "charging"), ({"max_fee_fen": -1}, "max_fee_fen"),
     ({"colour": "blue"}, "colour"), ({"lat": 91}, "lat")],
)  # fmt: skip
def test_a_senseless_wish_is_refused_by_its_field(driver: Phone, wrong: dict[str, Any], field: str) -> None:
    answer = driver.get("/lots", {**HERE, **span(), **wrong}, expect=422)
    assert list(answer["details"]["fields"]["query"]) == [field]


def test_no_bay_is_offered_for_a_stay_that_begins_or_ends_while_no_car_may_move(driver: Phone) -> None:
    lot = world.open_own_lot(2, plan={"curfew_begins": time(22), "curfew_ends": time(6)}).lot
    shown = driver.get(f"/lots/{lot.key}", span(1))
    assert (shown["open_bays"], shown["movement_curfew"]) == (2, {"begins": "22:00", "ends": "06:00"})
    assert driver.get(f"/lots/{lot.key}", span(2))["open_bays"] == 0, "it would end at half past ten"
    assert driver.get(f"/lots/{lot.key}", span(10))["open_bays"] == 2, "it lasts through the night"


def test_another_curfew_counts_in_the_next_search(driver: Phone) -> None:
    own = world.open_own_lot(2)
    lot = own.lot
    assert driver.get(f"/lots/{lot.key}", span(2))["open_bays"] == 2
    stricter = world.new_plan(curfew_begins=time(22), curfew_ends=time(6))
    made = lots.draft_plan(own.by, own.key, stricter, world.CONTACTS)
    lots.submit_plan(own.by, made.key)
    lots.approve_plan(world.lots_regulator(), made.key, "同意")
    assert driver.get(f"/lots/{lot.key}", span(2))["open_bays"] == 0


def test_a_sign_in_that_has_ended_finds_nothing_any_more_however_often_it_searched_before(driver: Phone) -> None:
    world.open_lot()
    elsewhere = Phone(driver.client, driver.wechat, driver.openid).sign_in()
    for phone in (driver, elsewhere, driver):
        phone.get("/lots", {**HERE, **span()})
    elsewhere.delete("/sessions")
    assert driver.get("/lots", {**HERE, **span()}, expect=401)["code"] == "invalid_token"


def test_a_closure_is_shown_by_the_next_search_without_another_question(driver: Phone) -> None:
    lot, asked = world.open_lot(), {**HERE, **span()}
    assert driver.get("/lots", asked)["items"][0]["open_bays"] == 2
    with statements() as sent:
        assert driver.get("/lots", asked)["items"][0]["open_bays"] == 2
    assert len(sent) == 1, "whose sign-in it is, and whether anything presses"
    close_now(world.staff("regulator"), Where.lots(lot.key), EMERGENCY, until=clock.now() + timedelta(hours=3))
    assert driver.get("/lots", asked)["items"][0]["open_bays"] == 0
