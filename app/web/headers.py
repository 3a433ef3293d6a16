"""Headers of every answer: what a browser may do with it, who asked, and that nobody keeps it."""

from flask import Flask, Response, request

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


def _complete(response: Response) -> Response:
    for name, value in SAFE.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id.get()
    if _is_personal():
        response.headers["Cache-Control"] = "no-store"
    else:
        response.headers.setdefault("Cache-Control", "no-cache")
    return response


def _is_personal() -> bool:
    return "Authorization" in request.headers or request.method not in ("GET", "HEAD", "OPTIONS")
