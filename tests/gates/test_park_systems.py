"""A car-park's own system keeps what we promised, and tells who drove through; told is not held, unknown not failed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.adapters.gates.isecure import Isecure, ParkAccount, signed_headers
from app.adapters.gates.words import ListRow
from app.adapters.outbound import Reach
from app.domain.claims.models import BayClaim
from app.domain.gates import actions as gates
from app.domain.gates.actions.park_systems import take_turn
from app.domain.gates.models import GateDevice, GateEvent, ParkSystem, VendorList
from app.domain.gates.queries.readiness import readiness
from app.domain.lots.models import Lot
from app.domain.reservations import actions as reservations
from app.domain.stays.models import Stay
from app.domain.tasks.models import Task
from app.jobs.park_systems import serve_park_systems
from app.kernel import clock as platform_clock
from app.kernel.db import transaction
from simulators.clock import Clock
from simulators.isecure.__main__ import answerer
from simulators.isecure.park import Parks
from simulators.wire import Door
from tests import world
from tests.commands import refused, told
from tests.conftest import MovableClock
from tests.gates.stand import ROOT
from tests.gates.yard import Registered

PARK = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
KEY, SECRET = "23456789", "sample-secret-of-the-park"


@dataclass
class Park:
    """The stand-in, the lot that it runs, and our device for it."""

    url: str
    gate: Registered
    clock: MovableClock
    lot: Lot

    def do(self, deed: str, **wish: Any) -> Any:
        return control(self.url, "POST", f"/parks/{PARK}/{deed}", wish)

    def plates(self) -> list[str]:
        return [row["plate"] for row in self.see()["list"]]

    def see(self) -> Any:
        return control(self.url, "GET", f"/parks/{PARK}")

    def served(self, seconds: int = 30) -> "Park":
        """So many seconds pass, and what is due each second is done."""
        for _ in range(seconds):
            serve_park_systems()
            self.clock.move_by(timedelta(seconds=1))
        return self

    def booked(self, who: world.Driver | None = None) -> tuple[world.Driver, Any]:
        who = who or world.driver()
        return who, world.reservation_ready_to_cancel(who, self.lot)


def control(url: str, method: str, path: str, content: Any = None) -> Any:
    response = requests.request(method, f"{url}/control{path}", json=content, timeout=20)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture
def system(clock: MovableClock, tmp_path: Path) -> Iterator[str]:
    """The stand-in's address."""
    own = Clock(clock.file)
    door = Door("127.0.0.1", 0, answerer(Parks(tmp_path / "parks", own), own))
    thread = threading.Thread(target=door.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{door.server_port}"
    control(url, "PUT", "/parks", [{"park": PARK, "app_key": KEY, "secret": SECRET}])
    yield url
    door.shutdown()
    door.server_close()


@pytest.fixture
def park(app: Flask, system: str, evening: datetime, clock: MovableClock) -> Park:
    """A lot with four bays whose barriers are run by a system of their own."""
    assert evening.tzinfo
    lot = world.open_lot(bays=4)
    by = world.staff("unit", unit_id=lot.unit_id)
    wish = gates.NewVendorGate(
        "示例车场系统", "isecure", PARK, "1", "both", web_url=system, app_key=KEY, app_secret=SECRET
    )
    made = gates.register_vendor_gate(by, lot.key, wish)
    with transaction() as session:
        device_id = session.scalars(select(GateDevice.id).where(GateDevice.key == made.gate)).one()
    assert app.extensions
    return Park(system, Registered(device_id, PARK, f"/camera/v1/{made.gate}/{made.secret}"), clock, lot)


def stays() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Stay.state).order_by(Stay.id)))


def told_of(park: Park) -> list[tuple[str, str | None]]:
    with transaction() as session:
        events = select(GateEvent.type, GateEvent.direction).filter_by(device_id=park.gate.device_id)
        return [(type_, way) for type_, way in session.execute(events.order_by(GateEvent.event_time))]


def test_a_promise_is_reserved_there_and_ready_when_it_was_read_back(park: Park) -> None:
    who, booked = park.booked()
    serve_park_systems()
    assert park.plates() == [who.plate.characters]
    assert readiness([booked.claim_id]) == {booked.claim_id: False}
    park.served(2)
    assert readiness([booked.claim_id]) == {booked.claim_id: True}
    [row] = park.see()["list"]
    begins, ends = (datetime.fromisoformat(row[name]) for name in ("begins", "ends"))
    assert begins == booked.begins_at.replace(microsecond=0) - timedelta(minutes=15)
    assert ends > booked.begins_at


def test_a_cancelled_promise_is_taken_back_and_a_renewed_one_replaced(park: Park) -> None:
    (leaving, booked), (staying, kept) = park.booked(), park.booked()
    park.served(3)
    assert park.gate.is_level()
    reservations.cancel(leaving.id, booked.key)
    with transaction() as session:
        session.get_one(BayClaim, kept.claim_id).admit_until += timedelta(minutes=10)
    park.served(13)
    assert park.plates() == [staying.plate.characters]
    assert park.gate.is_level()


@pytest.mark.parametrize("fault", ["lose_answers", "refuse", "forget"])
def test_what_was_not_answered_refused_or_forgotten_is_found_out_and_made_good_once(park: Park, fault: str) -> None:
    park.do("faults", **{fault: 2})
    who, booked = park.booked()
    park.served()
    assert park.plates() == [who.plate.characters]
    assert readiness([booked.claim_id]) == {booked.claim_id: True}


def test_what_the_system_only_said_it_did_is_not_believed(park: Park) -> None:
    park.do("faults", forget=1000)
    _, booked = park.booked()
    park.served(90)
    assert readiness([booked.claim_id]) == {booked.claim_id: False}
    with transaction() as session:
        assert "gate_list_refused" in session.scalars(select(Task.kind)).all()


def test_a_car_that_drives_in_and_out_is_a_stay_and_read_again_it_is_the_same_one(park: Park) -> None:
    who, booked = park.booked()
    park.served(3)
    park.clock.move_to(booked.begins_at + timedelta(minutes=1))
    assert park.do("come", plate=who.plate.characters) == {"passed": True}
    park.served(25)
    assert (told_of(park), stays()) == ([("passed", "in")], ["parked"])
    assert park.plates() == []
    park.do("cross", plate=who.plate.characters, out=1)
    park.served(25)
    assert told_of(park) == [("passed", "in"), ("passed", "out")]
    assert stays() != ["parked"]
    with transaction() as session:
        assert session.scalars(select(GateEvent.verified)).all() == [True, True]


def test_an_arm_that_a_person_raised_is_told_as_such(park: Park) -> None:
    park.do("cross", plate=world.some_plate().characters, out=0, way=1)
    park.served(2)
    with transaction() as session:
        assert session.scalars(select(GateEvent.opened_by)).all() == ["manual"]


def test_rows_that_others_reserved_are_left_alone(park: Park) -> None:
    now = platform_clock.now()
    span = {"begins": now.isoformat(), "ends": (now + timedelta(days=1)).isoformat()}
    park.do("put_row", plate="浙A00001", **span)
    who, booked = park.booked()
    park.served(3)
    reservations.cancel(who.id, booked.key)
    park.served(13)
    assert park.plates() == ["浙A00001"]


def test_a_system_reset_to_the_makers_state_is_not_ready_until_it_has_its_list_again(park: Park) -> None:
    who, booked = park.booked()
    park.served(3)
    park.do("reset")
    park.clock.move_by(timedelta(seconds=10))
    serve_park_systems()
    assert readiness([booked.claim_id]) == {booked.claim_id: False}
    park.served(3)
    assert (park.plates(), readiness([booked.claim_id])) == ([who.plate.characters], {booked.claim_id: True})


def test_cut_off_for_ten_minutes_it_is_exact_half_a_minute_after_and_tells_each_passage_once(park: Park) -> None:
    (leaving, cancelled), (coming, booked) = park.booked(), park.booked()
    park.served(3)
    park.clock.move_to(booked.begins_at + timedelta(minutes=1))
    park.do("network", up=False)
    park.served(10)
    assert park.do("come", plate=coming.plate.characters) == {"passed": True}
    reservations.cancel(leaving.id, cancelled.key)
    newcomer, _ = park.booked()
    park.clock.move_by(timedelta(minutes=10))
    park.served(10)
    assert told_of(park) == []
    park.do("network", up=True)
    park.served(30)
    assert park.plates() == [newcomer.plate.characters]
    assert park.gate.is_level()
    assert (told_of(park), stays()) == ([("passed", "in")], ["parked"])


def test_a_record_that_reaches_its_system_late_is_still_found(park: Park) -> None:
    park.served(1)
    park.do("cross", plate=world.some_plate().characters, out=0, ago=2 * 3600)
    park.served(12)
    assert told_of(park) == []
    park.clock.move_by(timedelta(hours=1))
    park.served(1)
    assert told_of(park) == [("passed", "in")]


def test_a_push_is_not_believed_but_asked_about_at_once(park: Park, client: FlaskClient) -> None:
    park.served(1)
    park.do("cross", plate=world.some_plate().characters, out=0)
    serve_park_systems()
    assert told_of(park) == []
    forged = {"params": {"events": [{"eventId": "x", "eventType": 771760131, "data": {"plateNo": "浙A99999"}}]}}
    answer = client.post(f"{park.gate.path}/events", json=forged)
    assert (answer.status_code, answer.get_json()["code"]) == (200, "0")
    assert told_of(park) == []
    serve_park_systems()
    assert told_of(park) == [("passed", "in")]
    assert client.post(f"{park.gate.path}/poll", data={"serialno": PARK}).status_code == 404


def test_an_address_out_of_reach_is_never_called(app: Flask, system: str) -> None:
    assert app.extensions
    account = ParkAccount(system, PARK, KEY, SECRET.encode())
    kept_in = Isecure(Reach(), platform_clock.now)
    now = platform_clock.now()
    assert kept_in.reservations(account) is None
    assert kept_in.crossings(account, now, now) is None
    assert kept_in.reserve(account, ListRow("浙A12345", now, now + timedelta(hours=1))) == "unknown"
    assert kept_in.cancel(account, "R1") == "unknown"


@pytest.mark.parametrize("spoil", ["secret", "key", "park"])
def test_a_wrong_key_secret_or_park_learns_nothing(app: Flask, system: str, spoil: str) -> None:
    assert app.extensions
    spoilt = {"park": PARK, "app_key": KEY, "secret": SECRET.encode()}
    spoilt[{"key": "app_key"}.get(spoil, spoil)] = b"x" if spoil == "secret" else "x"
    speaks = Isecure(Reach(loopback=True), platform_clock.now)
    assert speaks.reservations(ParkAccount(system, PARK, KEY, SECRET.encode())) == []
    assert speaks.reservations(ParkAccount(system, **spoilt)) is None  # type: ignore[arg-type]


def test_the_signature_is_that_of_a_worked_example() -> None:
    account = ParkAccount("https://192.0.2.7", PARK, KEY, SECRET.encode())
    at = datetime.fromisoformat("2026-06-10T12:00:00+08:00")
    made = signed_headers(
        account, "/artemis/api/pms/v1/crossRecords/page", b"{}", at, "00112233445566778899aabbccddeeff"
    )
    assert made["Content-MD5"] == "mZFLkyvTelC5g8XnyQrpOw=="
    assert made["x-ca-timestamp"] == "1781064000000"
    assert made["X-Ca-Signature"] == "bZVm0r0yDzyNfJkipdLefZVx3ugMrK1U+nJXpTRIEvk="


def test_one_system_is_served_by_one_sweeper_at_a_time_and_a_dead_one_gives_it_up(park: Park) -> None:
    first = take_turn()
    assert first is not None
    assert take_turn() is None
    park.clock.move_by(timedelta(seconds=61))
    assert take_turn() is not None


def test_the_key_of_a_system_lies_sealed(park: Park) -> None:
    with transaction() as session:
        assert SECRET.encode() not in session.get_one(ParkSystem, park.gate.device_id).secret_enc
        assert session.get_one(VendorList, park.gate.device_id).held_enc is None


def test_a_system_is_registered_by_command_with_its_key_and_only_so(app: Flask, lot: Lot, tmp_path: Path) -> None:
    by, file = world.staff("unit", unit_id=lot.unit_id), tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    form = ("gates", "register", lot.key, "示例车场系统", "--profile", "isecure", "--serial", PARK, "--direction")
    keyed = ("--app-key", KEY, "--app-secret-file", file)
    assert refused(app, by, *form, "both", "--web-url", "https://192.0.2.7") == "gate_fields_refused"
    assert refused(app, by, *form, "both", *keyed) == "gate_fields_refused"
    assert refused(app, by, *form, "in", *keyed, "--web-url", "https://192.0.2.7") == "gate_fields_refused"
    made = told(app, by, *form, "both", *keyed, "--web-url", "https://192.0.2.7")
    assert SECRET not in str(made)
    [shown] = told(app, by, "gates", "list")
    assert shown["profile"] == "isecure"


def test_the_stand_in_is_a_program_of_its_own(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "simulators.isecure", "--port", "0", "--state", str(tmp_path)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with process, process.stdout or nullcontext() as said:
        assert said is not None
        assert "http://127.0.0.1:" in said.readline()
        process.terminate()
        assert process.wait(20) == 0
