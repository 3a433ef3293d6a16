"""From a wish to an answer: not modified, only its headers, or the whole body."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.http import http_date, is_resource_modified

from app.api.open import clients
from app.api.open.changes import Change, Look, last_look, note
from app.api.open.facts import Edition
from app.api.open.forms import Ending, Form, Links
from app.api.open.press import Press, Witness
from app.api.open.reading import (
    Selection,
    batches,
    has_changed_since,
    horizon,
    provisional_dates,
    snapshot,
    week_of,
)
from app.kernel import clock
from app.wiring import wiring

FRESH = timedelta(seconds=30)
"""How long a reader may go without asking again, and what was seen counts for who asks whether it has changed.

Changes of lots, hours, prices and claims count at once; what only time changes, and a partner's counts, by then.
"""


def answer(form: Form, selection: Selection) -> Response:
    """The feed in a form. What a reader has already is answered with 304, from its facts alone."""
    if request.method == "HEAD" or "If-None-Match" in request.headers or "If-Modified-Since" in request.headers:
        unwritten = _unwritten(form, selection)
        if unwritten is not None:
            return unwritten
    if selection.limit is None:
        clients.take_whole_city()
    return _written(form, selection)


def _unwritten(form: Form, selection: Selection) -> Response | None:
    known = _recent(form, selection) or _seen(form, selection)
    headers = _headers(*known)
    if not _is_modified(headers["ETag"], known[1]):
        return Response(status=304, headers=headers)
    return _only_headers(form, headers) if request.method == "HEAD" else None


def _recent(form: Form, selection: Selection) -> tuple[str, Change] | None:
    """What the last look saw, while it is fresh and no lot has changed since; then nothing needs to be read."""
    known = last_look(wiring().redis, _name(form, selection))
    if known is None:
        return None
    with snapshot():
        is_fresh = timedelta() <= clock.now() - known.look.at < FRESH
        return (known.fingerprint, known.change) if is_fresh and not has_changed_since(known.look.horizon) else None


def _seen(form: Form, selection: Selection) -> tuple[str, Change]:
    with snapshot():
        look = _look()
        witness = _witness(form, selection, look.at)
        for _ in witness.watch(batches(selection, look.at)):
            pass
    return _noted(witness, look)


def _only_headers(form: Form, headers: dict[str, str]) -> Response:
    """Without a length: it is not known, and 0 would be wrong."""
    return Response(iter(()), headers=headers, content_type=form.media_type)


def _is_modified(etag: str, change: Change) -> bool:
    """A date counts only when no entity tag is sent (RFC 9110 §13.1.3), and only where it tells contents apart."""
    known_by_date = change.at if change.tells_apart or "If-None-Match" in request.headers else None
    return is_resource_modified(request.environ, etag=etag.strip('"'), last_modified=known_by_date)


def _written(form: Form, selection: Selection) -> Response:
    with snapshot():
        look = _look()
        witness = _witness(form, selection, look.at)
        press = Press(witness, zipped=_is_zipped())
        try:
            press.write(batches(selection, look.at))
        except BaseException:
            press.close()
            raise
    fingerprint, change = _noted(witness, look)
    links = _links(form, selection, witness)
    size = press.end(Ending(witness.edition, change.at, links, witness.returned))
    response = Response(press.read(), headers=_headers(fingerprint, change), content_type=form.media_type)
    response.content_length = size
    if _is_zipped():
        response.headers["Content-Encoding"] = "gzip"
    for link in links:
        response.headers.add("Link", f'<{link["href"]}>; rel="{link["rel"]}"; type="{link["type"]}"')
    response.call_on_close(press.close)
    return response


def _witness(form: Form, selection: Selection, at: datetime) -> Witness:
    settings, week = wiring().settings, week_of(at)
    edition = Edition(
        week=week, provisional=provisional_dates(week),
        publisher=settings.open_data_publisher, licence=settings.open_data_licence, is_real=settings.is_production,
    )  # fmt: skip
    return Witness(form, edition, _name(form, selection))


def _name(form: Form, selection: Selection) -> str:
    return f"{form.name}:{selection!r}"


def _look() -> Look:
    return Look(clock.now(), horizon())


def _noted(witness: Witness, look: Look) -> tuple[str, Change]:
    fingerprint = witness.fingerprint()
    return fingerprint, note(wiring().redis, witness.name, fingerprint, look)


def _headers(fingerprint: str, change: Change) -> dict[str, str]:
    """The entity tag is strong: it names the content, the moment written into it, and its coding."""
    coding = "-gzip" if _is_zipped() else ""
    return {
        "ETag": f'"{fingerprint}-{int(change.at.timestamp()):x}{coding}"',
        "Last-Modified": http_date(change.at),
        "Cache-Control": f"public, max-age={FRESH.seconds}",
        "Vary": "Accept-Encoding",
    }


def _is_zipped() -> bool:
    return request.accept_encodings.quality("gzip") > 0


def _links(form: Form, selection: Selection, witness: Witness) -> Links:
    """Relative, so that the content does not depend on the name under which we are asked."""
    here = [_link("self", form, selection, selection.after)]
    if witness.next_after is not None:
        here.append(_link("next", form, selection, witness.next_after))
    return here


def _link(rel: str, form: Form, selection: Selection, after: Any) -> dict[str, str]:
    box = selection.box
    asked = {
        "bbox": ",".join(f"{edge:.12g}" for edge in (box.west, box.south, box.east, box.north)) if box else None,
        "limit": selection.limit,
        "cursor": after,
    }
    query = urlencode({name: value for name, value in asked.items() if value is not None}, safe=",")
    return {"rel": rel, "href": request.path + (f"?{query}" if query else ""), "type": form.media_type}
