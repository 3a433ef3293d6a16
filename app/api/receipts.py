"""The door of receipts' PDFs: whoever holds a link that has not ended gets the one file to which it leads."""

import functools
from typing import Any

from flask import Blueprint, Response, g, request

from app.adapters.documents import rendered
from app.domain.receipts.papers import paper_of
from app.kernel import clock
from app.kernel.crypto import blind_index
from app.kernel.db import transaction
from app.web import limits
from app.web.links import Links
from app.web.policy import Policy, View, admits
from app.wiring import wiring
from payments.receipts.queries import written

receipts = Blueprint("receipt_files", __name__, url_prefix="/receipts")


def _holders(view: View) -> View:
    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        limits.take("60/minute", f"receipt_files:{_client()}")
        g.receipt_key = Links(wiring().settings.jwt_keys).receipt(words.pop("token"), clock.now())
        return view(*args, **words)

    return guarded


def _client() -> str:
    """Who asks, unreadable: an address may be a person's."""
    return blind_index("receipt_files.client", request.remote_addr or "").hex()


LINK = Policy("link", _holders)
"""Whoever holds a signed link: a motorist who asked for it, and those to whom they passed it, until it ends."""


@receipts.get("/files/<token>")
@admits(LINK)
def file() -> Response:
    """The bill or invoice as PDF."""
    with transaction():
        paper = paper_of(written(g.receipt_key))
    answer = Response(rendered(paper), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = "inline; filename=receipt.pdf"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
