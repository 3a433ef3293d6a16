"""What all nouns of this door share: the blueprint, the motorist who asks, and what may be refused."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from flask import current_app, g, request
from sqlalchemy.exc import IntegrityError

from app.domain.motorists.actions import signed_in_with_key
from app.domain.motorists.queries import CALLER, AccountErased, signed_in_id
from app.domain.search.queries import who_looks
from app.kernel import clock
from app.kernel.db import transaction, violated
from app.kernel.idempotency import Named
from app.kernel.refusals import Unauthenticated
from app.web import intake, limits, once
from app.web.noun import Noun
from app.web.policy import Policy, View
from app.web.tokens import AccessTokens, Bearer, InvalidToken
from app.wiring import wiring

AUDIENCE = "miniprogram"
PREFIX = "/mp/v1"
ERASED: Final = frozenset({"an_erased_motorist_does_nothing", "a_motorist_is_erased_once"})
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
            at = clock.glance()
            bearer = tokens().read(_token(), at)
            limits.take(limit, f"{request.endpoint}:{bearer.subject}")
            with _nobody_erased():
                if not calls_outside:
                    with transaction():
                        _remember(bearer, once.named_request(view), at)
                        return view(*args, **words)
                _remember(bearer, None, at)
                return view(*args, **words)

        return guarded

    return Policy("motorist", guard)


@contextmanager
def _nobody_erased() -> Iterator[None]:
    """What a motorist does while their account is being erased waits for that, and is refused by the database."""
    try:
        yield
    except IntegrityError as error:
        if violated(error) not in ERASED:
            raise
        raise AccountErased from error


def glancing_motorist(limit: str) -> Policy:
    """The policy of a signed-in motorist's route that only looks at what everybody may see.

    Motorists who come together are looked up together, each after they came, so that a sign-in that has ended ends here
    too with the next request. `limit` is counted by each process alone. The view has no transaction.
    """

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **words: Any) -> Any:
            g.came = clock.steady()
            bearer = tokens().read(_token(), clock.glance())
            limits.take_here(limit, f"{request.endpoint}:{bearer.subject}")
            _known(who_looks((bearer.subject, bearer.session_version)))
            return view(*args, **words)

        return guarded

    return Policy("motorist", guard)


def tokens() -> AccessTokens:
    """The access tokens of this door."""
    known = current_app.extensions.get("motorists_tokens")
    if known is None:
        known = AccessTokens(wiring().settings.jwt_keys, AUDIENCE)
        current_app.extensions["motorists_tokens"] = known
    assert isinstance(known, AccessTokens)
    return known


def came() -> float:
    """At which second of the steady clock the request of a glancing motorist came."""
    at = g.came
    assert isinstance(at, float)
    return at


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


def _remember(bearer: Bearer, wanted: Named | None, at: datetime) -> None:
    """Who asks; where they name their request, its key is claimed by the same question."""
    if wanted is None:
        _known(signed_in_id(bearer.subject, bearer.session_version))
        return
    found = signed_in_with_key(bearer.subject, bearer.session_version, str(request.endpoint), wanted, at)
    _known(found and found[0])
    once.claimed(is_first=bool(found and found[1]))


def _known(motorist_id: int | None) -> None:
    """Keep who asks for the rest of the request; refuses a sign-in that has ended."""
    if motorist_id is None:
        raise InvalidToken
    g.motorist_id, g.caller = motorist_id, f"{CALLER}{motorist_id}"
