"""Absolute counts: what can be is recorded once, what cannot be is refused and written down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.domain.lots.models import Lot
from app.domain.partners.models import LotCount, PartnerLot
from app.kernel import clock
from app.kernel.db import transaction, violated
from tests.partners.stand import Hand, count, partner_of
from tests.world import open_lot

Admin = psycopg.Connection[Any]


def counts() -> list[tuple[int, int]]:
    with transaction() as session:
        return [(row.free, row.total) for row in session.query(LotCount).order_by(LotCount.counted_at)]


def refused(admin: Admin) -> list[tuple[str, str]]:
    rows = admin.execute("SELECT kind, code FROM partner_refusal ORDER BY id").fetchall()
    return [(kind, code) for kind, code in rows]


def test_a_count_takes_effect_once_however_often_it_is_told(hand: Hand, lot: Lot) -> None:
    told = count(lot)
    assert hand.verdicts("counts", told, told) == ["recorded", "repeated"]
    assert hand.verdicts("counts", told) == ["repeated"]
    assert counts() == [(3, 5)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"free": -1}, "count_negative"),
        ({"total": -5}, "count_negative"),
        ({"charging_free": -1}, "count_negative"),
        ({"free": 6, "total": 6}, "count_above_capacity"),
        ({"free": 5, "total": 4}, "count_above_capacity"),
        ({"charging_free": 1}, "count_above_capacity"),
        ({"counted_at": "2026-06-10T12:05:30Z"}, "time_in_future"),
        ({"counted_at": "2026-06-10T12:00:00"}, "fields_refused"),
        ({"counted_at": "yesterday"}, "fields_refused"),
        ({"free": "3"}, "fields_refused"),
        ({"free": 3.5}, "fields_refused"),
        ({"free": True}, "fields_refused"),
        ({"free": 10**40}, "fields_refused"),
        ({"occupied": 2}, "fields_refused"),
        ({"lot": "00000000-0000-7000-8000-000000000000"}, "lot_not_found"),
    ],
)
def test_a_count_that_cannot_be_is_refused_and_written_down(
    hand: Hand, lot: Lot, admin: Admin, fields: dict[str, Any], code: str
) -> None:
    assert hand.verdicts("counts", {**count(lot), **fields}, count(lot)) == [code, "recorded"]
    assert refused(admin) == [("count", code)]
    assert counts() == [(3, 5)]


@pytest.mark.parametrize("nonsense", [None, 7, "3", [], {}, [[]]])
def test_what_is_no_record_at_all_spoils_nothing_else(hand: Hand, lot: Lot, nonsense: Any) -> None:
    assert hand.verdicts("counts", nonsense, count(lot)) == ["fields_refused", "recorded"]


def test_a_moment_five_minutes_ahead_is_a_clock_that_is_a_little_fast(hand: Hand, lot: Lot) -> None:
    assert hand.verdicts("counts", count(lot, at=clock.now() + timedelta(minutes=4, seconds=50))) == ["recorded"]


def test_time_does_not_run_backwards_but_the_past_may_be_repeated(hand: Hand, lot: Lot, evening: datetime) -> None:
    earlier, later = (evening - timedelta(minutes=minutes) for minutes in (5, 1))
    batch = [count(lot, 3, earlier), count(lot, 2, later)]
    assert hand.verdicts("counts", *batch) == ["recorded", "recorded"]
    assert hand.verdicts("counts", *batch) == ["repeated", "repeated"]
    assert hand.verdicts("counts", count(lot, 1, later)) == ["time_runs_backwards"]
    assert hand.verdicts("counts", count(lot, 1, earlier - timedelta(minutes=1))) == ["time_runs_backwards"]
    assert counts() == [(3, 5), (2, 5)]


def test_a_bad_record_comes_back_with_its_index_and_a_chinese_sentence(hand: Hand, lot: Lot) -> None:
    answer = hand.ask("POST", "/counts", {"counts": [count(lot), count(lot, -2)]})
    assert (answer["recorded"], answer["repeated"], answer["refused"]) == (1, 0, 1)
    assert answer["verdicts"][1] == {
        "index": 1, "outcome": "refused", "code": "count_negative", "message": "泊位数不能为负数", "details": {},
    }  # fmt: skip


@pytest.mark.parametrize("records", [[], [{}] * 501])
def test_a_batch_has_1_to_500_records(hand: Hand, records: list[Any]) -> None:
    assert hand.ask("POST", "/counts", {"counts": records}, expect=422)["code"] == "invalid"


def test_the_same_key_gets_the_same_answer_and_another_batch_under_it_is_refused(hand: Hand, lot: Lot) -> None:
    batch, again = {"counts": [count(lot)]}, {"Idempotency-Key": "batch-0001"}
    first = hand.send("POST", "/counts", batch, **again)
    second = hand.send("POST", "/counts", batch, **again)
    assert second.get_json() == first.get_json()
    assert second.headers["Idempotent-Replayed"] == "true"
    other = hand.send("POST", "/counts", {"counts": [count(lot, 1)]}, **again)
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    assert counts() == [(3, 5)]


@pytest.mark.parametrize("same_key", [True, False])
def test_the_same_batch_sent_twice_at_once_has_one_effect(
    app: Flask, hand: Hand, lot: Lot, evening: datetime, same_key: bool
) -> None:
    hand.verdicts("counts", count(lot, 5, evening - timedelta(minutes=10)))  # the row to wait for is there already
    batch = {"counts": [count(lot, free, evening - timedelta(minutes=9 - free)) for free in range(5)]}
    keys = ["batch-0001"] * 6 if same_key else [f"batch-000{number}" for number in range(6)]

    def send(key: str) -> Any:
        with app.app_context():
            return Hand(app.test_client(), hand.partner).send("POST", "/counts", batch, **{"Idempotency-Key": key})

    with ThreadPoolExecutor(6) as many:
        answers = list(many.map(send, keys))
    assert {answer.status_code for answer in answers} == {200}
    told = [answer.get_json()["recorded"] for answer in answers]
    assert sorted(set(told)) == ([5] if same_key else [0, 5])
    assert sum(told) == (30 if same_key else 5)
    assert counts() == [(5, 5), *((free, 5) for free in range(5))]


def test_two_partners_cannot_touch_each_others_lots(client: Any, hand: Hand, lot: Lot, admin: Admin) -> None:
    stranger = Hand(client, partner_of(open_lot(bays=5).unit_id))
    assert stranger.verdicts("counts", count(lot)) == ["lot_not_found"]
    assert stranger.ask("PUT", f"/lots/{lot.key}", {"name": "别人的"}, expect=404)["code"] == "lot_not_found"
    assert refused(admin) == [("count", "lot_not_found"), ("lot", "lot_not_found")]
    assert counts() == []


@pytest.mark.parametrize(
    ("free", "total", "minutes", "constraint"),
    [
        (2, 5, -1, "a_count_follows_the_last"),
        (2, 6, 1, "a_count_stays_within_the_shared_bays"),
        (2, 5, 0, "a_moment_is_counted_once"),
        (6, 5, 1, "free_bays_are_some_of_all"),
        (2, 5, 6, "a_count_is_not_from_the_future"),
    ],
)
def test_the_tables_refuse_what_the_rule_would(
    hand: Hand, lot: Lot, evening: datetime, free: int, total: int, minutes: int, constraint: str
) -> None:
    hand.verdicts("counts", count(lot, at=evening))
    row = LotCount(
        partner_id=hand.partner.id, lot_id=lot.id, free=free, total=total,
        counted_at=evening + timedelta(minutes=minutes), received_at=evening,
    )  # fmt: skip
    with pytest.raises(IntegrityError) as refusal, transaction() as session:
        session.add(row)
    assert violated(refusal.value) == constraint


def test_news_of_a_lot_is_noted_and_repetition_is_none(hand: Hand, lot: Lot, at: Any, evening: datetime) -> None:
    hand.verdicts("counts", told := count(lot))
    with transaction() as session:
        heard = session.get_one(PartnerLot, (hand.partner.id, lot.id)).heard_at
    at(evening + timedelta(minutes=2))
    hand.verdicts("counts", told)
    with transaction() as session:
        assert session.get_one(PartnerLot, (hand.partner.id, lot.id)).heard_at == heard
