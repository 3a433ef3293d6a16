from datetime import datetime

from sqlalchemy import select

from app.domain.conduct.actions import assess_forgotten, note
from app.domain.lots.models import Lot
from app.domain.motorists.models import Vehicle
from app.kernel import clock
from app.kernel.db import transaction
from tests import world
from tests.conduct.scene import EVIDENCE
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import ready, wish


def burdened(phone: Phone) -> Lot:
    """The phone's motorist stayed away three times."""
    lot = world.open_lot()
    ready(phone)
    with transaction() as session:
        motorist_id = session.scalars(select(Vehicle.motorist_id)).one()
    for subject in (1, 2, 3):
        note("no_show", motorist_id, lot.id, "reservation", subject, EVIDENCE, clock.now())
    assess_forgotten()
    return lot


def test_a_motorist_sees_what_happened_and_appeals(evening: datetime, motorist: Phone) -> None:
    lot = burdened(motorist)
    refusal = motorist.post("/reservations", wish(motorist, lot), expect=403)
    assert refusal["code"] == "reservations_suspended"
    told = motorist.get("/conduct")
    assert [each["text"] for each in told["incidents"]] == ["预约后未到场"] * 3
    assert told["incidents"][0]["lot"]["key"] == str(lot.key)
    [held, warning] = told["measures"]
    assert (held["kind"], held["stops_reservations"], warning["stops_reservations"]) == ("cooling_off", True, False)
    assert (held["key"], held["appeal"]) == (refusal["details"]["measure_key"], None)
    path = refusal["details"]["appeal_at"].removeprefix("/mp/v1")
    made = motorist.post(path, {"words": "当晚道闸离线"}, expect=201)
    assert (made["appeal"]["words"], made["appeal"]["outcome"]) == ("当晚道闸离线", None)
    assert motorist.post(path, {"words": "再次申诉"}, expect=409)["code"] == "already_appealed"


def test_nobody_sees_or_appeals_against_what_is_anothers(evening: datetime, motorist: Phone, stranger: Phone) -> None:
    burdened(motorist)
    path = f"/conduct/measures/{motorist.get('/conduct')['measures'][0]['key']}/appeals"
    assert stranger.get("/conduct") == {"incidents": [], "measures": []}
    assert stranger.post(path, {"words": "示例"}, expect=404)["code"] == "measure_not_found"
    assert motorist.post(path, {"words": "   "}, expect=422)["code"] == "words_missing"
