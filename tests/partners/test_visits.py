"""Entry and exit records: a story of reports, told in any order, put right by corrections that say why."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.domain.lots.models import Lot
from app.domain.partners.models import PartnerVisit, PartnerVisitReport
from app.kernel import clock
from app.kernel.db import transaction, violated
from tests.partners.stand import Hand, count, partner_of, visit
from tests.world import open_lot

Admin = psycopg.Connection[Any]


def reports() -> list[tuple[str, bool]]:
    """Each report's kind, and whether the car had left."""
    with transaction() as session:
        rows = session.query(PartnerVisitReport).order_by(PartnerVisitReport.visit_id, PartnerVisitReport.number)
        return [(row.kind, row.left_at is not None) for row in rows]


def ago(minutes: float) -> str:
    return (clock.now() - timedelta(minutes=minutes)).isoformat()


def test_an_exit_completes_its_entry(hand: Hand, lot: Lot) -> None:
    came = visit(lot)
    left = {**came, "left_at": ago(10), "told_at": ago(10), "exit_lane": "2"}
    assert hand.verdicts("visits", came, left, left) == ["recorded", "recorded", "repeated"]
    assert reports() == [("report", False), ("report", True)]


def test_an_entry_that_comes_after_its_exit_tells_nothing_new(hand: Hand, lot: Lot) -> None:
    came = visit(lot)
    left = {**came, "left_at": ago(10), "told_at": ago(10)}
    assert hand.verdicts("visits", left, came) == ["recorded", "repeated"]
    assert reports() == [("report", True)]


def test_a_visit_is_put_right_by_a_correction_with_a_reason(hand: Hand, lot: Lot) -> None:
    came = visit(lot)
    wrong = {**came, "plate": "浙A54321"}
    assert hand.verdicts("visits", came, wrong) == ["recorded", "visit_differs"]
    right = {**wrong, "kind": "correction", "reason": "误识别", "told_at": ago(5)}
    assert hand.verdicts("visits", right, right, came) == ["recorded", "repeated", "repeated"]
    older = {**right, "plate": "浙A00000", "told_at": ago(6), "reason": "又改"}
    assert hand.verdicts("visits", older) == ["time_runs_backwards"]
    assert reports() == [("report", False), ("correction", False)]


def test_a_voided_visit_is_over(hand: Hand, lot: Lot) -> None:
    came = visit(lot)
    void = {"lot": str(lot.key), "uid": "V1", "kind": "void", "reason": "误触发", "told_at": ago(1)}
    assert hand.verdicts("visits", came, void, void) == ["recorded", "recorded", "repeated"]
    more = {**came, "left_at": ago(0), "told_at": ago(0)}
    assert hand.verdicts("visits", more, {**void, "told_at": ago(0)}, came) == [
        "visit_voided", "visit_voided", "repeated",
    ]  # fmt: skip
    assert reports() == [("report", False), ("void", False)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"left_at": "2026-06-10T10:00:00Z"}, "exit_before_entry"),
        ({"left_at": "2026-06-10T12:06:00Z"}, "time_in_future"),
        ({"entered_at": "2026-06-10T12:06:00Z"}, "time_in_future"),
        ({"told_at": "2026-06-10T12:06:00Z"}, "time_in_future"),
        ({"kind": "correction", "reason": "无此记录"}, "visit_unknown"),
        ({"kind": "correction"}, "fields_refused"),
        ({"kind": "guess"}, "fields_refused"),
        ({"reason": "多余"}, "fields_refused"),
        ({"uid": ""}, "fields_refused"),
        ({"entered_at": None}, "fields_refused"),
        ({"plate": "浙" * 33}, "fields_refused"),
        ({"plate_color": "purple"}, "fields_refused"),
        ({"fee": 500}, "fields_refused"),
    ],
)
def test_a_visit_that_cannot_be_is_refused_and_written_down(
    hand: Hand, lot: Lot, admin: Admin, fields: dict[str, Any], code: str
) -> None:
    assert hand.verdicts("visits", visit(lot, **{"uid": "V2", **fields}), visit(lot)) == [code, "recorded"]
    assert admin.execute("SELECT kind, code FROM partner_refusal").fetchall() == [("visit", code)]


def test_what_was_never_reported_cannot_be_voided(hand: Hand, lot: Lot) -> None:
    void = {"lot": str(lot.key), "uid": "V9", "kind": "void", "reason": "误触发", "told_at": ago(1)}
    assert hand.verdicts("visits", void) == ["visit_unknown"]


def test_one_number_in_two_lots_is_two_visits(hand: Hand, lot: Lot, client: Any) -> None:
    other = open_lot(bays=5)
    assert hand.verdicts("visits", visit(lot)) == ["recorded"]
    assert Hand(client, partner_of(other.unit_id)).verdicts("visits", visit(other)) == ["recorded"]
    with transaction() as session:
        assert session.query(PartnerVisit).count() == 2


def test_an_unplated_car_is_a_visit_too(hand: Hand, lot: Lot) -> None:
    unplated = {**visit(lot), "plate": None}
    assert hand.verdicts("visits", unplated, {**visit(lot, "V2"), "plate": "_无_"}) == ["recorded", "recorded"]
    with transaction() as session:
        assert {row.plate_id for row in session.query(PartnerVisitReport)} == {None}


def test_the_same_visits_sent_twice_at_once_have_one_effect(app: Flask, hand: Hand, lot: Lot) -> None:
    hand.verdicts("visits", visit(lot, "V-before"))  # the rows to wait for are there already
    batch = {"visits": [visit(lot, f"V{number}") for number in range(8)]}

    def send(_: int) -> Any:
        with app.app_context():
            return Hand(app.test_client(), hand.partner).ask("POST", "/visits", batch)["recorded"]

    with ThreadPoolExecutor(4) as many:
        assert sorted(many.map(send, range(4))) == [0, 0, 0, 8]
    assert reports() == [("report", False)] * 9


def test_no_plate_lies_readable_in_any_table(hand: Hand, lot: Lot, admin: Admin) -> None:
    hand.verdicts("visits", visit(lot), visit(lot, "V2", kind="guess"), count(lot))
    names = [name for (name,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for name in names:
        rows = admin.execute(f'SELECT t::text FROM "{name}" t').fetchall()  # noqa: S608
        assert "A12345" not in str(rows), name


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"left_at": timedelta(hours=-2)}, "a_car_leaves_after_it_entered"),
        ({"left_at": timedelta(minutes=6)}, "a_visit_is_not_from_the_future"),
        ({"kind": "void"}, "a_correction_gives_a_reason"),
        ({"number": 1}, "reports_of_a_visit_are_numbered"),
    ],
)
def test_the_tables_refuse_what_the_rule_would(
    hand: Hand, lot: Lot, evening: datetime, fields: dict[str, Any], constraint: str
) -> None:
    hand.verdicts("visits", visit(lot))
    with transaction() as session:
        visit_id = session.query(PartnerVisit.id).scalar()
    told = {"kind": "report", "number": 2, **fields}
    if "left_at" in told:
        told["left_at"] = evening + told["left_at"]
    row = PartnerVisitReport(
        visit_id=visit_id, entered_at=evening - timedelta(hours=1), told_at=evening, digest=b"\0" * 32,
        received_at=evening, **told,
    )  # fmt: skip
    with pytest.raises(IntegrityError) as refusal, transaction() as session:
        session.add(row)
    assert violated(refusal.value) == constraint
