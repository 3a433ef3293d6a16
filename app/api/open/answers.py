"""From a wish to an answer: not modified, only its headers, or the whole body."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.http import http_date, is_resource_modified

from app.api.open import clients
from app.api.open.changes import Change, last_change
from app.api.open.facts import Edition
from app.api.open.forms import Ending, Form, Links
from app.api.open.press import Press, Witness
from app.api.open.reading import Selection, batches, provisional_dates, snapshot, week_of
from app.kernel import clock
from app.wiring import wiring

FRESH = "public, max-age=30"
"""How long a reader may go without asking again."""


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
    with snapshot():
        at = clock.now()
        witness = _witness(form, selection, at)
        for _ in witness.watch(batches(selection, at)):
            pass
    change = _change(witness, at)
    headers = _headers(witness, change)
    if not _is_modified(headers["ETag"], change):
        return Response(status=304, headers=headers)
    return _only_headers(form, headers) if request.method == "HEAD" else None


def _only_headers(form: Form, headers: dict[str, str]) -> Response:
    """Without a length: it is not known, and 0 would be wrong."""
    return Response(iter(()), headers=headers, content_type=form.media_type)


def _is_modified(etag: str, change: Change) -> bool:
    """A date counts only when no entity tag is sent (RFC 9110 §13.1.3), and only where it tells contents apart."""
    known_by_date = change.at if change.tells_apart or "If-None-Match" in request.headers else None
    return is_resource_modified(request.environ, etag=etag.strip('"'), last_modified=known_by_date)


def _written(form: Form, selection: Selection) -> Response:
    with snapshot():
        at = clock.now()
        witness = _witness(form, selection, at)
        press = Press(witness, zipped=_is_zipped())
        try:
            press.write(batches(selection, at))
        except BaseException:
            press.close()
            raise
    change = _change(witness, at)
    links = _links(form, selection, witness)
    size = press.end(Ending(witness.edition, change.at, links, witness.returned))
    response = Response(press.read(), headers=_headers(witness, change), content_type=form.media_type)
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
    return Witness(form, edition, repr(selection))


def _change(witness: Witness, at: datetime) -> Change:
    name = f"{witness.form.name}:{witness.wish}"
    return last_change(wiring().redis, name, witness.fingerprint(), at)


def _headers(witness: Witness, change: Change) -> dict[str, str]:
    """The entity tag is strong: it names the content, the moment written into it, and its coding."""
    coding = "-gzip" if _is_zipped() else ""
    return {
        "ETag": f'"{witness.fingerprint()}-{int(change.at.timestamp()):x}{coding}"',
        "Last-Modified": http_date(change.at),
        "Cache-Control": FRESH,
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
