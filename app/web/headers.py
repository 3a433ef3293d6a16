"""Headers of every answer: what a browser may do with it, who asked, and that nobody keeps it."""

from flask import Flask, Response
from flask.globals import request_ctx

from app.kernel.trace import request_id

SAFE = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def attach(app: Flask) -> None:
    """Put the headers on every answer of this app."""
    app.after_request(_complete)


_NAMES = {name.lower(): (name, value) for name, value in SAFE.items()}


def _complete(response: Response) -> Response:
    headers = response.headers
    present = {name.lower() for name, _ in headers}
    for name in _NAMES.keys() - present:
        headers.add(*_NAMES[name])
    headers["X-Request-ID"] = request_id.get()
    if _is_personal():
        headers["Cache-Control"] = "no-store"
    elif "cache-control" not in present:
        headers["Cache-Control"] = "no-cache"
    return response


def _is_personal() -> bool:
    asked = request_ctx.request
    return "Authorization" in asked.headers or asked.method not in ("GET", "HEAD", "OPTIONS")
