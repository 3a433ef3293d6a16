"""What gates report is kept: raw, once, in order, however odd or late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.gates import queries
from app.domain.gates.models import GateEvent, GateRejection
from app.domain.lots.models import Lot
from app.kernel import clock
from app.kernel.db import transaction
from simulators.gate import wire
from tests.gates.stand import Hand, installed


def tell(hand: Hand, *events: Any) -> dict[str, Any]:
    return hand.ask("POST", "/events", {"events": list(events)})


def kept(hand: Hand) -> list[queries.Passage]:
    return queries.passages(queries.gate_events(hand.device.id))


def test_a_batch_is_acknowledged_up_to_its_last_number(hand: Hand) -> None:
    assert tell(hand, hand.event(), hand.event()) == {"acked_seq": 2, "rejected": [], "want_from_seq": None}


def test_an_event_told_again_is_recorded_once(hand: Hand) -> None:
    event = hand.event()
    tell(hand, event, event)
    assert tell(hand, event)["acked_seq"] == 1
    assert [passage.type for passage in kept(hand)] == ["passed"]


@pytest.mark.parametrize(
    ("leads", "told", "means"), [("both", None, None), ("both", "out", "out"), ("out", None, "out")]
)
def test_only_a_gate_that_leads_both_ways_must_say_which_way_a_car_went(
    client: FlaskClient, lot: Lot, leads: str, told: str | None, means: str | None
) -> None:
    gate = installed(client, lot, leads)
    tell(gate, gate.event(direction=told))
    assert [passage.direction for passage in kept(gate)] == [means]


def test_a_gap_is_asked_for_and_closed_by_what_comes_late(hand: Hand) -> None:
    first, second, third = hand.event(), hand.event(), hand.event()
    assert tell(hand, first, third) == {"acked_seq": 1, "rejected": [], "want_from_seq": 2}
    assert tell(hand, second) == {"acked_seq": 3, "rejected": [], "want_from_seq": None}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"type": "flew_away"}, "type_unknown"),
        ({"device_time": "yesterday"}, "device_time_unreadable"),
        ({"device_time": "2026-06-10T20:00:00"}, "device_time_unreadable"),
        ({"device_time": "2199-01-01T00:00:00Z"}, "device_time_in_the_future"),
        ({"event_id": ""}, "event_id_unreadable"),
        ({"event_id": 7}, "event_id_unreadable"),
    ],
)
def test_a_wrong_event_is_named_and_holds_nothing_up(hand: Hand, wrong: dict[str, Any], code: str) -> None:
    good, bad, better = hand.event(), hand.event(), hand.event()
    answer = tell(hand, good, {**bad, **wrong}, better)
    assert [(rejection["seq"], rejection["code"]) for rejection in answer["rejected"]] == [(2, code)]
    assert (answer["acked_seq"], len(kept(hand))) == (3, 2)
    with transaction() as session:
        assert session.scalars(select(GateRejection.code).filter_by(device_id=hand.device.id)).all() == [code]


def test_what_is_no_event_at_all_is_named_without_a_number(hand: Hand) -> None:
    answer = tell(hand, 17, "x", None, {"seq": True}, {"seq": 0}, hand.event())
    assert [rejection["seq"] for rejection in answer["rejected"]] == [None] * 5
    assert answer["acked_seq"] == 1


def test_a_used_id_or_number_does_not_hide_another_event(hand: Hand) -> None:
    first = hand.event()
    tell(hand, first)
    answer = tell(hand, {**hand.event(), "event_id": first["event_id"]}, {**hand.event(), "seq": 1})
    assert [rejection["code"] for rejection in answer["rejected"]] == ["event_id_reused", "seq_reused"]
    assert [passage.id for passage in kept(hand)] == queries.gate_events(hand.device.id)[:1]


@pytest.mark.parametrize(
    "plate", ["_无_", "", "无牌车", "浙A·D1234", "XX", "12345", "浙A12345" * 9, "a\u0000b", "\ud83d", "车" * 200]
)
def test_no_plate_is_too_odd_to_be_kept(hand: Hand, plate: str) -> None:
    assert tell(hand, hand.event(plate=plate))["rejected"] == []
    [passage] = kept(hand)
    assert passage.plate_raw is not None
    assert len(passage.plate_raw) <= 32


def test_an_unplated_car_has_no_plate_and_a_misread_one_has(hand: Hand) -> None:
    tell(hand, hand.event(plate="_无_"), hand.event(plate="浙A1234"), hand.event(plate="浙a·12345"))
    unplated, misread, spaced = kept(hand)
    assert unplated.plate_id is None
    assert misread.plate_id is not None
    assert spaced.plate_raw == "浙a·12345"


def test_a_plate_and_a_raw_message_rest_sealed(hand: Hand) -> None:
    tell(hand, hand.event(plate="浙A77777"))
    with transaction() as session:
        event = session.scalars(select(GateEvent).filter_by(device_id=hand.device.id)).one()
        assert event.plate_enc is not None
        assert event.body_enc is not None
        sealed = event.plate_enc + event.body_enc
    assert "浙A77777".encode() not in sealed
    assert b"77777" not in sealed


def test_a_wrong_clock_is_corrected_by_the_median_of_its_heartbeats(hand: Hand) -> None:
    behind = timedelta(minutes=7)
    late = wire.moment((clock.now() - behind).timestamp())
    for _ in range(5):
        hand.beat(device_time=late)
    passed_at = clock.now() - timedelta(hours=1)
    tell(hand, hand.event(device_time=wire.moment((passed_at - behind).timestamp())))
    [passage] = kept(hand)
    assert abs(passage.event_time - passed_at) < timedelta(seconds=5)
    assert passage.clock_suspect


def test_an_event_never_happened_after_we_heard_of_it(hand: Hand) -> None:
    tell(hand, hand.event(device_time=wire.moment((clock.now() + timedelta(hours=2)).timestamp())))
    [passage] = kept(hand)
    assert passage.event_time == passage.received_at


def test_an_event_of_last_year_is_accepted(hand: Hand) -> None:
    tell(hand, hand.event(device_time="2025-01-02T03:04:05+08:00", offline=True))
    [passage] = kept(hand)
    assert passage.offline
    assert passage.event_time == datetime(2025, 1, 1, 19, 4, 5, tzinfo=UTC)


def test_a_batch_has_at_most_two_hundred_events(hand: Hand) -> None:
    assert hand.send("POST", "/events", {"events": [hand.event() for _ in range(201)]}).status_code == 422
    assert hand.send("POST", "/events", {"events": "many"}).status_code == 422
    assert kept(hand) == []


def test_a_gate_without_memory_learns_where_to_count_on(hand: Hand) -> None:
    tell(hand, hand.event(), hand.event())
    assert hand.beat()["next_seq"] == 3


def test_a_gate_that_believes_it_told_everything_is_asked_for_the_rest(hand: Hand) -> None:
    tell(hand, hand.event())
    answer = hand.beat(last_seq=4)
    assert (answer["acked_seq"], answer["want_from_seq"]) == (1, 2)
    assert queries.reported_until(hand.device.lot_id) is None


def test_a_lot_has_reported_until_its_slowest_gate(hand: Hand, exit_hand: Hand) -> None:
    hand.beat()
    assert queries.reported_until(hand.device.lot_id) is None
    earlier = clock.now() - timedelta(seconds=1)
    exit_hand.beat(device_time=wire.moment(earlier.timestamp()))
    until = queries.reported_until(hand.device.lot_id)
    assert until is not None
    assert until <= clock.now()


def test_the_program_itself_cannot_change_what_a_gate_reported(hand: Hand, database_urls: tuple[str, str]) -> None:
    tell(hand, hand.event())
    for statement in ("UPDATE gate_event SET type = 'denied'", "DELETE FROM gate_event", "TRUNCATE gate_event CASCADE"):
        with (
            psycopg.connect(database_urls[1].replace("+psycopg", "")) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
