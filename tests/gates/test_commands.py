"""A command reaches its gate at most once, in time or not at all."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.gates import actions as gates
from app.domain.gates.models import COMMAND, GateClockSample, GateCommand
from app.kernel.clock import now
from app.kernel.db import transaction
from app.kernel.states import StateTransition, registered_rows
from simulators.gate import wire
from tests.conftest import MovableClock
from tests.gates.stand import Hand


def states(hand: Hand) -> list[tuple[str, str]]:
    with transaction() as session:
        rows = session.execute(
            select(GateCommand.type, GateCommand.state).filter_by(device_id=hand.device.id).order_by(GateCommand.id)
        )
        return [(row.type, row.state) for row in rows]


def poll(hand: Hand) -> list[dict[str, Any]]:
    commands: list[dict[str, Any]] = hand.ask("GET", "/commands?wait=0")["commands"]
    return commands


def test_a_command_is_handed_out_once(hand: Hand) -> None:
    gates.issue(hand.device.id, "open", {}, "test")
    assert [command["type"] for command in poll(hand)] == ["open"]
    assert poll(hand) == []
    assert states(hand) == [("open", "issued")]


def test_an_open_command_that_nobody_fetched_in_time_is_never_handed_out(hand: Hand, clock: MovableClock) -> None:
    gates.issue(hand.device.id, "open", {}, "test")
    clock.move_by(timedelta(seconds=11))
    assert poll(hand) == []
    assert states(hand) == [("open", "expired")]


def test_a_result_is_kept_and_may_be_told_twice_but_not_otherwise(hand: Hand) -> None:
    gates.issue(hand.device.id, "open", {}, "test")
    [command] = poll(hand)
    path = f"/commands/{command['cmd_id']}/result"
    assert hand.ask("POST", path, {"status": "done"}) == {"settled": True}
    assert hand.ask("POST", path, {"status": "done"}) == {"settled": True}
    assert hand.ask("POST", path, {"status": "failed"}, expect=409)["code"] == "result_already_given"
    assert states(hand) == [("open", "done")]


def test_an_open_without_a_result_becomes_unknown_and_a_late_word_still_counts(hand: Hand, clock: MovableClock) -> None:
    gates.issue(hand.device.id, "open", {}, "test")
    [command] = poll(hand)
    clock.move_by(timedelta(seconds=71))
    assert gates.forget_overdue_commands() >= 1
    assert states(hand) == [("open", "unknown")]
    assert poll(hand) == []
    hand.ask("POST", f"/commands/{command['cmd_id']}/result", {"status": "expired", "detail": "late"})
    assert states(hand) == [("open", "expired")]


def test_another_gates_command_is_not_there(hand: Hand, exit_hand: Hand) -> None:
    gates.issue(hand.device.id, "open", {}, "test")
    [command] = poll(hand)
    path = f"/commands/{command['cmd_id']}/result"
    assert exit_hand.ask("POST", path, {"status": "done"}, expect=404)["code"] == "command_not_found"
    assert hand.ask("POST", f"/commands/{uuid.uuid4()}/result", {"status": "done"}, expect=404)["details"] == {}
    assert states(hand) == [("open", "issued")]


@pytest.mark.parametrize("nudge", ["sync", "set_time"])
def test_one_nudge_is_enough_until_it_is_fetched_or_over(hand: Hand, clock: MovableClock, nudge: str) -> None:
    gates.issue(hand.device.id, nudge, {}, "test")
    gates.issue(hand.device.id, nudge, {}, "test")
    assert states(hand) == [(nudge, "pending")]
    clock.move_by(timedelta(seconds=61))
    gates.issue(hand.device.id, nudge, {}, "test")
    assert states(hand) == [(nudge, "expired"), (nudge, "pending")]


def test_a_wrong_clock_is_told_to_set_itself_and_its_past_is_forgotten(hand: Hand) -> None:
    wrong = wire.moment((now() - timedelta(seconds=9)).timestamp())
    [command] = hand.beat(device_time=wrong)["commands"]
    assert command["type"] == "set_time"
    hand.ask("POST", f"/commands/{command['cmd_id']}/result", {"status": "done"})
    with transaction() as session:
        assert session.scalars(select(GateClockSample).filter_by(device_id=hand.device.id)).all() == []
    assert hand.beat()["commands"] == []


@pytest.mark.parametrize("wait", ["26", "-1", "x", ""])
def test_a_wait_beyond_25_seconds_or_none_at_all_is_refused(hand: Hand, wait: str) -> None:
    assert hand.ask("GET", f"/commands?wait={wait}", expect=422)["details"] == {"fields": ["wait"]}


def test_the_graph_in_the_database_is_that_of_the_code(hand: Hand) -> None:
    assert hand.device.id
    with transaction() as session:
        stored = session.execute(
            select(
                StateTransition.machine, StateTransition.from_state, StateTransition.event, StateTransition.to_state
            ).filter_by(machine="gate_command")
        ).mappings()
        key = "from_state", "event"
        assert sorted(map(dict, stored), key=lambda row: [row[k] for k in key]) == sorted(
            registered_rows(COMMAND), key=lambda row: [row[k] for k in key]
        )
