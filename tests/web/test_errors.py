import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import InternalError, OperationalError, TimeoutError  # noqa: A004 - of the connection pool

from app.web import errors
from tests.miniprogram.stand import Phone
from tests.web.conftest import Told


def test_a_page_that_is_not_there_is_told_in_the_one_shape(phone: Phone) -> None:
    response = phone.client.get("/no-such-page")
    assert response.status_code == 404
    assert set(response.get_json()) == {"code", "message", "details", "request_id"}
    assert "未找到" in response.get_data(as_text=True)


def test_a_wrong_method_names_the_right_ones(phone: Phone) -> None:
    response = phone.client.patch("/mp/v1/vehicles")
    assert (response.status_code, response.get_json()["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer x.y.z"])
def test_without_a_valid_token_nobody_is_let_in(phone: Phone, header: str) -> None:
    response = phone.ask("GET", "/vehicles", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_sane_request_id_is_kept_and_another_is_replaced(phone: Phone) -> None:
    kept = phone.client.get("/healthz", headers={"X-Request-ID": "from-the-edge-1"})
    made = phone.client.get("/healthz", headers={"X-Request-ID": "x y"})
    assert kept.headers["X-Request-ID"] == "from-the-edge-1"
    assert len(made.headers["X-Request-ID"]) == 32


def test_an_unforeseen_failure_tells_nothing_but_its_number(
    motorist: Phone, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    def fail(_: int) -> None:
        raise RuntimeError("浙A12345 of +8613800138000")

    monkeypatch.setattr("app.domain.motorists.queries.vehicles_of", fail)
    response = motorist.ask("GET", "/vehicles", headers={"X-Request-ID": "failing-1234"})
    assert (response.status_code, response.get_json()["code"]) == (500, "internal_error")
    everything = response.get_data(as_text=True) + str(told())
    assert "RuntimeError" in everything
    assert "浙A12345" not in everything
    assert "13800138000" not in everything
    assert response.get_json()["request_id"] == "failing-1234"


def test_every_answer_carries_the_safe_headers_and_personal_ones_are_not_kept(motorist: Phone) -> None:
    own, everybody = motorist.ask("GET", "/vehicles"), motorist.client.get("/healthz")
    for response in (own, everybody):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "max-age=63072000" in response.headers["Strict-Transport-Security"]
    assert own.headers["Cache-Control"] == "no-store"


def failing(error: Exception) -> Flask:
    """An app whose only view fails so."""
    app = Flask("failing", static_folder=None)
    errors.speak_json(app)

    @app.get("/")
    def view() -> str:
        raise error

    return app


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (psycopg.errors.DeadlockDetected(), 503),
        (psycopg.errors.LockNotAvailable(), 503),
        (psycopg.errors.QueryCanceled(), 503),
        (psycopg.errors.AdminShutdown(), 503),
        (psycopg.errors.DiskFull(), 503),
        (psycopg.errors.TooManyConnections(), 503),
        (psycopg.OperationalError("connection refused"), 503),
        (psycopg.errors.IndexCorrupted(), 500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_passes_at_the_database_asks_to_come_again(raised: psycopg.Error, status: int) -> None:
    response = failing(OperationalError("SELECT 1", {}, raised)).test_client().get("/")
    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (status == 503)


def test_who_was_kept_waiting_within_a_transaction_for_too_long_is_asked_to_come_again() -> None:
    ended = psycopg.errors.IdleInTransactionSessionTimeout()
    response = failing(InternalError("COMMIT", {}, ended)).test_client().get("/")
    assert (response.status_code, "Retry-After" in response.headers) == (503, True)


def test_when_no_connection_is_left_the_answer_is_to_come_again() -> None:
    response = failing(TimeoutError("pool")).test_client().get("/")
    assert (response.status_code, response.get_json()["code"]) == (503, "unavailable")
