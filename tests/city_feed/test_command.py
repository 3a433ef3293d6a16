"""`city-feed`: how the feed stands, what was refused, and sending that again."""

from collections.abc import Callable

from flask import Flask

from app.domain.lots.models import Lot
from tests.city_feed.stand import CityStand
from tests.commands import refused, run, told
from tests.world import drive, gate, some_plate, staff


def test_status_tells_what_waits_and_what_was_refused(
    app: Flask, city: CityStand, known_lot: Lot, tell: Callable[[], int]
) -> None:
    by = staff("regulator")
    drive(gate(known_lot), some_plate())
    city.suffer("down")
    tell()
    shown = told(app, by, "city-feed", "status")
    assert (shown["on"], shown["due"], shown["refused"], shown["lots_known"]) == (False, 1, 0, 1)
    assert shown["last_failure"].startswith("no answer")
    assert shown["oldest_due_at"].startswith("2026-06-10T20:00")
    assert "未配置" in run(app, by, "city-feed", "status").stdout


def test_a_refused_upload_is_listed_and_sent_again(
    app: Flask, city: CityStand, known_lot: Lot, tell: Callable[[], int]
) -> None:
    by = staff("administrator")
    drive(gate(known_lot), some_plate())
    city.suffer("refuse", operation="uploadCarInData", code=1077)
    tell()
    [row] = told(app, by, "city-feed", "refused")
    assert (row["code"], row["kind"], row["lot_name"]) == ("1077", "entry", known_lot.name)
    told(app, by, "city-feed", "retry", row["key"])
    assert told(app, by, "city-feed", "refused") == []
    assert refused(app, by, "city-feed", "retry", row["key"]) == "wrong_state"


def test_only_regulators_and_administrators_see_the_feed(app: Flask, known_lot: Lot) -> None:
    assert refused(app, staff("unit", unit_id=known_lot.unit_id), "city-feed", "status") == "not_permitted"
