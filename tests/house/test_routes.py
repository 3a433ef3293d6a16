"""Every route says whom it admits; what is described is what is served."""

import json
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.once import happens_once
from app.web.openapi import description
from app.web.policy import policy_of

KNOWN = {
    "public",
    "motorist",
    "gate",
    "patient_gate",
    "camera",
    "patient_camera",
    "partner",
    "wechat",
    "link",
    "loopback",
    "open",
}
DESCRIBED = {"/mp/v1": "motorist", "/partner/v1": "partner"}
"""The doors for callers who show who they are, and which policy asks them."""

WITHOUT_KEY = {"/mp/v1/sessions", "/mp/v1/sessions/refresh"}
"""Their secret is good once by itself."""


def routes(app: Flask, prefix: str = "/") -> Iterator[tuple[str, str, str]]:
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if rule.rule.startswith(prefix):
                yield method, rule.rule, rule.endpoint


def test_every_route_has_a_policy_that_we_know(app: Flask) -> None:
    for _, rule, endpoint in routes(app):
        assert policy_name(app, endpoint) in KNOWN, rule


def policy_name(app: Flask, endpoint: str) -> str:
    policy = policy_of(app.view_functions[endpoint])
    return policy.name if policy else "none"


def test_only_signing_in_and_the_descriptions_are_public(app: Flask) -> None:
    public = {rule for _, rule, endpoint in routes(app) if policy_name(app, endpoint) == "public"}
    assert public == WITHOUT_KEY | {"/healthz", "/readyz", "/openapi.json", "/docs", "/docs/style.css"}


def test_every_route_of_motorists_refuses_strangers(app: Flask, client: FlaskClient) -> None:
    for method, rule, endpoint in routes(app, "/mp/v1"):
        if policy_name(app, endpoint) != "motorist":
            continue
        path = re.sub(r"<uuid:\w+>", "00000000-0000-7000-8000-000000000000", rule)
        response = client.open(path, method=method)
        assert (response.status_code, response.get_json()["code"]) == (401, "unauthenticated"), rule


@pytest.mark.parametrize("door", DESCRIBED)
def test_every_post_happens_once(app: Flask, door: str) -> None:
    for method, rule, endpoint in routes(app, door):
        if method == "POST" and rule not in WITHOUT_KEY:
            assert happens_once(app.view_functions[endpoint]), rule


def test_the_description_is_the_router(app: Flask) -> None:
    described = {
        (method.upper(), path)
        for path, operations in description(app)["paths"].items()
        for method in operations
        if method in {"get", "post", "put", "delete"} and path.startswith(tuple(DESCRIBED))
    }
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule))
        for door in DESCRIBED
        for method, rule, _ in routes(app, door)
    }
    assert described == served


def test_protected_operations_say_so(app: Flask) -> None:
    for path, operations in description(app)["paths"].items():
        for method, operation in operations.items():
            if method != "parameters" and path.startswith(tuple(DESCRIBED)) and path not in WITHOUT_KEY:
                caller = next(caller for door, caller in DESCRIBED.items() if path.startswith(door))
                assert operation["security"] == [{caller: []}], path


def test_every_operation_has_a_name_of_its_own_and_says_whom_it_asks(app: Flask) -> None:
    told = [each for operations in description(app)["paths"].values() for each in operations.values()]
    operations = [each for each in told if isinstance(each, dict)]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z_]+", name) for name in names)
    assert all("security" in each for each in operations)


def test_the_description_defines_nothing_that_it_does_not_use(app: Flask) -> None:
    document = description(app)
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert set(document["components"]["schemas"]) == used


@pytest.mark.parametrize("path", ["/docs", "/docs/style.css", "/openapi.json"])
def test_the_descriptions_need_nothing_from_elsewhere(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert not re.search(r"(src|href|url)[=(]\W*https?:", response.get_data(as_text=True))
