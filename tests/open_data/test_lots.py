"""The feed as GeoJSON: what it says of a lot, and how the city is read page by page or at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.domain.adjustments.actions import adjust, close_now
from app.domain.adjustments.rules import CloseLot, Where, Why
from app.domain.lots.models import Bay, Lot
from app.domain.partners import actions as partners
from app.domain.partners.rules import Count
from app.domain.reservations.actions import reserve
from app.kernel.datum import gcj02_to_wgs84
from app.kernel.db import transaction
from app.kernel.spans import span
from tests.open_data.conftest import Close, Put
from tests.open_data.reader import FEEDS, LOTS, TABLE, NotValid, body, check, features, places, read, statuses
from tests.partners.stand import partner_of
from tests.world import HOURLY, driver, open_lot, open_own_lot, shanghai, staff

FREE = {**HOURLY, "bands": [{"name": "all_day", "from": "00:00", "to": "24:00", "days": "all", "method": "free"}]}


def told(client: FlaskClient, lot: Lot) -> Any:
    return features(client)[str(lot.key)]


def change(lot: Lot, **facts: Any) -> None:
    with transaction() as session:
        row = session.get_one(Lot, lot.id)
        for name, value in facts.items():
            setattr(row, name, value)


def test_a_lot_is_told_with_its_unit_hours_tariff_and_bays(evening: datetime, client: FlaskClient) -> None:
    lot = open_lot(5, "organ")
    change(lot, height_limit_cm=210, total_chargers=3, shared_chargers=2)
    said = told(client, lot)
    assert (said["name"], said["address"], said["kind"], said["district"]) == (lot.name, lot.address, "organ", "西湖区")
    assert (said["status"], said["tariff"], said["free_of_charge"]) == ("open", "3元/小时", False)
    assert (said["shared_bays"], said["free_bays"], said["chargers"], said["height_limit_cm"]) == (5, 5, 2, 210)
    assert said["hours_today"] == [
        {"opens_at": "2026-06-10T00:00:00+08:00", "closes_at": "2026-06-10T08:00:00+08:00"},
        {"opens_at": "2026-06-10T18:30:00+08:00", "closes_at": "2026-06-11T00:00:00+08:00"},
    ]
    assert said["hours_week"][-2:] == [
        {"opens_at": "2026-06-15T18:30:00+08:00", "closes_at": "2026-06-16T08:00:00+08:00"},
        {"opens_at": "2026-06-16T18:30:00+08:00", "closes_at": "2026-06-17T00:00:00+08:00"},
    ]


def test_the_point_is_wgs_84_with_longitude_first(evening: datetime, client: FlaskClient) -> None:
    lot = open_lot()
    (feature,) = body(client, LOTS)["features"]
    latitude, longitude = gcj02_to_wgs84(lot.latitude, lot.longitude)
    assert feature["geometry"]["coordinates"] == pytest.approx([longitude, latitude], abs=1e-6)
    assert abs(feature["geometry"]["coordinates"][0] - lot.longitude) > 0.003


def test_up_to_three_free_bays_are_few_and_nobody_learns_how_many(evening: datetime, client: FlaskClient) -> None:
    four, three = open_lot(4), open_lot(3)
    full = open_lot(1)
    who = driver()
    reserve(who.id, who.vehicle_key, full.key, evening, evening + timedelta(hours=1))
    said = features(client)
    assert [said[str(lot.key)]["free_bays"] for lot in (four, three, full)] == [4, "few", "few"]


def test_a_closed_lot_tells_no_free_bays(
    evening: datetime, client: FlaskClient, at: Callable[[datetime], None]
) -> None:
    lot = open_lot(9)
    at(shanghai("2026-06-11 12:00"))
    assert (told(client, lot)["status"], told(client, lot)["free_bays"]) == ("closed", None)


def test_a_suspended_lot_is_shown_as_such_and_tells_no_hours(evening: datetime, client: FlaskClient, put: Put) -> None:
    lot = open_lot(9)
    put(lot, "suspended")
    said = told(client, lot)
    assert (said["status"], said["free_bays"], said["hours_week"]) == ("suspended", None, [])


def test_a_free_lot_says_that_it_is_free(evening: datetime, client: FlaskClient) -> None:
    lot = open_lot(parameters=FREE)
    assert (told(client, lot)["free_of_charge"], told(client, lot)["tariff"]) == (True, "免费")


def test_accessible_bays_are_counted(evening: datetime, client: FlaskClient) -> None:
    lot = open_lot(5)
    with transaction() as session:
        session.query(Bay).filter_by(lot_id=lot.id, number="A001").update({"kind": "accessible"})
    said = told(client, lot)
    assert (said["accessible_bays"], said["shared_bays"], said["free_bays"]) == (1, 5, 4)


def test_days_without_an_official_calendar_are_marked_provisional(
    evening: datetime, client: FlaskClient, at: Callable[[datetime], None]
) -> None:
    lot = open_lot()
    assert told(client, lot)["provisional"] is False
    at(shanghai("2026-12-28 20:00"))
    document = body(client, LOTS)
    assert document["features"][0]["properties"]["provisional"] is True
    assert document["provisional_dates"] == ["2027-01-01", "2027-01-02", "2027-01-03"]
    assert any("暂定" in line["values"][0]["value"] for line in places(client)[str(lot.key)]["additionalInformation"])


def test_pages_together_are_the_city_and_each_lot_is_on_one_of_them(evening: datetime, client: FlaskClient) -> None:
    keys = [str(open_lot().key) for _ in range(5)]
    seen: list[str] = []
    href: str | None = f"{LOTS}?limit=2"
    while href:
        document = body(client, href)
        assert document["numberReturned"] == len(document["features"]) <= 2
        seen += [feature["id"] for feature in document["features"]]
        href = next((link["href"] for link in document["links"] if link["rel"] == "next"), None)
    assert seen == sorted(keys)
    assert [feature["id"] for feature in body(client, LOTS)["features"]] == seen


def test_the_next_page_is_told_in_the_headers_too(evening: datetime, client: FlaskClient) -> None:
    first, second = sorted(str(open_lot().key) for _ in range(2))
    response = read(client, f"{LOTS}?limit=1")
    assert f'<{LOTS}?limit=1&cursor={first}>; rel="next"' in response.headers.getlist("Link")[1]
    assert list(features(client, f"?cursor={first}")) == [second]


def test_a_rectangle_holds_the_lots_whose_wgs_84_point_lies_in_it(evening: datetime, client: FlaskClient) -> None:
    lots = [open_own_lot(latitude=30.25 + north / 1000).lot for north in range(6)]
    points = {str(lot.key): gcj02_to_wgs84(lot.latitude, lot.longitude) for lot in lots}
    south, north = sorted(latitude for latitude, _ in points.values())[1:5:3]
    inside = {key for key, (latitude, _) in points.items() if round(south, 6) <= round(latitude, 6) <= round(north, 6)}
    query = f"?bbox=119,{south:.6f},121,{north:.6f}"
    assert set(features(client, query)) == inside
    assert len(inside) == 4
    assert body(client, f"{LOTS}{query}&limit=1")["links"][1]["href"].startswith(f"{LOTS}?bbox=119,")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("bbox=1,2,3", "bbox"), ("bbox=120,30,119,31", "bbox"), ("bbox=a,b,c,d", "bbox"),
        ("bbox=nan,30,121,31", "bbox"), ("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=7", "cursor"),
        ("page=2", "page"),
    ],
)  # fmt: skip
def test_a_senseless_question_is_refused(client: FlaskClient, query: str, field: str) -> None:
    response = read(client, f"{LOTS}?{query}")
    assert (response.status_code, response.json["code"]) == (422, "invalid")  # type: ignore[index]
    assert field in response.json["details"]["fields"]["query"]  # type: ignore[index]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_city_without_lots_is_still_a_valid_answer(evening: datetime, client: FlaskClient) -> None:
    for feed in FEEDS:
        body(client, feed)
    assert features(client) == {}


@pytest.mark.parametrize(
    ("ends_at", "words"),
    [
        ("2026-06-13T20:00:00+08:00", "临时关闭：06月12日20:00至06月13日20:00"),
        (None, "临时关闭：06月12日20:00起，重新开放时间另行公告"),
    ],
)
def test_closures_to_come_are_told_with_an_end_or_without(
    evening: datetime, client: FlaskClient, close: Close, ends_at: str | None, words: str
) -> None:
    lot = open_lot()
    close(lot, "2026-06-12T20:00:00+08:00", ends_at)
    assert told(client, lot)["closures"] == [{"begins_at": "2026-06-12T20:00:00+08:00", "ends_at": ends_at}]
    assert words in read(client, TABLE).get_data(as_text=True)


def test_what_is_announced_about_a_lot_is_told_also_ahead(evening: datetime, client: FlaskClient) -> None:
    lot, by = open_lot(), staff("regulator")
    why = Why("major_event", "示例内部原因", "因示例活动，本场临时关闭。")
    during = span(shanghai("2026-06-12 20:00"), shanghai("2026-06-13 06:00"))
    adjust(by, [lot.key], during, CloseLot(), why)
    assert told(client, lot)["announcements"] == [
        {
            "kind": "close", "text": "因示例活动，本场临时关闭。", "begins_at": "2026-06-12T20:00:00+08:00",
            "ends_at": "2026-06-13T06:00:00+08:00",
        }
    ]  # fmt: skip
    table = read(client, TABLE).get_data(as_text=True)
    assert "公告（06月12日20:00至06月13日06:00）：因示例活动，本场临时关闭。" in table
    assert "示例内部原因" not in table + read(client, LOTS).get_data(as_text=True)


def test_a_long_announcement_is_cut_where_the_model_ends(evening: datetime, client: FlaskClient) -> None:
    why = Why("safety", "示例", "示例公告" * 400)
    close_now(staff("regulator"), Where.lots(open_lot().key), why, until=evening + timedelta(hours=2))
    body(client, TABLE)


def test_the_schema_notices_what_must_not_be_said(evening: datetime, client: FlaskClient) -> None:
    open_lot(9)
    document = body(client, LOTS)
    for wrong in (3, 0, "many"):
        document["features"][0]["properties"]["free_bays"] = wrong
        with pytest.raises(NotValid):
            check(LOTS, document)


def told_free(lot: Lot, free: int, counted_at: datetime) -> None:
    """The unit's own system counts."""
    record = partners.CountRecord({}, lot.key, Count(free, 9, None, counted_at))
    assert partners.take_counts(partner_of(lot.unit_id).id, [record])[0].outcome == "recorded"


def test_a_partners_fresh_count_is_believed_and_a_silent_partner_makes_it_unknown(
    evening: datetime, client: FlaskClient, at: Callable[[datetime], None]
) -> None:
    lot = open_lot(9)
    told_free(lot, 6, evening)
    assert (told(client, lot)["free_bays"], told(client, lot)["counted_at"]) == (6, "2026-06-10T20:00:00+08:00")
    at(evening + timedelta(minutes=11))
    assert (told(client, lot)["free_bays"], told(client, lot)["counted_at"]) == (None, None)
    status = statuses(client)[str(lot.key)]
    assert status["parkingFault"] == [{"value": "noParkingInformationAvailable"}]
    assert "occupancy" not in status


def test_a_promised_bay_is_not_free_though_the_partner_sees_it_empty(evening: datetime, client: FlaskClient) -> None:
    lot = open_lot(9)
    told_free(lot, 9, evening)
    who = driver()
    reserve(who.id, who.vehicle_key, lot.key, evening, evening + timedelta(hours=1))
    assert told(client, lot)["free_bays"] == 8
