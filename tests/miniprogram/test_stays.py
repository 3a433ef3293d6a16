import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from app.domain.gates.models import GateDevice
from app.domain.motorists.plates import read_plate
from app.kernel import clock as kernel_clock
from payments.payees.queries import accept_samples
from tests import world
from tests.conftest import MovableClock
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import ready


@pytest.fixture
def parked(motorist: Phone, evening: datetime, clock: MovableClock) -> Phone:
    """A motorist whose car has stood in a lot at 3 yuan an hour for 70 minutes."""
    assert kernel_clock.now() - evening < timedelta(hours=1)
    lot = world.open_lot(bays=2)
    entrance = world.gate(lot)
    ready(motorist)
    drive_in(motorist, entrance)
    clock.move_by(timedelta(minutes=70))
    motorist.sign_in()
    return motorist


def drive_in(phone: Phone, entrance: GateDevice) -> None:
    plate = read_plate(phone.get("/vehicles")[0]["plate"], "blue")
    told = world.ask(entrance, plate)
    assert told.decision == "open"
    world.drive(entrance, plate)
    phone.post("/stays/adoptions", {"code": told.charge["code"]}, expect=201)


@pytest.fixture(autouse=True)
def _sample_payees_may_collect() -> Iterator[None]:
    accept_samples(True)
    yield
    accept_samples(False)


def test_who_is_not_parked_has_no_current_stay(motorist: Phone) -> None:
    assert motorist.get("/stays/current") == {"stay": None}
    assert motorist.get("/stays") == {"items": [], "next_cursor": None}


def test_a_running_stay_shows_what_it_costs_line_by_line(parked: Phone) -> None:
    stay = parked.get("/stays/current")["stay"]
    fee = stay["fee"]
    assert (stay["state"], stay["exited_at"]) == ("parked", None)
    assert (fee["own_fen"], fee["fee_fen"], fee["paid_fen"], fee["due_fen"]) == (600, 600, 0, 600)
    assert sum(line["amount_fen"] for line in fee["lines"]) == 600
    assert parked.get(f"/stays/{stay['key']}")["fee"]["due_fen"] == 600


def test_somebody_elses_stay_is_simply_not_there(parked: Phone, stranger: Phone) -> None:
    key = parked.get("/stays/current")["stay"]["key"]
    stranger.sign_in()
    assert stranger.get(f"/stays/{key}", expect=404)["code"] == "stay_not_found"
    assert stranger.post(f"/stays/{key}/payment", expect=404)["code"] == "stay_not_found"


def test_paying_brings_what_wechats_cashier_wants(parked: Phone) -> None:
    key = parked.get("/stays/current")["stay"]["key"]
    prepared = parked.post(f"/stays/{key}/payment", expect=201)
    assert set(prepared["parameters"]) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (prepared["charge"]["amount_fen"], prepared["charge"]["state"]) == (600, "created")
    assert parked.get(f"/payments/{prepared['charge']['key']}") == prepared["charge"]


def test_a_double_tap_pays_the_same_charge_and_the_key_is_bound_to_its_stay(parked: Phone) -> None:
    stay, key = parked.get("/stays/current")["stay"]["key"], uuid.uuid4().hex
    first = parked.post(f"/stays/{stay}/payment", expect=201, key=key)
    assert parked.post(f"/stays/{stay}/payment", expect=201, key=key)["charge"] == first["charge"]
    other = parked.post(f"/stays/{uuid.uuid4()}/payment", expect=422, key=key)
    assert other["code"] == "idempotency_key_reused"


def test_somebody_elses_payment_is_simply_not_there(parked: Phone, stranger: Phone) -> None:
    key = parked.get("/stays/current")["stay"]["key"]
    charge = parked.post(f"/stays/{key}/payment", expect=201)["charge"]["key"]
    assert stranger.sign_in().get(f"/payments/{charge}", expect=404)["code"] == "no_such_charge"


def test_when_wechat_does_not_answer_the_payment_is_uncertain_not_failed(parked: Phone) -> None:
    key = parked.get("/stays/current")["stay"]["key"]
    parked.wechat.control("faults", kind="error_500", times=0)
    assert parked.post(f"/stays/{key}/payment", expect=503)["code"] == "payment_uncertain"


def test_many_receipts_come_page_by_page_the_newest_first_and_only_ones_own(
    motorist: Phone, stranger: Phone, admin: psycopg.Connection[Any]
) -> None:
    for who in (1, 2):
        admin.execute(_MANY_RECEIPTS, [who])
    first = motorist.get("/receipts")
    second = motorist.get("/receipts", {"cursor": first["next_cursor"]})
    moments = [each["requested_at"] for each in first["items"] + second["items"]]
    assert (len(moments), moments) == (25, sorted(set(moments), reverse=True))
    assert (len(first["items"]), second["next_cursor"]) == (20, None)
    assert stranger.get("/receipts", {"cursor": first["next_cursor"]}, expect=422)["code"] == "invalid_cursor"


_MANY_RECEIPTS = """
WITH unbound AS (SELECT set_config('session_replication_role', 'replica', true)),
     who AS (SELECT id FROM motorist ORDER BY id OFFSET %s - 1 LIMIT 1)
INSERT INTO receipt_request (key, charge_id, payee_id, regime, kind, motorist_id, amount_fen, requested_at, wanted_at)
SELECT gen_random_uuid(), 100 * who.id + number, 1, 'TREASURY', 'fiscal_ebill', who.id, number,
       now() + number * interval '1 minute', now()
FROM unbound, who, generate_series(1, 25) AS number
"""


def test_a_motorist_without_payments_has_no_receipts(motorist: Phone) -> None:
    assert motorist.get("/receipts") == {"items": [], "next_cursor": None}
