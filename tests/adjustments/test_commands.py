"""Adjustments as somebody at a terminal makes them."""

from datetime import datetime

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from tests.adjustments.scene import booked, state
from tests.commands import refused, run, told
from tests.world import open_lot, staff

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
