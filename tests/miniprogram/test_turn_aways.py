from datetime import datetime

from tests import world
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import ready


def test_a_motorist_reports_a_turn_away_in_one_tap(evening: datetime, motorist: Phone) -> None:
    lot = world.open_lot()
    ready(motorist)
    told = motorist.post("/turn-aways", {"lot_key": str(lot.key)}, expect=201)
    assert (told["lot_key"], told["was_open"], told["finding"]) == (str(lot.key), True, "unexplained")
    assert motorist.post("/turn-aways", {"lot_key": str(lot.key)}, expect=201)["key"] == told["key"]


def test_an_unknown_lot_or_vehicle_is_not_found(evening: datetime, motorist: Phone) -> None:
    lot, nobody = str(world.open_lot().key), "00000000-0000-4000-8000-000000000000"
    assert motorist.post("/turn-aways", {"lot_key": nobody}, expect=404)["code"] == "lot_not_found"
    wish = {"lot_key": lot, "vehicle_key": nobody}
    assert motorist.post("/turn-aways", wish, expect=404)["code"] == "vehicle_not_found"
