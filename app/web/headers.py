"""Headers of every answer: what a browser may do with it, who asked, and that nobody keeps it."""

from typing import Any, Final

from flask import Flask

from app.kernel.trace import request_id

SAFE: Final = {
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


_NAMES: Final = {name.lower(): (name, value) for name, value in SAFE.items()}
_HARMLESS: Final = frozenset(("GET", "HEAD", "OPTIONS"))

Headers = list[tuple[str, str]]


def attach(app: Flask) -> None:
    """Put the headers on every answer of this app.

    Below Flask, where an answer's headers are a plain list: Werkzeug checks and copies each header that it is told of.
    """
    inner = app.wsgi_app

    def completing(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, headers: Headers, *failed: Any) -> Any:
            return start_response(status, _completed(headers, environ), *failed)

        return inner(environ, start)

    app.wsgi_app = completing  # type: ignore[method-assign]


def _completed(headers: Headers, environ: dict[str, Any]) -> Headers:
    present = {name.lower() for name, _ in headers}
    missing = [header for name, header in _NAMES.items() if name not in present]
    named = ("X-Request-ID", request_id.get())
    if _is_personal(environ):
        kept = [header for header in headers if header[0].lower() != "cache-control"]
        return [*kept, *missing, named, ("Cache-Control", "no-store")]
    if "cache-control" in present:
        return [*headers, *missing, named]
    return [*headers, *missing, named, ("Cache-Control", "no-cache")]


def _is_personal(environ: dict[str, Any]) -> bool:
    return "HTTP_AUTHORIZATION" in environ or environ["REQUEST_METHOD"] not in _HARMLESS
