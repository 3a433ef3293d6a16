"""What every vendor's gate must do, whichever its words: one set of sentences, all stand-ins."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.domain.gates import actions as gates
from app.domain.gates.models import GateCommand, GateEvent, VendorGate
from app.domain.lots.models import Lot
from app.domain.reservations import actions as reservations
from app.domain.stays.models import Stay
from app.kernel import clock as platform_clock
from app.kernel.db import transaction
from tests import world
from tests.conftest import MovableClock
from tests.gates.stand import eventually, served
from tests.gates.yard import PROGRAMS, SERIALS, Registered, Yard, registered, swept, yard

pytestmark = pytest.mark.timeout(240)


@dataclass
class Scene:
    """A lot whose entrance and exit are a vendor's, and the platform's own words about it."""

    yard: Yard
    entrance: Registered
    exit: Registered
    log: Path

    def comes(self, plate: str) -> dict[str, object]:
        answer: dict[str, object] = self.yard.do(self.entrance, "arrive", plate=plate, colour="blue")
        return answer

    def leaves(self, plate: str) -> dict[str, object]:
        answer: dict[str, object] = self.yard.do(self.exit, "arrive", plate=plate, colour="blue")
        return answer

    def is_level(self) -> bool:
        return swept() and self.entrance.is_level()


@pytest.fixture(scope="module")
def served_here(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One platform for all sentences, and what it logs."""
    log = tmp_path_factory.mktemp("platform") / "log"
    with served({**environment, "GATE_POLL_SECONDS": "1"}, log) as url:
        yield url, log


@pytest.fixture(params=sorted(PROGRAMS))
def scene(
    request: pytest.FixtureRequest, served_here: tuple[str, Path], lot: Lot, clock: MovableClock, tmp_path: Path
) -> Iterator[Scene]:
    """An entrance and an exit whose contact behind the arm is wired."""
    profile, (url, log) = request.param, served_here
    entry, leave = (registered(lot, profile, way, passage_input=1) for way in ("in", "out"))
    with yard(profile, url, tmp_path / "state", clock.file) as standing:
        for gate in (entry, leave) if profile == "vz-http" else ():
            read_at(standing.page(gate), gate)
        standing.put((entry, {"loop_input": 1}), (leave, {"loop_input": 1}))
        yield Scene(standing, entry, leave, log)


def read_at(url: str, gate: Registered) -> None:
    """Where the list of this gate can be read."""
    with transaction() as session:
        session.get_one(VendorGate, gate.device_id).web_url = url


def stays() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Stay.state)))


def count_of(gate: Registered, type_: str) -> int:
    with transaction() as session:
        events = select(func.count()).select_from(GateEvent)
        return session.scalar(events.where(GateEvent.device_id == gate.device_id, GateEvent.type == type_)) or 0


def test_a_car_drives_in_and_must_pay_before_it_leaves(scene: Scene, clock: MovableClock) -> None:
    plate = world.some_plate().characters
    entered = scene.comes(plate)
    assert (entered["mode"], entered["passed"]) == ("online", True)
    eventually(lambda: scene.entrance.told() == ["arrived", "opened", "passed"])
    assert stays() == ["parked"]
    clock.move_by(timedelta(minutes=30))
    assert not scene.leaves(plate)["passed"]
    assert scene.exit.told() == ["arrived"]
    assert stays() == ["parked"]


def test_a_waiting_car_is_let_out_by_a_command_and_only_once(scene: Scene, clock: MovableClock) -> None:
    plate = world.some_plate().characters
    scene.comes(plate)
    clock.move_by(timedelta(minutes=30))
    scene.leaves(plate)
    gates.issue(scene.exit.device_id, "open", {}, "test")
    eventually(lambda: [relay["io"] for relay in scene.yard.see(scene.exit)["relays"]] == [0])
    assert scene.yard.do(scene.exit, "drive")["passed"]
    eventually(lambda: scene.exit.told() == ["arrived", "opened", "passed"])
    assert len(scene.yard.see(scene.exit)["relays"]) == 1
    with transaction() as session:
        assert session.scalars(select(GateCommand.state).filter_by(type="open")).all() == ["issued"]


def test_nothing_but_a_decision_or_a_command_ever_opens(scene: Scene, lot: Lot) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    eventually(scene.is_level)
    assert scene.yard.see(scene.entrance)["relays"] == []
    assert scene.yard.see(scene.exit)["relays"] == []


def test_an_open_command_that_waited_too_long_is_never_handed_out(scene: Scene, clock: MovableClock) -> None:
    scene.yard.do(scene.exit, "network", up=False)
    gates.issue(scene.exit.device_id, "open", {}, "test")
    clock.move_by(timedelta(seconds=30))
    scene.yard.do(scene.exit, "network", up=True)
    with transaction() as session:
        state = select(GateCommand.state).filter_by(type="open")
        eventually(lambda: session.scalars(state).all() == ["expired"])
    assert scene.yard.see(scene.exit)["relays"] == []


def test_a_list_is_believed_when_it_was_read_back_and_follows_a_cancellation(scene: Scene, lot: Lot) -> None:
    staying, leaving = world.driver(), world.driver()
    world.reservation_ready_to_cancel(staying, lot)
    booked = world.reservation_ready_to_cancel(leaving, lot)
    eventually(scene.is_level)
    both = sorted([staying.plate.characters, leaving.plate.characters])
    assert scene.yard.plates(scene.entrance) == both
    reservations.cancel(leaving.id, booked.key)
    gates.refresh_lot(lot.id)
    assert not scene.entrance.is_level()
    eventually(scene.is_level)
    assert scene.yard.plates(scene.entrance) == [staying.plate.characters]


def test_a_change_that_the_camera_only_said_it_took_is_not_believed(scene: Scene, lot: Lot) -> None:
    scene.yard.do(scene.entrance, "faults", forget_rows=1)
    who = world.driver()
    world.reservation_ready_to_cancel(who, lot)
    eventually(scene.is_level)
    assert scene.yard.plates(scene.entrance) == [who.plate.characters]


def test_rows_that_others_wrote_are_left_alone(scene: Scene, lot: Lot) -> None:
    begins, ends = FOREVER[scene.entrance.serial]
    scene.yard.do(scene.entrance, "put_row", plate="浙A00001", begins=begins, ends=ends)
    who, known = world.driver(), world.driver()
    booked = world.reservation_ready_to_cancel(who, lot)
    scene.yard.do(scene.entrance, "put_row", plate=known.plate.characters, begins=begins, ends=ends)
    gates.forget_held(scene.entrance.device_id)
    world.reservation_ready_to_cancel(known, lot)
    eventually(scene.is_level)
    reservations.cancel(who.id, booked.key)
    eventually(lambda: scene.is_level() and who.plate.characters not in scene.yard.plates(scene.entrance))
    rows = {row["plate"]: (row["begins"], row["ends"]) for row in scene.yard.see(scene.entrance)["list"]}
    assert rows == {"浙A00001": (begins, ends), known.plate.characters: (begins, ends)}


FOREVER = {
    SERIALS["parkingcam-http"][0]: ("20200101000000", "20991231235959"),
    SERIALS["vz-http"][0]: ("2020-01-01 00:00:00", "2099-12-31 23:59:59"),
}


def test_a_camera_reset_to_the_makers_state_gets_its_list_back(scene: Scene, lot: Lot, clock: MovableClock) -> None:
    who = world.driver()
    world.reservation_ready_to_cancel(who, lot)
    eventually(scene.is_level)
    scene.yard.do(scene.entrance, "reset")
    assert scene.yard.plates(scene.entrance) == []
    clock.move_by(timedelta(seconds=61))
    eventually(lambda: swept() and scene.yard.plates(scene.entrance) == [who.plate.characters])
    eventually(scene.is_level)


def test_a_camera_on_its_own_follows_its_list_and_tells_all_later_once(
    scene: Scene, lot: Lot, clock: MovableClock
) -> None:
    who = world.driver()
    world.reservation_ready_to_cancel(who, lot)
    eventually(scene.is_level)
    clock.move_by(timedelta(hours=1, minutes=5))
    scene.yard.do(scene.entrance, "network", up=False)
    assert scene.comes(world.some_plate().characters)["barrier"] == []
    booked = scene.comes(who.plate.characters)
    assert (booked["mode"], booked["passed"], booked["waiting"]) == ("offline", True, 2)
    assert scene.entrance.told() == []
    scene.yard.do(scene.entrance, "network", up=True)
    eventually(lambda: scene.yard.see(scene.entrance)["waiting"] == 0)
    eventually(lambda: sorted(scene.entrance.told()) == ["arrived", "arrived", "denied", "opened", "passed"])
    eventually(lambda: stays() == ["parked"])


def test_cut_off_for_ten_minutes_its_list_is_exact_half_a_minute_after_and_each_passage_is_told_once(
    scene: Scene, lot: Lot, clock: MovableClock
) -> None:
    coming, leaving, newcomer = world.driver(), world.driver(), world.driver()
    world.reservation_ready_to_cancel(coming, lot)
    booked = world.reservation_ready_to_cancel(leaving, lot)
    eventually(scene.is_level)
    clock.move_by(timedelta(hours=1, minutes=5))
    for gate in (scene.entrance, scene.exit):
        scene.yard.do(gate, "network", up=False)
    assert scene.comes(coming.plate.characters)["passed"]
    reservations.cancel(leaving.id, booked.key)
    clock.move_by(timedelta(minutes=10))
    world.reservation_ready_to_cancel(newcomer, lot)
    healed_at = platform_clock.now()
    for gate in (scene.entrance, scene.exit):
        scene.yard.do(gate, "network", up=True)
    eventually(lambda: scene.is_level() and scene.yard.plates(scene.entrance) == [newcomer.plate.characters])
    assert platform_clock.now() - healed_at < timedelta(seconds=30)
    eventually(lambda: scene.entrance.told() == ["arrived", "opened", "passed"])
    assert stays() == ["parked"]


def test_a_lost_answer_and_servers_that_are_the_same_leave_one_arrival(scene: Scene) -> None:
    scene.yard.put((scene.entrance, {"loop_input": 1, "alternates": 2}))
    scene.yard.do(scene.entrance, "faults", lose_replies=1)
    assert scene.comes(world.some_plate().characters)["passed"]
    eventually(lambda: count_of(scene.entrance, "passed") == 1)
    assert (count_of(scene.entrance, "arrived"), count_of(scene.entrance, "opened")) == (1, 1)
    assert stays() == ["parked"]


def test_an_arm_that_did_not_move_begins_no_stay(scene: Scene) -> None:
    scene.yard.do(scene.entrance, "faults", locked=1)
    stuck = scene.comes(world.some_plate().characters)
    assert (stuck["passed"], stuck["barrier"]) == (False, [])
    assert stays() == []


def test_a_wrong_secret_finds_no_gate_and_a_rotated_one_works_no_more(scene: Scene, lot: Lot) -> None:
    by = world.staff("unit", unit_id=lot.unit_id)
    gate_key = scene.entrance.path.split("/")[3]
    wrong = Registered(0, scene.entrance.serial, f"/camera/v1/{gate_key}/{'0' * 64}")
    scene.yard.put((wrong, {"loop_input": 1}))
    assert scene.yard.do(wrong, "arrive", plate="浙A12345", colour="blue")["mode"] == "offline"
    gates.rotate_secret(by, uuid.UUID(gate_key), timedelta())
    scene.yard.put((scene.entrance, {"loop_input": 1}))
    assert scene.comes("浙A12345")["mode"] == "offline"
    assert scene.entrance.told() == []


def test_no_secret_no_password_and_no_plate_gets_into_a_log(scene: Scene) -> None:
    plate = world.some_plate().characters
    scene.comes(plate)
    eventually(lambda: '"route": ' in scene.log.read_text() or '"route":' in scene.log.read_text())
    log = scene.log.read_text()
    for secret in (scene.entrance.secret, scene.exit.secret, "admin-of-the-camera", plate, plate[1:]):
        assert secret not in log


def test_what_comes_from_elsewhere_opens_nothing_and_settles_nothing(scene: Scene) -> None:
    with transaction() as session:
        session.get_one(VendorGate, scene.entrance.device_id).addresses = ["198.51.100.7/32"]
    assert not scene.comes(world.some_plate().characters)["passed"]
    assert scene.yard.see(scene.entrance)["relays"] == []
    assert (scene.entrance.told(), stays()) == (["arrived"], [])
    with transaction() as session:
        assert session.scalars(select(GateEvent.verified)).all() == [False]
