"""The door itself: anybody may read, from any web page, but not without end; nothing else is behind it."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.api.open import clients
from app.web.openapi import description
from tests.open_data.reader import FEEDS, LOTS, STATUS, TABLE, read
from tests.world import open_lot


@pytest.mark.parametrize("feed", FEEDS)
def test_any_web_page_may_read(evening: datetime, client: FlaskClient, feed: str) -> None:
    response = read(client, feed, Origin="https://example.org")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in response.headers
    asked = client.options(feed, headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"})
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "If-None-Match" in asked.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/mp/v1/lots", "/open/v2"])
def test_no_other_route_opens_itself_to_other_pages(evening: datetime, client: FlaskClient, path: str) -> None:
    response = read(client, path, Origin="https://example.org")
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_each_feed_has_the_media_type_of_its_standard(evening: datetime, client: FlaskClient) -> None:
    types = {LOTS: "application/geo+json", TABLE: "application/json", STATUS: "application/json"}
    assert {feed: read(client, feed).headers["Content-Type"] for feed in FEEDS} == types


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(evening: datetime, client: FlaskClient, method: str) -> None:
    assert client.open(LOTS, method=method).status_code == 405


def test_who_reads_too_often_is_told_when_to_come_back(
    evening: datetime, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "OFTEN", "2/minute")
    answers = [read(client, f"{LOTS}?limit=1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert answers[2].json["code"] == "too_many_requests"  # type: ignore[index]
    other = client.get(f"{LOTS}?limit=1", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 200, "others are not kept waiting"


def test_the_whole_city_is_counted_apart_and_a_304_costs_nothing(
    evening: datetime, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "WHOLE_CITY", "1/minute")
    known = read(client, STATUS).headers["ETag"]
    assert read(client, STATUS).status_code == 429
    assert read(client, STATUS, If_None_Match=known).status_code == 304
    assert read(client, f"{LOTS}?limit=5").status_code == 200


def test_a_household_of_ipv6_is_one_reader(
    evening: datetime, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "OFTEN", "1/minute")
    asked = ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1")
    found = [client.get(f"{LOTS}?limit=1", environ_base={"REMOTE_ADDR": address}).status_code for address in asked]
    assert found == [200, 429, 200]


def test_no_readers_address_lies_in_redis(evening: datetime, client: FlaskClient, redis: Any) -> None:
    open_lot()
    client.get(LOTS, environ_base={"REMOTE_ADDR": "192.0.2.77"})
    keys = list(redis.scan_iter())
    assert keys
    assert not [key for key in keys if b"192.0.2" in key]


def test_the_description_names_the_feeds_and_their_media_types(app: Flask) -> None:
    paths = description(app)["paths"]
    described = {path: list(paths[path]["get"]["responses"]["200"]["content"]) for path in FEEDS}
    assert described == {
        LOTS: ["application/geo+json"], TABLE: ["application/json"], STATUS: ["application/json"],
    }  # fmt: skip
    assert {each["name"] for each in paths[LOTS]["get"]["parameters"]} == {"bbox", "limit", "cursor"}
    assert paths[LOTS]["get"]["security"] == []
