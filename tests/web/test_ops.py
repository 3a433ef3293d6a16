from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask

import wsgi
from app import factory
from app.kernel import clock as kernel_clock
from app.settings import Settings
from app.web.tokens import AccessTokens, Bearer
from miniprogram_api.door import AUDIENCE
from tests.conftest import MovableClock
from tests.miniprogram.stand import Phone


def test_a_process_that_answers_is_alive(phone: Phone) -> None:
    assert phone.client.get("/healthz").get_json() == {"status": "ok"}


def test_a_ready_platform_reports_each_part(phone: Phone) -> None:
    response = phone.client.get("/readyz")
    assert response.status_code == 200
    assert response.get_json()["parts"] == {"database": "ok", "queue": "ok", "redis": "ok", "city_feed": "off"}


def test_without_a_database_it_lives_but_is_not_ready(app: Flask, settings: Settings) -> None:
    lonely = replace(
        settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0"
    )
    client = wsgi.create_app(lonely).test_client()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["parts"] == {"database": "away", "queue": "away", "redis": "away", "city_feed": "off"}
    token = AccessTokens(settings.jwt_keys, AUDIENCE).issue(Bearer(uuid4(), 1), kernel_clock.glance())
    told = client.get("/mp/v1/vehicles", headers={"Authorization": f"Bearer {token}"})
    assert (told.status_code, told.get_json()["code"]) == (503, "unavailable")


def test_requests_are_counted_by_route(phone: Phone) -> None:
    phone.get("/vehicles", expect=401)
    shown = phone.client.get("/metrics").get_data(as_text=True)
    assert 'gongbo_requests_total{method="GET",route="/mp/v1/vehicles",status="401"}' in shown


def test_the_clock_moves_for_everybody_to_a_moment(phone: Phone, clock: MovableClock) -> None:
    wanted = datetime(2026, 10, 1, 0, 0, tzinfo=UTC)
    response = phone.client.post("/dev/clock", json={"at": wanted.isoformat()})
    assert response.status_code == 200
    assert abs(kernel_clock.now() - wanted) < timedelta(seconds=30)
    assert clock.file.read_text() == f"{response.get_json()['offset_s']:.6f}"


def test_the_clock_moves_by_seconds(phone: Phone) -> None:
    assert phone.client.post("/dev/clock", json={"offset_s": 3600}).get_json()["offset_s"] == 3600
    assert phone.client.get("/dev/clock").get_json()["offset_s"] == 3600


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"at": 7},
        {"at": "soon"},
        {"at": "2026-10-01T00:00:00"},
        {"offset_s": "3"},
        {"offset_s": True},
        {"offset_s": 1e18},
        {"at": "2026-10-01T00:00:00Z", "offset_s": 1},
    ],
)
def test_a_senseless_moment_moves_nothing(phone: Phone, wish: dict[str, object]) -> None:
    assert phone.client.post("/dev/clock", json=wish).get_json()["code"] == "no_such_moment"
    assert kernel_clock.offset() == timedelta()


def test_in_production_there_is_no_clock_to_move(app: Flask, settings: Settings) -> None:
    production = replace(settings, environment="production", clock_file=None)
    shut = factory.create_app(production, wsgi.doors(production)).test_client()
    assert shut.get("/dev/clock").status_code == 404
    assert shut.post("/dev/clock", json={"offset_s": 1}).status_code == 404
