"""What all nouns of this door share: the blueprint, the motorist who asks, and what may be refused."""

import functools
import time
from typing import Any

from flask import current_app, g, request

from app.domain.motorists.queries import signed_in_id
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.refusals import Unauthenticated
from app.web import intake, limits
from app.web.noun import Noun
from app.web.policy import Policy, View
from app.web.tokens import AccessTokens, Bearer, InvalidToken
from app.wiring import wiring

AUDIENCE = "miniprogram"
PREFIX = "/mp/v1"
PAGE = 20
"""How many rows a list shows at once."""


def noun(name: str, description: str) -> Noun:
    """The blueprint of one noun; its bodies are JSON."""
    blueprint = Noun(name, f"miniprogram_api.{name}", url_prefix=PREFIX, description=description)
    blueprint.before_request(intake.json_only)
    return blueprint


def motorist(limit: str = "120/minute", *, calls_outside: bool = False) -> Policy:
    """The policy of a signed-in motorist's route.

    The view runs in one transaction with the check that the sign-in still holds. With `calls_outside` the check has a
    transaction of its own, because the view speaks with WeChat. `limit` counts per motorist and route.
    """

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **words: Any) -> Any:
            bearer = tokens().read(_token(), clock.now())
            limits.take(limit, f"{request.endpoint}:{bearer.subject}")
            with transaction():
                _remember(bearer)
                if not calls_outside:
                    return view(*args, **words)
            return view(*args, **words)

        return guarded

    return Policy("motorist", guard)


def glancing_motorist(limit: str) -> Policy:
    """The policy of a signed-in motorist's route that only looks at what everybody may see.

    That the sign-in still holds is known from up to `SIGNED_IN_SECONDS` ago, and `limit` is counted by each process
    alone, so that a look costs no round trip. The view has no transaction.
    """

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **words: Any) -> Any:
            bearer = tokens().read(_token(), clock.glance())
            limits.take_here(limit, f"{request.endpoint}:{bearer.subject}")
            _recall(bearer)
            return view(*args, **words)

        return guarded

    return Policy("motorist", guard)


SIGNED_IN_SECONDS = 30.0
MOST_SIGNED_IN = 20_000
_signed_in: dict[Bearer, tuple[int, float]] = {}
"""Who was found signed in, and at which second of the machine's monotonic clock."""


def _recall(bearer: Bearer) -> None:
    """As `_remember`, from memory if that is fresh enough."""
    motorist_id, asked = _signed_in.get(bearer, (0, -SIGNED_IN_SECONDS))
    if time.monotonic() - asked < SIGNED_IN_SECONDS:
        g.motorist_id, g.caller = motorist_id, f"motorist:{motorist_id}"
        return
    _remember(bearer)
    if len(_signed_in) > MOST_SIGNED_IN:
        _signed_in.clear()
    _signed_in[bearer] = (g.motorist_id, time.monotonic())


def tokens() -> AccessTokens:
    """The access tokens of this door."""
    known = current_app.extensions.get("motorists_tokens")
    if known is None:
        known = AccessTokens(wiring().settings.jwt_keys, AUDIENCE)
        current_app.extensions["motorists_tokens"] = known
    assert isinstance(known, AccessTokens)
    return known


def asking() -> int:
    """Id of the motorist who asks."""
    motorist_id = g.motorist_id
    assert isinstance(motorist_id, int)
    return motorist_id


def _token() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated
    return token.strip()


def _remember(bearer: Bearer) -> None:
    motorist_id = signed_in_id(bearer.subject, bearer.session_version)
    if motorist_id is None:
        raise InvalidToken
    g.motorist_id, g.caller = motorist_id, f"motorist:{motorist_id}"
