"""Whether a gate knows a promise: shown to the motorist, and alarmed about before the car comes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.claims.models import BayClaim
from app.domain.gates import actions as gates
from app.domain.gates.models import GateDevice
from app.domain.gates.queries.readiness import readiness
from app.domain.lots.models import Lot
from app.domain.policies.models import PolicyNumber
from app.domain.reservations import actions as reservations
from app.domain.reservations.models import Reservation
from app.domain.tasks.models import Task
from app.kernel import clock as platform_clock
from app.kernel.db import transaction
from app.kernel.spans import span
from tests import world
from tests.conftest import MovableClock
from tests.gates.stand import Hand, installed
from tests.gates.yard import registered


@pytest.fixture
def booked(lot: Lot) -> Reservation:
    """A car that is expected in an hour or so."""
    return world.reservation_ready_to_cancel(world.driver(), lot)


def ready(booked: Reservation) -> bool | None:
    return readiness([booked.claim_id]).get(booked.claim_id)


def takes_list(hand: Hand) -> None:
    """The gate pulls its list and acknowledges it."""
    pulled = hand.ask("GET", "/whitelist?since=0")
    held = {"version": pulled["to"], "sha256": pulled["sha256"], "count": 0}
    assert not hand.ask("POST", "/whitelist/ack", held)["resync"]


def alarms(*, closed: bool = False) -> list[Task]:
    with transaction() as session:
        found = session.scalars(select(Task).filter_by(kind="gate_not_ready").order_by(Task.id)).all()
        return [task for task in found if (task.closed_at is not None) == closed]


def almost_arrived(clock: MovableClock, booked: Reservation, minutes: float = 9.5) -> None:
    clock.move_by(booked.begins_at - timedelta(minutes=minutes) - platform_clock.now())


def test_a_gate_is_ready_when_it_acknowledged_and_not_when_it_was_only_told(hand: Hand, booked: Reservation) -> None:
    assert ready(booked) is False
    gates.refresh_lot(hand.device.lot_id)
    assert ready(booked) is False
    hand.ask("GET", "/whitelist?since=0")
    assert ready(booked) is False
    takes_list(hand)
    assert ready(booked) is True


def test_every_entrance_must_know_the_car_and_an_exit_need_not(
    hand: Hand, exit_hand: Hand, lot: Lot, booked: Reservation
) -> None:
    assert exit_hand.device.direction == "out"
    takes_list(hand)
    assert ready(booked) is True
    other = installed(hand.client, lot)
    assert ready(booked) is False
    takes_list(other)
    assert ready(booked) is True


def test_a_lot_without_gates_and_a_promise_that_is_over_are_neither_ready_nor_not(
    lot: Lot, booked: Reservation, hand: Hand
) -> None:
    with transaction() as session:
        session.get_one(GateDevice, hand.device.id).enabled = False
    assert ready(booked) is None
    with transaction() as session:
        session.get_one(GateDevice, hand.device.id).enabled = True
    reservations.cancel(booked.motorist_id, booked.key)
    assert ready(booked) is None
    assert lot.id == hand.device.lot_id


def test_a_renewed_promise_is_unknown_until_the_renewal_is_acknowledged(hand: Hand, booked: Reservation) -> None:
    takes_list(hand)
    with transaction() as session:
        session.get_one(BayClaim, booked.claim_id).admit_until += timedelta(minutes=10)
    assert ready(booked) is False
    takes_list(hand)
    assert ready(booked) is True


@pytest.mark.parametrize("holds", ["nothing", "something else"])
def test_a_gate_reset_to_the_makers_state_is_not_ready_until_it_has_its_list_again(
    hand: Hand, booked: Reservation, holds: str
) -> None:
    takes_list(hand)
    beaten = hand.beat() if holds == "nothing" else hand.beat(list_version=1, list_sha256="0" * 64)
    assert [command["type"] for command in beaten["commands"]] == ["sync"]
    assert ready(booked) is False
    takes_list(hand)
    assert ready(booked) is True


def test_a_vendors_camera_whose_proof_is_gone_is_not_ready(lot: Lot, booked: Reservation) -> None:
    camera = registered(lot, "parkingcam-http")
    gates.forget_held(camera.device_id)
    assert ready(booked) is False


def test_ten_minutes_before_the_arrival_somebody_is_told_of_a_gate_that_does_not_know_the_car(
    hand: Hand, booked: Reservation, clock: MovableClock
) -> None:
    gates.refresh_lot(hand.device.lot_id)
    almost_arrived(clock, booked, minutes=11)
    assert gates.watch_readiness() == 0
    almost_arrived(clock, booked)
    assert gates.watch_readiness() == gates.watch_readiness() == 1
    [alarm] = alarms()
    assert (alarm.subject, alarm.subject_id, alarm.due_at) == ("bay_claim", booked.claim_id, booked.begins_at)
    assert alarm.detail == {"gate": str(hand.device.key)}
    takes_list(hand)
    assert gates.watch_readiness() == 0
    assert (alarms(), [task.outcome for task in alarms(closed=True)]) == ([], ["道闸已确认名单"])


def test_the_minutes_of_the_alarm_are_a_policy_of_the_lot(hand: Hand, booked: Reservation, clock: MovableClock) -> None:
    of_the_lot = {"scope": "lot", "scope_id": hand.device.lot_id, "valid": span(platform_clock.now(), None)}
    with transaction() as session:
        session.add(PolicyNumber(name="gate_alarm_minutes", value=30, **of_the_lot))
    gates.refresh_lot(hand.device.lot_id)
    almost_arrived(clock, booked, minutes=29)
    assert gates.watch_readiness() == 1


@pytest.mark.parametrize("settle", ["acknowledged", "cancelled"])
def test_no_alarm_for_a_car_that_is_known_or_awaited_no_more(
    hand: Hand, booked: Reservation, clock: MovableClock, settle: str
) -> None:
    settles: dict[str, Callable[[], object]] = {
        "acknowledged": lambda: takes_list(hand),
        "cancelled": lambda: reservations.cancel(booked.motorist_id, booked.key),
    }
    settles[settle]()
    almost_arrived(clock, booked)
    assert gates.watch_readiness() == 0


def test_a_list_that_no_job_compared_is_compared_first_and_given_a_minute(
    hand: Hand, booked: Reservation, clock: MovableClock
) -> None:
    almost_arrived(clock, booked)
    assert gates.watch_readiness() == 0
    assert [command["type"] for command in hand.ask("GET", "/commands?wait=0")["commands"]] == ["sync"]
    clock.move_by(timedelta(seconds=61))
    assert gates.watch_readiness() == 1
