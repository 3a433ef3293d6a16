"""Who may speak at this door: a partner whose signature is good and new. What is answered is signed too."""

import functools
from collections.abc import Mapping
from typing import Any

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from app.api.partners.forms import BATCH_BODY, SMALL_BODY
from app.domain.partners import actions as partners
from app.domain.partners.actions import Caller, RefusalKind
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.idempotency import InFlight
from app.kernel.refusals import Refusal, Unavailable
from app.kernel.signatures import SignedMessage, answer_signature, content_sha256
from app.web import limits
from app.web.errors import WORDS, MalformedRequest
from app.web.intake import json_only
from app.web.noun import Noun
from app.web.policy import Policy, View

PREFIX = "/partner/v1"
RATE = "100 per 10 second"
"""Ten a second for each partner: with batches of 500, more than any city has to tell."""

BATCHES = {"partners.push_counts", "partners.push_visits"}
_NOT_TO_BE_NOTED = (429,)

blueprint = Noun("partners", "app.api.partners", url_prefix=PREFIX, description="开放单位、运营单位系统接入")


def _only_partners(view: View) -> View:
    """Let a message in whose signature a known partner made just now, and only once; note what it is refused."""

    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        _let_in(_message())
        try:
            json_only()
            return view(*args, **words)
        except (Refusal, MalformedRequest, HTTPException) as refused:
            _note(refused)
            raise

    return guarded


PARTNER = Policy("partner", _only_partners)


def _let_in(message: SignedMessage) -> None:
    with transaction():
        g.partner, g.seen_at = partners.recognise(message), clock.now()
        partners.admit(g.partner, message)
    g.caller = f"partner:{g.partner.partner_id}"
    limits.take(RATE, g.caller)


def _message() -> SignedMessage:
    headers, query = request.headers, request.query_string.decode("latin-1")
    return SignedMessage(
        method=request.method, target=f"{request.path}?{query}" if query else request.path,
        sender_id=headers.get("X-Partner-Id", ""), key_id=headers.get("X-Key-Id", ""),
        timestamp=headers.get("X-Timestamp", ""), nonce=headers.get("X-Nonce", ""),
        content_sha256=headers.get("X-Content-SHA256", ""), signature=headers.get("X-Signature", ""),
        body=request.get_data(cache=True),
    )  # fmt: skip


def _note(refused: Refusal | MalformedRequest | HTTPException) -> None:
    """A whole message that was refused is written down; one that only came at a bad moment is not."""
    if isinstance(refused, InFlight | Unavailable):
        return
    if isinstance(refused, HTTPException):
        status = refused.code or 500
        if status not in WORDS or status >= 500 or status in _NOT_TO_BE_NOTED:  # noqa: PLR2004
            return
        code = WORDS[status][0]
    else:
        code = refused.code
    kind: RefusalKind = "lot" if request.method == "PUT" else "request"
    partners.note_refusal(partner_id(), kind, code, request.get_data(cache=True), g.get("lot_id"))


def _room_for_batches(endpoint: str | None, _values: Mapping[str, Any] | None) -> None:
    """Before anything reads the body: counts and visits come in batches, everything else is short."""
    request.max_content_length = BATCH_BODY if endpoint in BATCHES else SMALL_BODY


def _sign(response: Response) -> Response:
    """Whom we recognised gets a signed answer, refusals included; others learn nothing that they could use."""
    caller = g.get("partner")
    if not isinstance(caller, Caller):
        return response
    timestamp, body = str(int(g.seen_at.timestamp())), response.get_data()
    signature = answer_signature(caller.secret, response.status_code, request.headers["X-Nonce"], timestamp, body)
    response.headers["X-Timestamp"] = timestamp
    response.headers["X-Content-SHA256"] = content_sha256(body)
    response.headers["X-Signature"] = signature
    return response


blueprint.url_value_preprocessor(_room_for_batches)
blueprint.after_request(_sign)


def partner_id() -> int:
    """The partner that speaks."""
    caller = g.partner
    assert isinstance(caller, Caller)
    return caller.partner_id
