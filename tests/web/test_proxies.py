from dataclasses import replace

import pytest
from flask import Flask, request

from app import factory
from app.settings import Settings


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7")])
def test_a_callers_address_is_believed_only_from_proxies_of_ours(
    app: Flask, settings: Settings, proxies: int, seen: str
) -> None:
    assert app.extensions
    behind = factory.create_app(replace(settings, trusted_proxies=proxies))
    addresses: list[str | None] = []
    behind.before_request(lambda: addresses.append(request.remote_addr))
    behind.test_client().get("/openapi.json", headers={"X-Forwarded-For": "192.0.2.1, 198.51.100.7, 203.0.113.9"})
    assert addresses == [seen]
