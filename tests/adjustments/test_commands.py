"""Adjustments as somebody at a terminal makes them."""

import hashlib
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from tests.adjustments.scene import booked, state
from tests.commands import refused, run, told
from tests.world import open_lot, paper, staff

WHY = ("--because", "safety", "--reason", "示例演练", "--announce", "示例公告")
UNTIL = ("--until", "2026-06-11 00:00")


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


@pytest.fixture
def by(lot: Lot) -> Actor:
    return staff("regulator")


def test_a_lot_is_closed_listed_and_opened_again(app: Flask, lot: Lot, by: Actor, evening: datetime) -> None:
    made = booked(lot, evening, 1, 2)
    key = told(app, by, "adjustments", "close", lot.key, *UNTIL, *WHY)["key"]
    assert state(made) == "displaced"
    listed = told(app, by, "adjustments", "list")
    assert [(each["key"], each["kind"], each["displaced"]) for each in listed] == [(key, "close", 1)]
    assert [each["reservation_key"] for each in told(app, by, "adjustments", "affected", key)] == [str(made.key)]
    told(app, by, "adjustments", "end", key, "--reason", "演练取消")
    assert told(app, by, "adjustments", "list") == []
    assert refused(app, by, "adjustments", "end", key, "--reason", "演练取消") == "adjustment_over"


def test_bays_and_hours_are_adjusted(app: Flask, lot: Lot, by: Actor) -> None:
    told(app, by, "adjustments", "fewer-bays", lot.key, "--by", 1, *UNTIL, *WHY)
    assert refused(app, by, "adjustments", "fewer-bays", lot.key, "--by", 9, *UNTIL, *WHY) == "too_few_bays"
    assert run(app, by, "adjustments", "fewer-bays", lot.key, *UNTIL, *WHY).exit_code == 2
    hours = ("--open-from", "19:00", "--open-until", "23:00")
    told(app, by, "adjustments", "hours", lot.key, *hours, *UNTIL, *WHY)


def test_an_emergency_closes_a_district(app: Flask, by: Actor) -> None:
    words = ("--reason", "示例险情", "--announce", "示例公告")
    assert refused(app, by, "adjustments", "close-now", "--city", *words) == "adjustment_end_missing"
    assert run(app, by, "adjustments", "close-now", *words).exit_code == 2
    told(app, by, "adjustments", "close-now", "--district", "330106", "--review", "2026-06-11 08:00", *words)


def test_public_money_is_waived_on_an_approved_basis(app: Flask, evening: datetime) -> None:
    lot, by, maker, checker = open_lot(kind="organ"), *map(staff, ("regulator", "finance_maker", "finance_checker"))
    free = ("adjustments", "free-now", "--lot", lot.key, *UNTIL, *WHY)
    assert refused(app, by, *free) == "waiver_basis_missing"
    basis = ("示例〔2026〕1号", "--text", "示例", "--until", "2026-06-12 00:00")
    key = told(app, maker, "adjustments", "record-basis", *basis)["key"]
    told(app, checker, "adjustments", "approve-basis", key)
    assert [each["document_no"] for each in told(app, checker, "adjustments", "bases")] == ["示例〔2026〕1号"]
    told(app, by, *free, "--basis", key)


def test_a_basis_is_recorded_with_its_document_and_whoever_approves_it_can_read_it(
    app: Flask, evening: datetime, tmp_path: Path
) -> None:
    notice, copy = tmp_path / "notice.pdf", tmp_path / "copy.pdf"
    notice.write_bytes(paper().content)
    maker, checker = staff("finance_maker"), staff("finance_checker")
    words = ("示例〔2026〕1号", "--file", notice, "--until", "2026-06-12 00:00")
    key = told(app, maker, "adjustments", "record-basis", *words)["key"]
    shown = told(app, checker, "adjustments", "show-basis", key, "--save", copy)
    assert copy.read_bytes() == notice.read_bytes()
    assert (shown["document"], shown["sha256"]) == ("notice.pdf", hashlib.sha256(notice.read_bytes()).hexdigest())
    elsewhere = staff("finance_checker", district_code="330108")
    assert refused(app, elsewhere, "adjustments", "show-basis", key) == "not_found"


def test_a_basis_without_a_document_has_none_to_save(app: Flask, evening: datetime, tmp_path: Path) -> None:
    maker = staff("finance_maker")
    words = ("示例〔2026〕1号", "--text", "示例", "--until", "2026-06-12 00:00")
    key = told(app, maker, "adjustments", "record-basis", *words)["key"]
    assert refused(app, maker, "adjustments", "show-basis", key, "--save", tmp_path / "copy") == "file_not_found"
    (tmp_path / "no.pdf").write_bytes(b"no document")
    wrong = ("示例〔2026〕2号", "--file", tmp_path / "no.pdf", "--until", "2026-06-12 00:00")
    assert refused(app, maker, "adjustments", "record-basis", *wrong) == "file_refused"
