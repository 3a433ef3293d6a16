"""Waiting for a bay on the phone."""

from app.domain.lots.models import Lot
from app.domain.reservations.actions import offer_free_bays
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import driver, lot, ready, wish

__all__ = ["driver", "lot"]


def full(phone: Phone, lot: Lot) -> list[str]:
    """Both bays of the lot are this phone's, each for a vehicle of its own."""
    first = phone.post("/reservations", wish(phone, lot), expect=201)["key"]
    phone.post("/vehicles", {"plate": "浙A000CC", "colour": "blue"}, expect=201)
    second = phone.post("/reservations", wish(phone, lot, vehicle_key=phone.get("/vehicles")[1]["key"]), expect=201)
    return [first, second["key"]]


def test_a_motorist_waits_is_offered_a_bay_and_takes_it(driver: Phone, stranger: Phone, lot: Lot) -> None:
    ready(stranger)
    assert driver.post("/waitlist", wish(driver, lot), expect=409)["code"] == "lot_has_room"
    taken = full(stranger, lot)
    waiting = driver.post("/waitlist", wish(driver, lot), expect=201)
    assert (waiting["state"], waiting["ahead"], waiting["offer"]) == ("waiting", 0, None)
    assert driver.post("/waitlist", wish(driver, lot), expect=409)["code"] == "already_waiting"
    stranger.post(f"/reservations/{taken[0]}/cancellation", expect=201)
    assert offer_free_bays(lot.id) == 1
    offered = driver.get(f"/waitlist/{waiting['key']}")
    assert (offered["state"], set(offered["offer"])) == ("offered", {"bay", "zone", "expires_at"})
    assert driver.get("/messages")["items"][0]["kind"] == "waitlist_offer"
    assert stranger.post(f"/waitlist/{waiting['key']}/offer/acceptances", expect=404)["code"]
    made = driver.post(f"/waitlist/{waiting['key']}/offer/acceptances", expect=201)
    assert (made["state"], made["bay"]) == ("confirmed", offered["offer"]["bay"])
    [mine] = driver.get("/waitlist")["items"]
    assert (mine["state"], mine["reservation_key"]) == ("kept", made["key"])
    assert driver.post(f"/waitlist/{waiting['key']}/offer/declines", expect=409)["code"] == "wrong_state"


def test_a_motorist_leaves_or_declines(driver: Phone, stranger: Phone, lot: Lot) -> None:
    ready(stranger)
    taken = full(stranger, lot)
    first = driver.post("/waitlist", wish(driver, lot), expect=201)
    assert driver.post(f"/waitlist/{first['key']}/withdrawal", expect=201)["state"] == "left"
    second = driver.post("/waitlist", wish(driver, lot), expect=201)
    stranger.post(f"/reservations/{taken[1]}/cancellation", expect=201)
    offer_free_bays(lot.id)
    assert driver.post(f"/waitlist/{second['key']}/offer/declines", expect=201)["state"] == "declined"
