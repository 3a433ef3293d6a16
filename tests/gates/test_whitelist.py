"""A gate's list becomes what the claims say, whatever is lost on the way, and is never empty in between."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.claims.models import BayClaim
from app.domain.gates import actions as gates
from app.domain.gates import queries
from app.domain.gates.models import GateList, GateListVersion
from app.domain.lots.models import Lot
from app.domain.reservations import actions as reservations
from app.kernel.db import transaction
from simulators.gate.memory import Memory, Shelf
from simulators.gate.wire import list_digest
from tests import world
from tests.conftest import MovableClock
from tests.gates.stand import Hand, installed


@pytest.fixture
def memory(tmp_path: Path) -> Any:
    """The list of a stand-in gate."""
    shelf = Shelf(tmp_path / "gates.sqlite3")
    yield Memory(shelf, "gate")
    shelf.close()


def pull(hand: Hand, memory: Memory) -> dict[str, Any]:
    answer = hand.ask("GET", f"/whitelist?since={memory.fact('list_version')}")
    memory.apply(answer)
    return answer


def acknowledge(hand: Hand, memory: Memory) -> bool:
    held = {"version": memory.fact("list_version"), "sha256": memory.list_sha256(), "count": 0, "failed": []}
    resync: bool = hand.ask("POST", "/whitelist/ack", held)["resync"]
    return not resync


def plates(memory: Memory) -> list[str]:
    return sorted(row["plate"] for row in memory.list_rows())


def versions(hand: Hand) -> tuple[int, int, int]:
    with transaction() as session:
        row = session.scalars(select(GateList).filter_by(device_id=hand.device.id)).one()
        return row.desired_version, row.sent_version, row.acked_version


def commands_of(hand: Hand) -> list[Mapping[str, Any]]:
    commands: list[Mapping[str, Any]] = hand.ask("GET", "/commands?wait=0")["commands"]
    return commands


def test_a_reserved_plate_is_desired_then_sent_then_acknowledged(hand: Hand, lot: Lot, memory: Memory) -> None:
    who = world.driver()
    world.reservation_ready_to_cancel(who, lot)
    gates.refresh_lot(lot.id)
    assert versions(hand) == (1, 0, 0)
    assert [command["type"] for command in commands_of(hand)] == ["sync"]
    pull(hand, memory)
    assert versions(hand) == (1, 1, 0)
    assert acknowledge(hand, memory)
    assert versions(hand) == (1, 1, 1)
    assert plates(memory) == [who.plate.characters]


def test_a_cancelled_plate_disappears_with_the_next_difference(hand: Hand, lot: Lot, memory: Memory) -> None:
    staying, leaving = world.driver(), world.driver()
    world.reservation_ready_to_cancel(staying, lot)
    booked = world.reservation_ready_to_cancel(leaving, lot)
    pull(hand, memory)
    reservations.cancel(leaving.id, booked.key)
    answer = pull(hand, memory)
    assert (answer["full"], len(answer["delete"]), answer["upsert"]) == (False, 1, [])
    assert plates(memory) == [staying.plate.characters]
    assert acknowledge(hand, memory)


def test_nothing_new_is_an_empty_difference_and_no_new_version(hand: Hand, lot: Lot, memory: Memory) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    answer = pull(hand, memory)
    assert (answer["from"], answer["to"], answer["full"]) == (1, 1, False)
    assert (answer["upsert"], answer["delete"]) == ([], [])


def test_a_renewed_booking_updates_its_row(hand: Hand, lot: Lot, memory: Memory) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    [before] = memory.list_rows()
    with transaction() as session:
        claim = session.scalars(select(BayClaim).where(BayClaim.state == "confirmed")).one()
        claim.admit_until += timedelta(minutes=10)
    pull(hand, memory)
    [after] = memory.list_rows()
    assert after["row_id"] == before["row_id"]
    assert after["not_after"] > before["not_after"]
    assert acknowledge(hand, memory)


def test_a_car_inside_is_listed_at_the_exit_until_it_leaves(
    hand: Hand, exit_hand: Hand, lot: Lot, memory: Memory, clock: MovableClock
) -> None:
    who = world.driver()
    world.parked_stay(who, hand.device)
    assert queries.desired_rows(hand.device.id) == []
    pull(exit_hand, memory)
    [row] = memory.list_rows()
    assert (row["plate"], row["direction"], row["not_after"]) == (who.plate.characters, "out", "")
    clock.move_by(timedelta(hours=1))
    world.drive(exit_hand.device, who.plate)
    pull(exit_hand, memory)
    assert memory.list_rows() == []
    assert lot.id == exit_hand.device.lot_id


def test_a_booking_whose_time_is_over_leaves_the_list_by_itself(
    hand: Hand, lot: Lot, memory: Memory, clock: MovableClock
) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    assert len(memory.list_rows()) == 1
    clock.move_by(timedelta(hours=9))
    pull(hand, memory)
    assert memory.list_rows() == []


def test_a_list_that_does_not_match_is_sent_as_a_whole(hand: Hand, lot: Lot, memory: Memory) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    wrong = {"version": 1, "sha256": list_digest([]), "count": 0}
    assert hand.ask("POST", "/whitelist/ack", wrong)["resync"]
    [command] = commands_of(hand)
    assert (command["type"], command["args"]["full"]) == ("sync", True)
    assert pull(hand, memory)["full"]
    assert acknowledge(hand, memory)
    assert not pull(hand, memory)["full"]


def test_a_gate_that_lost_its_list_gets_a_whole_one(hand: Hand, lot: Lot, memory: Memory) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    acknowledge(hand, memory)
    answer = hand.beat()
    assert (answer["list_version"], [command["type"] for command in answer["commands"]]) == (1, ["sync"])
    assert hand.ask("GET", "/whitelist?since=0")["full"]
    assert hand.ask("GET", "/whitelist?since=99")["full"]


def test_a_heartbeat_with_the_right_list_asks_for_nothing(hand: Hand, lot: Lot, memory: Memory) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    assert hand.beat(list_version=1, list_sha256=memory.list_sha256())["commands"] == []
    assert [c["type"] for c in hand.beat(list_version=1, list_sha256="0" * 64)["commands"]] == ["sync"]


def test_an_old_acknowledgement_never_takes_back_a_newer_one(hand: Hand, lot: Lot, memory: Memory) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    older = memory.list_sha256()
    world.reservation_ready_to_cancel(world.driver(), lot)
    pull(hand, memory)
    assert acknowledge(hand, memory)
    assert not hand.ask("POST", "/whitelist/ack", {"version": 1, "sha256": older})["resync"]
    assert versions(hand) == (2, 2, 2)


def test_an_acknowledgement_of_what_was_never_sent_is_refused(hand: Hand, lot: Lot) -> None:
    world.reservation_ready_to_cancel(world.driver(), lot)
    gates.refresh_lot(lot.id)
    with transaction() as session:
        digest = session.scalars(select(GateListVersion.sha256).filter_by(device_id=hand.device.id)).one()
    assert hand.ask("POST", "/whitelist/ack", {"version": 1, "sha256": digest})["resync"]
    assert versions(hand) == (1, 0, 0)


def test_old_versions_are_forgotten_and_a_gate_that_still_has_them_starts_anew(
    hand: Hand, lot: Lot, memory: Memory, clock: MovableClock
) -> None:
    who = world.driver()
    booked = world.reservation_ready_to_cancel(who, lot)
    pull(hand, memory)
    reservations.cancel(who.id, booked.key)
    pull(hand, memory)
    acknowledge(hand, memory)
    clock.move_by(timedelta(days=8))
    assert gates.forget_old_lists() == 1
    assert hand.ask("GET", "/whitelist?since=1")["full"]
    assert not hand.ask("GET", "/whitelist?since=2")["full"]


@pytest.mark.parametrize("seed", range(3))
def test_a_chain_of_differences_with_lost_words_ends_equal_and_is_never_empty_in_between(
    evening: datetime, client: FlaskClient, memory: Memory, seed: int
) -> None:
    chance, lot = random.Random(seed), world.open_lot(bays=6)
    assert evening.tzinfo
    gate = installed(client, lot)
    anchor = world.driver()
    world.reservation_ready_to_cancel(anchor, lot)
    pull(gate, memory)
    booked: list[tuple[world.Driver, Any]] = []
    for _ in range(12):
        if booked and chance.random() < 0.5:
            who, reservation = booked.pop()
            reservations.cancel(who.id, reservation.key)
        elif len(booked) < 5:
            who = world.driver()
            booked.append((who, world.reservation_ready_to_cancel(who, lot)))
        lost = chance.random() < 0.3
        if lost:
            gate.ask("GET", f"/whitelist?since={memory.fact('list_version')}")
        elif chance.random() < 0.8:
            pull(gate, memory)
        if chance.random() < 0.5:
            acknowledge(gate, memory)
        assert anchor.plate.characters in plates(memory)
    answer = pull(gate, memory)
    assert memory.list_sha256() == answer["sha256"]
    assert acknowledge(gate, memory)
    assert plates(memory) == sorted([anchor.plate.characters, *(who.plate.characters for who, _ in booked)])
    assert versions(gate)[0] == versions(gate)[2]
