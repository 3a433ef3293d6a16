"""A motorist sees what is owed, is told why nothing can be reserved, and pays."""

from datetime import datetime

from sqlalchemy import select

from app.domain.arrears.actions import chase
from app.domain.motorists.models import Vehicle
from app.domain.motorists.plates import read_plate
from app.domain.stays.actions import open_payment
from app.kernel import clock
from app.kernel.db import transaction
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
