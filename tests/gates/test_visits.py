"""Stand-in gates and the served platform, two programs that share nothing but the wire."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.gates import actions as gates
from app.domain.gates import queries
from app.domain.gates.models import GateCommand, GateList
from app.domain.lots.models import Lot
from app.domain.reservations import actions as reservations
from app.domain.stays.models import Stay
from app.kernel import clock as platform_clock
from app.kernel.db import transaction
from simulators.gate.gate import Car, Gate
from simulators.gate.memory import Shelf
from simulators.gate.plan import Habits, read_plans
from simulators.gate.trace import Trace
from tests import world
from tests.conftest import MovableClock
from tests.gates.stand import Hand, Street, eventually, plan, served, street

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def served_here(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One platform for all visits; its gates are new ones for each."""
    with served(environment, tmp_path_factory.mktemp("platform") / "log") as url:
        yield url


@pytest.fixture
def gates_street(
    served_here: str, hand: Hand, exit_hand: Hand, lot: Lot, clock: MovableClock, tmp_path: Path
) -> Iterator[Street]:
    """The entrance and the exit of a lot, speaking with the platform over the loopback: both have had an answer."""
    with street(served_here, tmp_path / "state", clock.file) as standing:
        standing.ask("PUT", "/gates", {"gates": [plan(hand, lot), plan(exit_hand, lot)]})
        eventually(lambda: all(standing.see(gate)["mode"] == "online" for gate in (hand, exit_hand)))
        yield standing


def ask_to_open(hand: Hand, until: Callable[[], bool]) -> None:
    """An open lives ten seconds, in which a busy machine may bring it to no gate: then somebody asks once more."""

    def has_come() -> bool:
        if until():
            return True
        if has_lapsed(hand):
            gates.issue(hand.device.id, "open", {}, "test")
        return False

    gates.issue(hand.device.id, "open", {}, "test")
    eventually(has_come)


def has_lapsed(hand: Hand) -> bool:
    """Whether the gate never had its newest command in time."""
    with transaction() as session:
        newest = select(GateCommand).filter_by(device_id=hand.device.id, type="open").order_by(GateCommand.id.desc())
        command = session.scalars(newest.limit(1)).one()
        return command.state in {"pending", "expired"} and command.expires_at <= platform_clock.now()


def told(hand: Hand) -> list[str]:
    return [passage.type for passage in queries.passages(queries.gate_events(hand.device.id))]


def is_level(hand: Hand) -> bool:
    """Whether the gate acknowledged the list that it should hold, and there is one."""
    with transaction() as session:
        row = session.scalars(select(GateList).filter_by(device_id=hand.device.id)).one()
        return row.desired_version == row.acked_version > 0


def cut(standing: Street, *hands: Hand) -> None:
    for hand in hands:
        standing.do(hand, "network", up=False)


def mend(standing: Street, *hands: Hand) -> None:
    for hand in hands:
        standing.do(hand, "network", up=True)


def test_a_car_drives_in_and_must_pay_before_it_leaves(
    gates_street: Street, hand: Hand, exit_hand: Hand, clock: MovableClock
) -> None:
    plate = world.some_plate().characters
    entered = gates_street.do(hand, "arrive", plate=plate, colour="blue", direction="in")
    assert (entered["mode"], entered["decision"], entered["passed"]) == ("online", "open", True)
    assert entered["barrier"] == ["opening", "open", "passing", "closing", "closed"]
    eventually(lambda: told(hand) == ["arrived", "opened", "passed"])
    clock.move_by(timedelta(minutes=30))
    left = gates_street.do(exit_hand, "arrive", plate=plate, colour="blue", direction="out")
    assert (left["decision"], left["reason"], left["charge"]["due_fen"]) == ("deny", "unpaid", 300)
    assert left["charge"]["code"]
    with transaction() as session:
        assert session.scalars(select(Stay.state)).all() == ["parked"]
    trace = (gates_street.state / "trace.jsonl").read_text()
    assert plate not in trace
    assert hand.secret.hex() not in trace


def test_a_remote_open_lets_the_waiting_car_through(
    gates_street: Street, hand: Hand, exit_hand: Hand, clock: MovableClock
) -> None:
    plate = world.some_plate().characters
    gates_street.do(hand, "arrive", plate=plate, colour="blue", direction="in")
    clock.move_by(timedelta(minutes=30))
    gates_street.do(exit_hand, "arrive", plate=plate, colour="blue", direction="out")
    ask_to_open(exit_hand, until=lambda: told(exit_hand) == ["arrived", "denied", "opened", "passed"])
    with transaction() as session:
        state = select(GateCommand.state).filter_by(type="open").order_by(GateCommand.id.desc())
        eventually(lambda: session.scalars(state).first() == "done")


def test_a_gate_on_its_own_follows_its_list_and_tells_all_later_in_order(
    gates_street: Street, hand: Hand, exit_hand: Hand, lot: Lot, clock: MovableClock
) -> None:
    who = world.driver()
    world.reservation_ready_to_cancel(who, lot)
    eventually(lambda: is_level(hand))
    clock.move_by(timedelta(hours=1, minutes=5))
    cut(gates_street, hand, exit_hand)
    stranger = gates_street.do(hand, "arrive", plate=world.some_plate().characters, colour="blue", direction="in")
    assert (stranger["mode"], stranger["decision"]) == ("offline", "deny")
    booked = gates_street.do(hand, "arrive", plate=who.plate.characters, colour="blue", direction="in")
    assert (booked["mode"], booked["decision"], booked["passed"], booked["queue"]) == ("offline", "open", True, 5)
    clock.move_by(timedelta(hours=1))
    left = gates_street.do(exit_hand, "arrive", plate=who.plate.characters, colour="blue", direction="out")
    assert (left["mode"], left["passed"]) == ("offline", True)
    assert told(hand) == told(exit_hand) == []
    mend(gates_street, exit_hand)
    eventually(lambda: told(exit_hand) == ["arrived", "opened", "passed"])
    mend(gates_street, hand)
    eventually(lambda: told(hand) == ["arrived", "denied", "arrived", "opened", "passed"])
    passages = queries.passages(queries.gate_events(hand.device.id))
    assert all(passage.offline for passage in passages)
    with transaction() as session:
        [stay] = eventually(lambda: session.scalars(select(Stay).where(Stay.exited_at.is_not(None))).all())
    assert timedelta(minutes=59) < stay.exited_at - stay.entered_at < timedelta(minutes=61)


def test_cut_off_for_ten_minutes_its_list_is_exact_half_a_minute_after_and_each_passage_is_told_once(
    gates_street: Street, hand: Hand, exit_hand: Hand, lot: Lot, clock: MovableClock
) -> None:
    coming, leaving, newcomer = world.driver(), world.driver(), world.driver()
    world.reservation_ready_to_cancel(coming, lot)
    booked = world.reservation_ready_to_cancel(leaving, lot)
    eventually(lambda: is_level(hand))
    clock.move_by(timedelta(hours=1, minutes=5))
    cut(gates_street, hand, exit_hand)
    assert gates_street.do(hand, "arrive", plate=coming.plate.characters, colour="blue", direction="in")["passed"]
    reservations.cancel(leaving.id, booked.key)
    clock.move_by(timedelta(minutes=10))
    world.reservation_ready_to_cancel(newcomer, lot)
    healed_at = platform_clock.now()
    mend(gates_street, hand, exit_hand)
    exact = [newcomer.plate.characters]
    eventually(lambda: is_level(hand) and [row["plate"] for row in gates_street.see(hand)["list"]] == exact)
    assert platform_clock.now() - healed_at < timedelta(seconds=30)
    assert told(hand) == ["arrived", "opened", "passed"]
    with transaction() as session:
        assert session.scalars(select(Stay.state)).all() == ["parked"]


def test_a_cancelled_plate_leaves_the_gate_and_a_reset_gate_gets_its_list_back(
    gates_street: Street, hand: Hand, lot: Lot
) -> None:
    staying, leaving = world.driver(), world.driver()
    world.reservation_ready_to_cancel(staying, lot)
    booked = world.reservation_ready_to_cancel(leaving, lot)
    eventually(lambda: len(gates_street.see(hand)["list"]) == 2)
    reservations.cancel(leaving.id, booked.key)
    eventually(lambda: [row["plate"] for row in gates_street.see(hand)["list"]] == [staying.plate.characters])
    gates_street.do(hand, "reboot", forget_list=True)
    eventually(lambda: [row["plate"] for row in gates_street.see(hand)["list"]] == [staying.plate.characters])
    eventually(lambda: is_level(hand))


def test_lost_answers_repeats_and_disorder_leave_each_event_recorded_once(gates_street: Street, hand: Hand) -> None:
    wishes = {"lose_replies": {"decide": 1, "events": 1}, "duplicate_events": 1, "reorder_events": 1}
    gates_street.do(hand, "faults", **wishes)
    plate = world.some_plate().characters
    lost = gates_street.do(hand, "arrive", plate=plate, colour="blue", direction="in")
    assert lost["mode"] == "offline"
    again = gates_street.do(hand, "arrive", plate=plate, colour="blue", direction="in")
    assert (again["mode"], again["passed"]) == ("online", True)
    eventually(lambda: told(hand) == ["arrived", "denied", "arrived", "opened", "passed"])
    eventually(lambda: gates_street.see(hand)["queue"] == [])


def test_an_open_command_that_comes_late_is_dropped_and_the_platform_learns_it(
    gates_street: Street, hand: Hand, clock: MovableClock
) -> None:
    gates_street.do(hand, "faults", hold_commands=True)
    ask_to_open(hand, until=lambda: "open" in gates_street.see(hand)["held_commands"])
    clock.move_by(timedelta(seconds=30))
    gates_street.do(hand, "faults", hold_commands=False)
    with transaction() as session:
        state = select(GateCommand.state).filter_by(type="open").order_by(GateCommand.id.desc())
        eventually(lambda: session.scalars(state).first() == "expired")
    assert told(hand) == []
    assert gates_street.see(hand)["barrier"] == "closed"


def test_a_gate_whose_clock_went_wrong_is_let_in_and_sets_it(gates_street: Street, hand: Hand) -> None:
    gates_street.do(hand, "clock", error_seconds=-4000)
    gates_street.do(hand, "arrive", plate=world.some_plate().characters, colour="blue", direction="in")
    eventually(lambda: told(hand) == ["arrived", "opened", "passed"])
    for passage in queries.passages(queries.gate_events(hand.device.id)):
        assert abs(passage.received_at - passage.event_time) < timedelta(seconds=60)
    eventually(lambda: gates_street.see(hand)["clock"]["error"] == 0)


def test_a_manual_lift_a_misreading_and_a_car_that_turns_back_are_told(gates_street: Street, hand: Hand) -> None:
    gates_street.do(hand, "lift", operator="示例值守员", reason="演练")
    gates_street.do(hand, "faults", no_pass=1, misread=1)
    turned = gates_street.do(hand, "arrive", plate="浙A88888", colour="blue", direction="in")
    assert (turned["decision"], turned["passed"]) == ("open", False)
    eventually(lambda: told(hand) == ["manual_open", "arrived", "opened"])
    read = queries.passages(queries.gate_events(hand.device.id))[-1].plate_raw
    assert read is not None
    assert read != "浙A88888"
    assert read.replace("B", "8") == "浙A88888"


class _Forger(BaseHTTPRequestHandler):
    """Says open to everybody, with a signature of its own making."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"decision": "open", "reason": "forged", "acked_seq": 99}'
        self.send_response(200)
        self.send_header("X-Timestamp", self.headers["X-Timestamp"])
        self.send_header("X-Signature", self.headers["X-Signature"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_forged_open_is_not_believed_and_nothing_is_forgotten(tmp_path: Path) -> None:
    [forged] = read_plans([{"gate_id": "g", "key_id": "k", "secret": "00" * 32, "direction": "in"}])
    shelf, trace = Shelf(tmp_path / "gates.sqlite3"), Trace(tmp_path / "trace.jsonl")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Forger) as forger:
        threading.Thread(target=forger.serve_forever, daemon=True).start()
        gate = Gate(forged, Habits(f"http://127.0.0.1:{forger.server_port}"), shelf, trace, None)
        result = gate.arrive(Car("浙A12345", "blue", "in"))
        gate.line.close()
        forger.shutdown()
    trace.close()
    assert (result["mode"], result["decision"], result["queue"]) == ("offline", "deny", 2)
    assert gate.show()["next_seq"] == 3
    shelf.close()
