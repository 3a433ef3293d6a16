import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import select

from app.domain.motorists.models import Motorist
from app.kernel.db import transaction
from app.kernel.idempotency import RememberedRequest
from tests.ground import Addresses
from tests.miniprogram.stand import Phone, a_plate

KEY = "a-key-that-the-phone-stored"


def test_a_request_sent_twice_happens_once_and_is_answered_twice(motorist: Phone) -> None:
    wish = {"plate": a_plate(), "colour": "blue"}
    first = motorist.ask("POST", "/vehicles", wish, KEY)
    motorist.delete(f"/vehicles/{first.get_json()['key']}")
    again = motorist.ask("POST", "/vehicles", wish, KEY)
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert motorist.get("/vehicles") == []


def test_a_key_cannot_be_used_for_another_request(motorist: Phone) -> None:
    motorist.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=201, key=KEY)
    refused = motorist.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=422, key=KEY)
    assert refused["code"] == "idempotency_key_reused"
    assert len(motorist.get("/vehicles")) == 1


def test_two_motorists_may_use_the_same_key(motorist: Phone, stranger: Phone) -> None:
    for phone in (motorist, stranger):
        phone.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=201, key=KEY)
        assert len(phone.get("/vehicles")) == 1


def test_requests_at_once_with_one_key_make_one_vehicle(motorist: Phone) -> None:
    wish = {"plate": a_plate(), "colour": "blue"}

    def send(_: int) -> tuple[int, bytes]:
        answer = motorist.client.application.test_client().post(
            "/mp/v1/vehicles",
            json=wish,
            headers={"Idempotency-Key": KEY, "Authorization": f"Bearer {motorist.access}"},
        )
        return answer.status_code, answer.data

    with ThreadPoolExecutor(5) as pool:
        answers = set(pool.map(send, range(5)))
    assert len(answers) == 1
    assert len(motorist.get("/vehicles")) == 1


def test_while_the_first_still_runs_the_second_is_told_to_come_back(motorist: Phone, servers: Addresses) -> None:
    with transaction() as session:
        who = session.scalars(select(Motorist.id)).one()
    with psycopg.connect(servers.app.replace("+psycopg", "")) as first:
        first.execute(
            "INSERT INTO remembered_request (scope, key, request_hash, expires_at) VALUES (%s, %s, '', now())",
            (f"motorist:{who}:vehicles.add", KEY),
        )
        second = motorist.ask("POST", "/vehicles", {"plate": a_plate(), "colour": "blue"}, KEY)
        first.rollback()
    assert (second.status_code, second.get_json()["code"]) == (409, "request_in_flight")
    assert second.headers["Retry-After"] == "2"
    assert motorist.get("/vehicles") == []


def test_a_refusal_is_not_remembered_because_nothing_happened(motorist: Phone) -> None:
    motorist.post("/vehicles", {"plate": "ABC", "colour": "blue"}, expect=422, key=KEY)
    motorist.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=201, key=KEY)


def test_a_remembered_answer_rests_sealed(motorist: Phone) -> None:
    plate = a_plate()
    motorist.post("/vehicles", {"plate": plate, "colour": "blue"}, expect=201, key=f"sealed-{plate[2:]}")
    with transaction() as session:
        row = session.scalars(select(RememberedRequest).filter_by(key=f"sealed-{plate[2:]}")).one()
    assert row.answer is not None
    assert plate.encode() not in row.answer


def test_from_what_is_kept_of_a_request_nobody_can_guess_the_plate(motorist: Phone) -> None:
    wish = {"colour": "blue", "plate": a_plate()}
    motorist.post("/vehicles", wish, expect=201, key="guess-my-plate-if-you-can")
    with transaction() as session:
        row = session.scalars(select(RememberedRequest).filter_by(key="guess-my-plate-if-you-can")).one()
    sent = [json.dumps(wish), json.dumps(wish, ensure_ascii=False), json.dumps(wish, separators=(",", ":"))]
    guesses = [hashlib.sha256(f"POST /mp/v1/vehicles {body}".encode()).digest() for body in sent]
    assert not [each for each in guesses if each[: len(row.request_hash)] == row.request_hash]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "idempotency_key_required"),
        ("short", "idempotency_key_malformed"),
        ("x" * 129, "idempotency_key_malformed"),
    ],
)
def test_a_missing_or_malformed_key_is_refused(motorist: Phone, key: str, code: str) -> None:
    response = motorist.ask(
        "POST", "/vehicles", {"plate": a_plate(), "colour": "blue"}, headers={"Idempotency-Key": key}
    )
    assert (response.status_code, response.get_json()["code"]) == (400, code)
    assert motorist.get("/vehicles") == []
