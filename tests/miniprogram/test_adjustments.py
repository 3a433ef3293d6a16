"""What motorists see of adjustments: announcements, displaced reservations, bays on offer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.adjustments import actions
from app.domain.adjustments.rules import CloseLot, Where
from app.domain.lots.models import Lot
from tests import world
from tests.adjustments.scene import EVENT, hours
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_reservations import ready, wish


@pytest.fixture
def lot(evening: datetime, motorist: Phone, at: Callable[[datetime], None]) -> Lot:
    """A lot with one bay, open this evening; made after everybody has signed in."""
    assert motorist.access
    at(evening)
    return world.open_lot(bays=1)


@pytest.fixture
def driver(lot: Lot, motorist: Phone) -> Phone:
    return ready(motorist)


def close(lot: Lot, evening: datetime) -> Any:
    return actions.adjust(world.staff("regulator"), [lot.key], hours(evening, 0.25, 4), CloseLot(), EVENT)


def lost(driver: Phone, lot: Lot, evening: datetime) -> dict[str, Any]:
    """A reservation that its lot cannot keep, another bay having been looked for."""
    made = driver.post("/reservations", wish(driver, lot), expect=201)
    assert made["offer"] is None
    close(lot, evening)
    actions.offer_forgotten()
    shown: dict[str, Any] = driver.get(f"/reservations/{made['key']}")
    return shown


def test_a_displaced_reservation_says_why_and_what_is_offered_instead(
    driver: Phone, lot: Lot, evening: datetime
) -> None:
    near = world.open_lot(bays=1)
    shown = lost(driver, lot, evening)
    assert (shown["state"], shown["offer"]["outcome"], shown["offer"]["reason"]) == (
        "displaced", "offered", EVENT.announcement,
    )  # fmt: skip
    assert shown["offer"]["lot"]["key"] == str(near.key)
    assert [each["kind"] for each in driver.get("/messages")["items"]] == ["bay_offered", "reservation_displaced"]
    assert driver.get("/reservations")["items"][0]["offer"]["outcome"] == "offered"


def test_an_offer_is_accepted_once_and_shows_the_new_reservation(driver: Phone, lot: Lot, evening: datetime) -> None:
    near = world.open_lot(bays=1)
    shown = lost(driver, lot, evening)
    path = f"/reservations/{shown['key']}/offer/acceptances"
    kept = driver.post(path, expect=201, key="accept-once")
    assert (kept["state"], kept["lot"]["key"]) == ("confirmed", str(near.key))
    assert driver.post(path, expect=201, key="accept-once") == kept
    assert driver.post(path, expect=404)["code"] == "offer_not_found"
    assert driver.get(f"/reservations/{shown['key']}")["offer"]["reservation_key"] == kept["key"]


def test_an_offer_is_declined(driver: Phone, lot: Lot, evening: datetime) -> None:
    world.open_lot(bays=1)
    shown = lost(driver, lot, evening)
    answer = driver.post(f"/reservations/{shown['key']}/offer/declines", expect=201)
    assert answer["outcome"] == "declined"
    assert driver.get(f"/reservations/{shown['key']}")["offer"]["outcome"] == "declined"


def test_nobody_answers_anothers_offer(driver: Phone, lot: Lot, evening: datetime) -> None:
    shown = lost(driver, lot, evening)
    stranger = ready(Phone(driver.client, driver.wechat))
    for answer in ("acceptances", "declines"):
        path = f"/reservations/{shown['key']}/offer/{answer}"
        assert stranger.post(path, expect=404)["code"] == "reservation_not_found"


def test_an_announcement_is_public_at_once_in_the_list_and_beside_the_lot(
    driver: Phone, lot: Lot, evening: datetime
) -> None:
    assert driver.get("/announcements") == {"items": [], "next_cursor": None}
    made = close(lot, evening)
    item = driver.get("/announcements")["items"][0]
    assert (item["kind"], item["text"], item["lot_count"]) == ("close", EVENT.announcement, 1)
    assert [each["key"] for each in item["lots"]] == [str(lot.key)]
    begins_at = evening + timedelta(hours=1)
    span = {"begins_at": begins_at.isoformat(), "ends_at": (begins_at + timedelta(hours=1)).isoformat()}
    page = driver.get(f"/lots/{lot.key}", span)
    assert [each["text"] for each in page["announcements"]] == [EVENT.announcement]
    assert page["open_bays"] == 0
    actions.end(world.staff("regulator"), made.key, "活动取消")
    assert driver.get("/announcements")["items"] == []


def test_announcements_come_page_by_page_the_newest_first(driver: Phone, lot: Lot, evening: datetime) -> None:
    by = world.staff("regulator")
    for _ in range(22):
        actions.free_now(by, Where.lots(lot.key), hours(evening, 1, 2), EVENT)
    first = driver.get("/announcements")
    second = driver.get("/announcements", {"cursor": first["next_cursor"]})
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (20, 2, None)
