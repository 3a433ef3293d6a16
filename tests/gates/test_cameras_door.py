"""The cameras' door, request by request: what is stored, what it opens, and what it never does."""

import json
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import select

from app.domain.gates import actions as gates
from app.domain.gates.models import GateDevice, GateEvent, GateKey, GateRejection, VendorGate
from app.domain.lots.models import Lot
from app.domain.stays import actions as stays
from app.domain.stays.models import Stay
from app.domain.tasks.models import Task
from app.kernel import clock as platform_clock
from app.kernel.db import transaction
from tests import world
from tests.conftest import MovableClock
from tests.gates.stand import Hand
from tests.gates.yard import SERIALS, Registered, registered

SERIAL = SERIALS["vz-http"][0]


@pytest.fixture
def camera(lot: Lot) -> Registered:
    """A Vzenith camera that leads in, without a contact behind its arm."""
    return registered(lot, "vz-http")


def push(client: FlaskClient, camera: Registered, plate: str, number: int, **more: Any) -> dict[str, Any]:
    """A plate push; the answer's inside."""
    at = more.pop("at", None) or platform_clock.now()
    serial = more.pop("serial", camera.serial)
    stamp = {"Timeval": {"sec": int(at.timestamp()), "usec": 0}}
    result = {"license": plate, "colorType": 1, "plateid": number, "timeStamp": stamp, **more}
    body = {"AlarmInfoPlate": {"serialno": serial, "result": {"PlateResult": result}}}
    return answered(client, camera, json.dumps(body).encode())


def answered(client: FlaskClient, camera: Registered, body: bytes) -> dict[str, Any]:
    response = client.post(f"{camera.path}/events", data=body, content_type="application/json")
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.get_json()["Response_AlarmInfoPlate"]
    return answer


def contact(client: FlaskClient, camera: Registered, source: int) -> dict[str, Any]:
    trigger = {"source": source, "value": 1}
    told = {"AlarmGioIn": {"serialno": camera.serial, "result": {"TriggerResult": trigger}}}
    return answered(client, camera, json.dumps(told).encode())


def every_row(admin: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    names = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    query = sql.SQL("SELECT t::text FROM {} t")
    return [(name, row) for (name,) in names for (row,) in admin.execute(query.format(sql.Identifier(name))).fetchall()]


def tasks() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Task.kind).order_by(Task.id)))


def count(model: type[Any]) -> int:
    with transaction() as session:
        return session.query(model).count()


def test_without_a_contact_an_opening_counts_as_passing(client: FlaskClient, camera: Registered) -> None:
    answer = push(client, camera, world.some_plate().characters, 1)
    assert (answer["info"], "playserver_json_request" in answer) == ("ok", True)
    assert camera.told() == ["arrived", "opened", "passed"]
    assert count(Stay) == 1


def test_the_same_push_again_is_answered_the_same_and_changes_nothing(client: FlaskClient, camera: Registered) -> None:
    plate, at = world.some_plate().characters, platform_clock.now()
    assert push(client, camera, plate, 1, at=at) == push(client, camera, plate, 1, at=at)
    assert len(camera.told()) == 3


def test_a_replayed_record_is_taken_once_named_in_the_answer_and_opens_nothing(
    client: FlaskClient, camera: Registered, evening: datetime
) -> None:
    plate = world.some_plate().characters
    entered_at = evening - timedelta(minutes=20)
    told = {"at": entered_at, "isoffline": 1, "gioouts": [{"ionum": 0, "ctrltype": 2}]}
    for _ in range(2):
        answer = push(client, camera, plate, 4, **told)
        assert (answer["info"], answer["ContinuePushOffline"]) == ("no", {"plateid": 4, "continue": 1})
    assert camera.told() == ["arrived", "opened", "passed"]
    with transaction() as session:
        assert abs(session.scalars(select(Stay.entered_at)).one() - entered_at) < timedelta(seconds=2)


def test_a_car_that_was_told_in_and_stayed_out_is_put_before_a_person(client: FlaskClient, camera: Registered) -> None:
    plate, at = world.some_plate().characters, platform_clock.now()
    push(client, camera, plate, 1, at=at)
    push(client, camera, plate, 1, at=at, isoffline=1, gioouts=[{"ionum": 0, "ctrltype": 0}])
    assert "opening_not_carried_out" in tasks()


def test_a_car_that_was_refused_and_let_in_by_the_list_has_passed(client: FlaskClient, camera: Registered) -> None:
    at = platform_clock.now()
    push(client, camera, "_无_", 1, at=at)
    assert camera.told() == ["arrived"]
    push(client, camera, "_无_", 1, at=at, isoffline=1, gioouts=[{"ionum": 0, "ctrltype": 2}])
    assert camera.told() == ["arrived", "opened", "passed"]
    assert "passage_in_not_understood" in tasks()


def test_a_camera_whose_clock_is_eight_hours_off_tells_right_times(client: FlaskClient, camera: Registered) -> None:
    now = platform_clock.now()
    push(client, camera, world.some_plate().characters, 1, at=now + timedelta(hours=8))
    with transaction() as session:
        for event in session.scalars(select(GateEvent)):
            assert abs(event.event_time - now) < timedelta(seconds=30)


def test_the_contact_says_when_a_car_has_passed_and_that_another_followed(
    client: FlaskClient, lot: Lot, clock: MovableClock
) -> None:
    camera = registered(lot, "vz-http", passage_input=1)
    push(client, camera, world.some_plate().characters, 1)
    assert camera.told() == ["arrived", "opened"]
    contact(client, camera, 0)
    assert contact(client, camera, 1)["info"] == "no"
    contact(client, camera, 1)
    assert camera.told() == ["arrived", "opened", "passed"]
    clock.move_by(timedelta(seconds=8))
    contact(client, camera, 1)
    assert camera.told() == ["arrived", "opened", "passed", "tailgate"]
    assert count(Stay) == 1


@pytest.mark.parametrize("wrong", ["serial", "address"])
def test_what_is_not_verified_waits_for_a_person_and_moves_no_stay(
    client: FlaskClient, camera: Registered, wrong: str
) -> None:
    if wrong == "address":
        with transaction() as session:
            session.get_one(VendorGate, camera.device_id).addresses = ["198.51.100.0/24"]
    serial = "another" if wrong == "serial" else camera.serial
    plate = world.some_plate().characters
    told = {"isoffline": 1, "gioouts": [{"ionum": 0, "ctrltype": 2}], "serial": serial}
    assert push(client, camera, plate, 1, serial=serial)["info"] == "no"
    push(client, camera, plate, 2, **told)
    assert camera.told().count("passed") == 1
    assert (tasks(), count(Stay)) == (["passage_in_not_verified"], 0)
    stays.project_forgotten()
    assert count(Stay) == 0


def test_the_database_refuses_a_stay_that_rests_on_an_unverified_passage(
    client: FlaskClient, camera: Registered, hand: Hand, admin: psycopg.Connection[Any]
) -> None:
    push(client, camera, world.some_plate().characters, 1, serial="another", isoffline=1)
    who = world.driver()
    world.parked_stay(who, hand.device)
    with pytest.raises(psycopg.errors.CheckViolation, match="unverified passage"):
        admin.execute("UPDATE stay SET entry_event_id = (SELECT min(id) FROM gate_event WHERE NOT verified)")


@pytest.mark.parametrize("body", [b"", b"{", b'{"AlarmInfoPlate": {"serialno": 5}}', b"\x00\xff" * 50])
def test_what_nobody_understands_is_kept_sealed_and_answered_well(
    client: FlaskClient, camera: Registered, body: bytes
) -> None:
    assert answered(client, camera, body) == {"info": "no", "channelNum": 0}
    assert count(GateRejection) == 1


def test_the_cameras_own_password_lies_nowhere(
    client: FlaskClient, camera: Registered, admin: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    form = {"serialno": camera.serial, "user_name": "admin", "pass_wd": "canary-of-the-camera"}
    plate = world.some_plate().characters
    push(client, camera, plate, 1)
    gates.issue(camera.device_id, "snapshot", {}, "test")
    response = client.post(f"{camera.path}/poll", data=form, content_type="multipart/form-data")
    assert response.get_json()["Response_AlarmInfoPlate"]["manualTrigger"] == "ok"
    for _, row in every_row(admin):
        assert "canary-of-the-camera" not in row
        assert camera.secret not in row
        assert plate not in row
    said = capsys.readouterr().out
    assert "canary-of-the-camera" not in said
    assert camera.secret not in said
    assert '"route":"/camera/v1/<uuid:gate>/<secret>/poll"' in said


def test_a_poll_under_another_serial_number_gets_no_command(client: FlaskClient, camera: Registered) -> None:
    gates.issue(camera.device_id, "open", {}, "test")
    answer = client.post(f"{camera.path}/poll", data={"serialno": "another"}).get_json()
    assert answer == {"Response_AlarmInfoPlate": {"info": "no", "channelNum": 0}}


def test_each_door_keeps_to_its_own_devices(client: FlaskClient, camera: Registered, hand: Hand) -> None:
    ours = f"/camera/v1/{hand.device.key}/{hand.secret.hex()}/events"
    assert client.post(ours, data=b"{}").status_code == 404
    with transaction() as session:
        device = session.get_one(GateDevice, camera.device_id)
        key_id = session.scalars(select(GateKey.key_id).filter_by(device_id=camera.device_id)).one()
    forged = Hand(client, device, key_id, bytes.fromhex(camera.secret))
    assert forged.send("POST", "/decide", forged.event("arrived")).get_json()["code"] == "bad_signature"


def test_a_gate_that_is_switched_off_is_not_heard(client: FlaskClient, camera: Registered, lot: Lot) -> None:
    by = world.staff("unit", unit_id=lot.unit_id)
    with transaction() as session:
        key = session.get_one(GateDevice, camera.device_id).key
    gates.switch_gate(by, key, on=False)
    assert client.post(f"{camera.path}/events", data=b"{}").status_code == 403
    gates.switch_gate(by, key, on=True)
    assert client.post(f"{camera.path}/events", data=b"{}").status_code == 200
