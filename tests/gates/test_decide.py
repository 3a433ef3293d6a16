"""A gate asks about a car: stored first, decided once, answered the same for ever."""

from typing import Any

from app.domain.gates import queries
from app.domain.gates.actions import issue
from app.kernel import clock
from simulators.gate import wire
from tests import world
from tests.gates.stand import Hand


def arrival(hand: Hand, plate: str) -> dict[str, Any]:
    return hand.event("arrived", plate)


def test_a_car_without_reservation_is_let_in_and_the_same_question_gets_the_same_answer(hand: Hand) -> None:
    event = arrival(hand, world.some_plate().characters)
    first = hand.ask("POST", "/decide", event)
    assert (first["decision"], first["commands"]) == ("open", [])
    assert hand.ask("POST", "/decide", event) == first
    assert len(queries.gate_events(hand.device.id)) == 1


def test_the_arrival_is_stored_even_when_the_decision_is_no(hand: Hand) -> None:
    answer = hand.ask("POST", "/decide", arrival(hand, "_无_"))
    assert answer["decision"] == "manual"
    [passage] = queries.passages(queries.gate_events(hand.device.id))
    assert (passage.type, passage.plate_raw) == ("arrived", "_无_")


def test_an_arrival_that_cannot_be_recorded_is_refused_under_signature(hand: Hand) -> None:
    refused = hand.ask("POST", "/decide", {**arrival(hand, "浙A12345"), "device_time": "soon"}, expect=422)
    assert (refused["code"], refused["details"]) == ("unreadable_event", {"event": "device_time_unreadable"})


def test_an_id_that_named_another_event_does_not_get_an_answer(hand: Hand) -> None:
    passed = hand.event("passed")
    hand.ask("POST", "/events", {"events": [passed]})
    assert hand.ask("POST", "/decide", passed, expect=422)["details"] == {"event": "event_id_reused"}


def test_a_waiting_command_rides_in_the_answer(hand: Hand) -> None:
    issue(hand.device.id, "display", {"text": "欢迎"}, "test")
    [command] = hand.ask("POST", "/decide", arrival(hand, world.some_plate().characters))["commands"]
    assert (command["type"], command["args"]) == ("display", {"text": "欢迎"})
    assert wire.seconds(command["expires_at"]) > clock.now().timestamp()


def test_no_plate_and_no_secret_is_told_to_the_log(hand: Hand, capsys: Any) -> None:
    plate = world.some_plate().characters
    hand.ask("POST", "/decide", arrival(hand, plate))
    hand.send("POST", "/decide", {"plate_raw": plate})
    said = "".join(capsys.readouterr())
    assert plate not in said
    assert hand.secret.hex() not in said
