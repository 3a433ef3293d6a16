"""Who may speak at the gate door, how often, and how the answer is known to be ours."""

from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import func, select

from app.domain.gates import actions as gates
from app.domain.gates.actions.devices import TwoKeysAlready, WeakSecret
from app.domain.gates.models import GateEvent, GateKey, GateNonce
from app.domain.lots.models import Lot
from app.kernel import clock
from app.kernel.db import transaction
from simulators.gate import wire
from tests.gates.stand import Hand, installed


def events_of(hand: Hand) -> int:
    with transaction() as session:
        counted = session.scalar(select(func.count()).select_from(GateEvent).filter_by(device_id=hand.device.id))
        return counted or 0


def test_a_signed_message_is_answered_with_a_signature_for_this_very_request(hand: Hand) -> None:
    assert hand.beat()["list_version"] == 0


@pytest.mark.parametrize("name", ["X-Gate-Id", "X-Key-Id", "X-Timestamp", "X-Nonce", "X-Content-SHA256", "X-Signature"])
def test_a_message_with_one_header_changed_is_refused_unsigned_and_leaves_nothing_behind(hand: Hand, name: str) -> None:
    body, target = b'{"events": []}', "/gate/v1/events"
    headers = hand.headers("POST", target, body)
    headers[name] = headers[name][:-1] + ("1" if headers[name][-1] != "1" else "2")
    response = hand.repeat("POST", target, body, headers)
    assert (response.status_code, response.get_json()["code"]) == (401, "bad_signature")
    assert "X-Signature" not in response.headers


def test_a_changed_body_or_path_is_refused(hand: Hand) -> None:
    target = "/gate/v1/events"
    headers = hand.headers("POST", target, b'{"events": []}')
    assert hand.repeat("POST", target, b'{"events": [1]}', headers).status_code == 401
    headers = hand.headers("GET", "/gate/v1/whitelist?since=0", b"")
    assert hand.repeat("GET", "/gate/v1/whitelist?since=1", b"", headers).status_code == 401


def test_a_replayed_message_is_refused_even_after_redis_forgot_everything(hand: Hand, redis: Redis) -> None:
    target, body = "/gate/v1/events", b'{"events": []}'
    headers = hand.headers("POST", target, body)
    assert hand.repeat("POST", target, body, headers).status_code == 200
    redis.flushdb()
    again = hand.repeat("POST", target, body, headers)
    assert (again.status_code, again.get_json()["code"]) == (401, "replayed")


def test_a_wrong_clock_is_told_the_right_time_under_signature_and_let_in_with_it(hand: Hand) -> None:
    hand.skew = -4000
    told = hand.ask("POST", "/events", {"events": []}, expect=401)
    assert told["code"] == "clock_skew"
    assert abs(told["details"]["server_time"] - clock.now().timestamp()) < 5
    hand.skew = 0
    assert hand.ask("POST", "/events", {"events": []})["acked_seq"] == 0


@pytest.mark.parametrize(("skew", "status"), [(-290, 200), (290, 200), (-310, 401), (310, 401)])
def test_a_clock_may_stand_five_minutes_off_either_way(hand: Hand, skew: int, status: int) -> None:
    hand.skew = skew
    assert hand.send("POST", "/events", {"events": []}).status_code == status


def test_two_keys_work_side_by_side_and_a_retired_one_no_more(hand: Hand) -> None:
    gates.add_key(hand.device.id, "k2", b"2" * 32, "test")
    newer = Hand(hand.client, hand.device, "k2", b"2" * 32)
    assert hand.beat()["next_seq"] == newer.beat()["next_seq"] == 1
    gates.retire_key(hand.device.id, "k1", "test")
    assert hand.send("POST", "/events", {"events": []}).status_code == 401
    assert newer.beat()["next_seq"] == 1


def test_a_third_valid_key_and_a_short_secret_are_refused(hand: Hand) -> None:
    gates.add_key(hand.device.id, "k2", b"2" * 32, "test")
    with pytest.raises(TwoKeysAlready):
        gates.add_key(hand.device.id, "k3", b"3" * 32, "test")
    with pytest.raises(WeakSecret):
        gates.add_key(hand.device.id, "k4", b"short", "test")


def test_one_gates_key_does_not_speak_for_another(lot: Lot, hand: Hand) -> None:
    other = installed(hand.client, lot, "out")
    other.secret = hand.secret
    assert other.send("POST", "/events", {"events": []}).status_code == 401


def test_a_disabled_gate_is_told_so_under_signature_and_records_nothing(hand: Hand) -> None:
    gates.set_enabled(hand.device.id, False, "test")
    assert hand.ask("POST", "/events", {"events": [hand.event()]}, expect=403)["code"] == "gate_disabled"
    assert events_of(hand) == 0


def test_secrets_rest_sealed(hand: Hand) -> None:
    with transaction() as session:
        kept = session.scalars(select(GateKey.secret_enc).filter_by(device_id=hand.device.id)).one()
    assert hand.secret not in kept
    assert hand.secret.hex().encode() not in kept


def test_a_nonce_is_forgotten_only_when_its_message_would_be_refused_anyway(hand: Hand) -> None:
    hand.beat()
    with transaction() as session:
        session.add(GateNonce(device_id=hand.device.id, nonce="n" * 16, seen_at=clock.now() - timedelta(minutes=11)))
    assert gates.forget_old_nonces() >= 1
    with transaction() as session:
        kept = session.scalars(select(GateNonce.nonce).filter_by(device_id=hand.device.id)).all()
    assert len(kept) == 1
    assert kept != ["n" * 16]


def test_a_body_beyond_its_limit_is_refused_and_a_batch_has_more_room(hand: Hand) -> None:
    large = {"events": [], "padding": "x" * 100_000}
    assert hand.send("POST", "/heartbeat", large).status_code == 413
    assert hand.send("POST", "/events", large).status_code == 200
    assert hand.send("POST", "/events", {"padding": "x" * 600_000}).status_code == 413


def test_an_answer_with_another_nonce_or_body_is_not_believed() -> None:
    key, body = b"k" * 32, b'{"decision":"open"}'
    headers = {"X-Timestamp": "1", "X-Signature": wire.signature(key, "200", "nonce", "1", wire.digest(body))}
    assert wire.is_signed(key, 200, "nonce", headers, body)
    assert not wire.is_signed(key, 200, "other", headers, body)
    assert not wire.is_signed(key, 500, "nonce", headers, body)
    assert not wire.is_signed(key, 200, "nonce", headers, body + b" ")
    assert not wire.is_signed(key, 200, "nonce", {}, body)
