"""Readers of open data: anybody, from any web page, but not without end."""

import functools
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import Response, request

from app.kernel.crypto import blind_index
from app.web import limits
from app.web.policy import Policy, View

OFTEN = "60/minute"
WHOLE_CITY = "12/minute"
ONE_HOUSEHOLD = 64
"""Bits of an IPv6 address that one customer is given as a whole."""


def _counted(view: View) -> View:
    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        limits.take(OFTEN, f"open:{_client()}")
        return view(*args, **words)

    return guarded


OPEN = Policy("open", _counted)
"""Anybody, counted by address; nothing behind it is about a person."""


def take_whole_city() -> None:
    """Count one answer without an end; refuses 429 when they are spent."""
    limits.take(WHOLE_CITY, f"open-city:{_client()}")


def _client() -> str:
    """Who asks, unreadable: an address may be a person's."""
    asking = ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104 - an unknown reader, nothing is bound to it
    if isinstance(asking, IPv6Address):
        return blind_index("open.client", str(ip_network((asking, ONE_HOUSEHOLD), strict=False))).hex()
    return blind_index("open.client", str(asking)).hex()


def open_to_every_page(response: Response) -> Response:
    """CORS, on this door's answers only: nothing is sent along and nothing is personal."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Last-Modified, Link, Retry-After, X-Request-ID"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "If-None-Match, If-Modified-Since"
        response.headers["Access-Control-Max-Age"] = "86400"
    return response
