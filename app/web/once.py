"""The door's part of idempotency: a POST that creates or moves something names itself with `Idempotency-Key`.

The client stores the key before it sends and repeats it when no answer came. Answers are kept for 7 days per caller
and route, sealed; refusals are not kept, because after them nothing has happened.
"""

import functools
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from flask import Response, g, jsonify, make_response, request

from app.kernel.idempotency import Answer, Named, is_remembered, named, remembered
from app.web.errors import MalformedRequest
from app.web.policy import View

HEADER = "Idempotency-Key"
_MARK, _ALL_OF_IT = "happens_once", "all of it happens once"
_FORM = re.compile(r"[A-Za-z0-9._:-]{8,128}")


def once(view: View) -> View:
    """Run a view once per caller, route and key; later calls get the first answer with `Idempotent-Replayed`.

    Stands below the route's policy, which says who the caller is (`g.caller`). Refuses a missing key (400), the key of
    another request (422) and one whose first request still runs (409).
    """

    @functools.wraps(view)
    def wrapper(*args: Any, **words: Any) -> Response:
        fresh: list[Response] = []

        def run() -> Answer:
            fresh.append(make_response(view(*args, **words)))
            return Answer(fresh[0].status_code, fresh[0].get_json(silent=True))

        answer = remember(run)
        return fresh[0] if fresh else _replay(answer)

    setattr(wrapper, _ALL_OF_IT, True)
    return wants_key(wrapper)


def wants_key(view: View) -> View:
    """Mark a view that calls `remember` itself, because it speaks with the outside world after that."""
    setattr(view, _MARK, True)
    return view


def remember(run: Callable[[], Answer]) -> Answer:
    """Run once for this request's caller, route and key; joins the transaction there is, or has its own."""
    is_first = g.pop("is_first", None)
    return remembered(_scope(), g.pop("named", None) or named(_key(), _fingerprint()), run, is_first=is_first)


def named_request(view: View) -> Named | None:
    """For a policy whose first question may claim the key too: the request that this view, all of it, runs `once`.

    None for any other view, and where the view has to refuse the key. Whoever has claimed it says so with `claimed`.
    """
    if not getattr(view, _ALL_OF_IT, False) or not _FORM.fullmatch(request.headers.get(HEADER, "")):
        return None
    g.named = named(_key(), _fingerprint())
    return cast("Named", g.named)


def claimed(*, is_first: bool) -> None:
    """The key of this request is claimed already in the running transaction, or was before it."""
    g.is_first = is_first


def was_answered() -> bool:
    """Whether this request's caller, route and key got an answer before."""
    return is_remembered(_scope(), _key())


def happens_once(view: View) -> bool:
    """Whether a view wants an `Idempotency-Key`."""
    return bool(getattr(view, _MARK, False))


def _key() -> str:
    """The caller's key for this request."""
    offered = request.headers.get(HEADER, "")
    if not offered:
        raise _refused("idempotency_key_required", "请求缺少幂等键 Idempotency-Key")
    if not _FORM.fullmatch(offered):
        raise _refused("idempotency_key_malformed", "幂等键应为 8 至 128 位字母、数字或 . _ : -")
    return offered


def _scope() -> str:
    """Whose key it is, and for what."""
    return f"{g.caller}:{request.endpoint}"


def _fingerprint() -> bytes:
    """What must be the same for two requests to be one."""
    return b" ".join([request.method.encode(), request.path.encode(), request.get_data(cache=True)])


def _replay(answer: Answer) -> Response:
    response = jsonify(answer.body) if answer.body is not None else Response()
    response.status_code = answer.status
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _refused(code: str, message: str) -> MalformedRequest:
    return MalformedRequest(HTTPStatus.BAD_REQUEST, code, message)
