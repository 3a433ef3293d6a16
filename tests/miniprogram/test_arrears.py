"""A motorist sees what is owed, is told why nothing can be reserved, and pays, one stay or all at once."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.domain.arrears.actions import chase
from app.domain.lots.models import Lot
from app.domain.motorists.models import Vehicle
from app.domain.motorists.plates import read_plate
from app.domain.stays.actions import open_payment
from app.kernel import clock
from app.kernel.db import transaction
from payments.charges.actions.settle import settle
from payments.charges.queries import charge, orders_of
from tests import world
from tests.arrears.scene import DAY, HOUR, At
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import ready, wish
from tests.miniprogram.test_stays import drive_in


def test_what_is_owed_is_shown_stops_reservations_and_ends_with_the_payment(
    evening: datetime, motorist: Phone, stranger: Phone, at: At
) -> None:
    at(evening)
    motorist.sign_in()
    lot = world.open_lot()
    ready(motorist)
    drive_in(motorist, world.gate(lot))
    at(clock.now() + HOUR / 2)
    motorist.sign_in()
    stranger.sign_in()
    world.drive(world.gate(lot, "out"), read_plate(motorist.get("/vehicles")[0]["plate"], "blue"))
    [owed] = motorist.get("/arrears")["items"]
    assert (owed["amount_fen"], owed["lot"]["key"], owed["stops_reservations"]) == (300, str(lot.key), False)
    assert stranger.get("/arrears") == {"items": []}
    for wait in (HOUR, 2 * DAY, DAY):
        at(clock.now() + wait + HOUR / 60)
        chase()
    motorist.sign_in()
    begins_at = clock.now() + HOUR
    later = {"begins_at": begins_at.isoformat(), "ends_at": (begins_at + HOUR).isoformat()}
    refusal = motorist.post("/reservations", wish(motorist, lot, **later), expect=403)
    assert (refusal["code"], refusal["details"]["stay_keys"]) == ("arrears_owed", [owed["stay_key"]])
    with transaction() as session:
        motorist_id = session.scalars(select(Vehicle.motorist_id)).one()
    world.paid(open_payment(motorist_id, motorist.get("/stays")["items"][0]["key"]))
    motorist.post("/reservations", wish(motorist, lot, **later), expect=201)
    assert motorist.get("/arrears") == {"items": []}


def test_all_that_is_owed_is_paid_at_once_to_each_payee_or_only_what_is_named(
    evening: datetime, motorist: Phone, stranger: Phone, at: At
) -> None:
    at(evening)
    motorist.sign_in()
    lots = world.open_lot(), world.open_lot(kind="institution")
    ready(motorist)
    stays = [unpaid(motorist, lot, at) for lot in lots]
    first = motorist.post("/arrears/payment", {"stay_keys": stays[:1]}, expect=201)
    assert [each["amount_fen"] for each in first["charges"]] == [300]
    everything = motorist.post("/arrears/payment", {}, expect=201)
    assert (everything["amount_fen"], len(everything["charges"])) == (600, 2)
    assert motorist.wechat.answer("pay", parameters=first["parameters"]).status_code == 409
    motorist.wechat.control("pay", parameters=everything["parameters"])
    believed(everything)
    assert motorist.get("/arrears") == {"items": []}
    assert {motorist.get(f"/payments/{each['key']}")["state"] for each in everything["charges"]} == {"paid"}
    assert motorist.post("/arrears/payment", {}, expect=409)["code"] == "nothing_to_pay"
    stranger.sign_in()
    assert stranger.post("/arrears/payment", {"stay_keys": stays}, expect=409)["code"] == "nothing_to_pay"


def believed(prepared: dict[str, Any]) -> None:
    """WeChat vouches for each order of a payment, in the words of these tests' payees."""
    with transaction():
        for each in prepared["charges"]:
            [*_, order] = orders_of(charge(uuid.UUID(each["key"])).id)
            assert settle(world.vouched(order), "test") == "paid"


def unpaid(phone: Phone, lot: Lot, at: At) -> str:
    """Half an hour's stay of 300 fen whose car was let out by hand."""
    drive_in(phone, world.gate(lot))
    at(clock.now() + HOUR / 2)
    phone.sign_in()
    world.drive(world.gate(lot, "out"), read_plate(phone.get("/vehicles")[0]["plate"], "blue"))
    return str(phone.get("/stays")["items"][0]["key"])
