"""ParkingCam cameras at the door, request by request: heartbeats that carry orders, and a list believed when read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.gates import actions as gates
from app.domain.gates.models import GateCommand
from app.domain.gates.queries.readiness import readiness
from app.domain.lots.models import Lot
from app.domain.stays.models import Stay
from app.kernel import clock as platform_clock
from app.kernel.db import transaction
from tests import world
from tests.conftest import MovableClock
from tests.gates.yard import Registered, registered


@dataclass
class Camera:
    """A camera in the hand of a test: what it says, and the rows that it says it holds."""

    client: FlaskClient
    gate: Registered
    rows: list[dict[str, str]] = field(default_factory=list)
    count: int = 0

    def says(self, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self.client.post(f"{self.gate.path}/events", data=json.dumps(body).encode())
        assert response.status_code == 200, response.get_data(as_text=True)
        encoding = "gb2312" if b"del_data" in response.data else "utf-8"
        answer: dict[str, Any] = json.loads(response.data.decode(encoding))
        return answer

    def beats(self) -> dict[str, Any]:
        self.count += 1
        stamp = stamped(platform_clock.now())
        return self.says({"Heartbeat": {"countid": self.count, "timeStamp": stamp, "serialno": self.gate.serial}})

    def reads(self, plate: str, at: datetime, **more: Any) -> dict[str, Any]:
        result = {"license": plate, "colorType": 1, "timeStamp": stamped(at), **more}
        told = {"serialno": self.gate.serial, "result": {"PlateResult": result}}
        answer: dict[str, Any] = self.says({"AlarmInfoPlate": told})["Response_AlarmInfoPlate"]
        return answer

    def shows(self) -> dict[str, Any]:
        """The answer to "what do you hold?"."""
        told = {"totalList": len(self.rows), "queryNumList": len(self.rows), "listPosition": 0, "data": self.rows}
        return self.says({"Response_whiteList": {**told, "serialno": self.gate.serial}})

    def outcome(self, said: str) -> dict[str, Any]:
        return self.says({"Response_AddWhiteList": {"reponse": said, "serialno": self.gate.serial}})


def stamped(at: datetime) -> dict[str, Any]:
    return {"Timeval": {"sec": int(at.timestamp()), "usec": 0}}


@pytest.fixture
def camera(client: FlaskClient, lot: Lot) -> Camera:
    return Camera(client, registered(lot, "parkingcam-http"))


QUESTION = {"whiteList": {"queryNumList": 1000, "listPosition": 0}}
QUIET = {"Response_Heartbeat": {"info": "no"}}


def stays() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Stay.state)))


def test_nothing_is_told_of_a_list_before_it_was_read(camera: Camera, lot: Lot) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    assert camera.beats() == QUESTION
    assert camera.beats() == QUIET
    assert camera.shows()["Response_AlarmInfoPlate"]["info"] == "no"
    assert "addWhiteList" in camera.beats()


def test_an_outcome_of_ok_is_no_proof_and_the_list_read_back_is(camera: Camera, lot: Lot) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    camera.beats()
    camera.shows()
    added = camera.beats()["addWhiteList"]["add_data"]
    camera.outcome("ok")
    assert not camera.gate.is_level()
    assert camera.beats() == QUESTION
    camera.shows()
    assert not camera.gate.is_level()
    assert camera.beats()["addWhiteList"]["add_data"] == added
    camera.rows = added
    camera.outcome("ok")
    camera.beats()
    camera.shows()
    assert camera.gate.is_level()
    assert camera.beats() == QUIET


def test_a_refused_change_is_not_taken_for_done(camera: Camera, lot: Lot) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    camera.beats()
    camera.shows()
    camera.rows = camera.beats()["addWhiteList"]["add_data"]
    camera.outcome("no")
    camera.rows = []
    assert camera.beats() == QUESTION
    camera.shows()
    assert not camera.gate.is_level()


def test_a_count_that_begins_anew_makes_the_list_be_read_before_anything_is_believed(camera: Camera, lot: Lot) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    camera.beats()
    camera.shows()
    camera.rows = camera.beats()["addWhiteList"]["add_data"]
    camera.beats()
    camera.shows()
    assert camera.gate.is_level()
    camera.count, camera.rows = 0, []
    assert camera.beats() == QUESTION
    camera.shows()
    assert "addWhiteList" in camera.beats()


def test_a_camera_that_was_out_of_touch_is_asked_what_it_holds_before_it_counts(
    camera: Camera, lot: Lot, clock: MovableClock
) -> None:
    booked = world.reservation_ready_to_cancel(world.driver(), lot)
    in_sync(camera)
    assert readiness([booked.claim_id]) == {booked.claim_id: True}
    clock.move_by(timedelta(minutes=2))
    assert camera.beats() == QUESTION
    assert readiness([booked.claim_id]) == {booked.claim_id: False}
    camera.shows()
    assert readiness([booked.claim_id]) == {booked.claim_id: True}


def test_a_command_goes_before_the_list_and_is_handed_out_once(camera: Camera, lot: Lot) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    gates.issue(camera.gate.device_id, "open", {}, "test")
    gates.issue(camera.gate.device_id, "display", {"text": "示例"}, "test")
    assert camera.beats() == {"Response_Heartbeat": {"info": "ok"}}
    assert camera.beats() == QUESTION
    with transaction() as session:
        states = dict(session.execute(select(GateCommand.type, GateCommand.state)).all())
    assert (states["open"], states["display"]) == ("issued", "failed")


def test_a_live_reading_is_decided_and_the_same_repeated_soon_is_answered_the_same(camera: Camera) -> None:
    plate, at = world.some_plate().characters, platform_clock.now()
    camera.beats()
    for _ in range(2):
        assert camera.reads(plate, at) == {"info": "ok", "content": "retransfer_stop", "channelNum": 0}
    assert camera.gate.told() == ["arrived", "opened", "passed"]
    assert stays() == ["parked"]


@pytest.mark.parametrize("listed", [True, False])
def test_a_reading_of_an_outage_opens_nothing_though_the_camera_says_nothing_of_it(
    camera: Camera, lot: Lot, clock: MovableClock, listed: bool
) -> None:
    who = world.driver()
    world.reservation_ready_to_cancel(who, lot)
    in_sync(camera)
    clock.move_by(timedelta(hours=1, minutes=5))
    at = platform_clock.now()
    clock.move_by(timedelta(minutes=2))
    plate = who.plate.characters if listed else world.some_plate().characters
    for _ in range(2):
        assert camera.reads(plate, at)["info"] == "no"
    followed = ["opened", "passed"] if listed else ["denied"]
    assert camera.gate.told() == ["arrived", *followed]
    assert stays() == (["parked"] if listed else [])


def test_a_clock_that_is_wrong_is_measured_by_heartbeats_alone(camera: Camera, clock: MovableClock) -> None:
    wrong = timedelta(hours=8)
    stamp = stamped(platform_clock.now() + wrong)
    camera.says({"Heartbeat": {"countid": 1, "timeStamp": stamp, "serialno": camera.gate.serial}})
    at = platform_clock.now() + wrong
    clock.move_by(timedelta(minutes=2))
    assert camera.reads(world.some_plate().characters, at)["info"] == "no"
    assert camera.reads(world.some_plate().characters, platform_clock.now() + wrong)["info"] == "ok"


def test_a_page_of_a_long_list_is_followed_by_the_question_for_the_next(camera: Camera) -> None:
    camera.beats()
    row = {"carnum": "浙A00001", "startime": "20200101000000", "endtime": "20991231235959"}
    told = {"totalList": 1001, "queryNumList": 1, "listPosition": 0, "data": [row], "serialno": camera.gate.serial}
    assert camera.says({"Response_whiteList": told}) == {"whiteList": {"queryNumList": 1000, "listPosition": 1}}


def in_sync(camera: Camera) -> None:
    """The camera holds what it should, and it was read."""
    camera.beats()
    camera.shows()
    camera.rows = camera.beats()["addWhiteList"]["add_data"]
    camera.beats()
    camera.shows()
    assert camera.gate.is_level()
