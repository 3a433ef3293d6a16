import pytest
from flask import Flask

from app.web.policy import LOOPBACK, PUBLIC, Policy, RouteWithoutPolicy, admits, check_every_route, policy_of
from tests.miniprogram.stand import Phone


def test_an_app_with_a_route_that_says_nothing_does_not_start() -> None:
    app = Flask("open", static_folder=None)
    app.add_url_rule("/forgotten", view_func=lambda: "anybody")
    with pytest.raises(RouteWithoutPolicy, match="/forgotten"):
        check_every_route(app)


def test_a_route_says_whom_it_admits() -> None:
    app = Flask("declared", static_folder=None)
    app.add_url_rule("/told", view_func=admits(PUBLIC)(lambda: "anybody"))
    check_every_route(app)
    assert [policy_of(view) for view in app.view_functions.values()] == [PUBLIC]


def test_a_policy_cannot_be_declared_without_being_enforced() -> None:
    nobody = Policy("nobody", lambda _: lambda: "refused")
    assert admits(nobody)(lambda: "let in")() == "refused"
    assert LOOPBACK.guard(lambda: 0) is not None


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}])
def test_what_a_proxy_forwards_does_not_come_from_this_machine(phone: Phone, headers: dict[str, str]) -> None:
    assert phone.client.get("/metrics").status_code == 200
    assert phone.client.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize("address", ["10.0.0.8", "192.168.1.2", "203.0.113.9", "2001:db8::1"])
def test_metrics_and_clock_are_not_there_for_other_machines(phone: Phone, address: str) -> None:
    for path in ("/metrics", "/dev/clock"):
        assert phone.client.get(path, environ_base={"REMOTE_ADDR": address}).status_code == 404
