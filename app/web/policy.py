"""Who may use a route. Every route says so itself; an app with a route that does not say will not start.

    @blueprint.post("/gates/<uuid:key>/passages")
    @admits(GATE)
    def passage(key): ...

`admits` stands directly below the route, so that its guard runs before anything reads the request.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from flask import Flask, request

from app.kernel.refusals import NotFound

View = Callable[..., Any]
_MARK = "admission_policy"


class RouteWithoutPolicy(RuntimeError):
    """Raised at start: somebody added a route and did not say who may use it."""


def _unguarded(view: View) -> View:
    return view


@dataclass(frozen=True)
class Policy:
    """A kind of caller and the guard that lets only that kind in.

    `guard` wraps a view; it refuses, or calls the view. Doors with callers of their own define their own policy.
    """

    name: str
    guard: Callable[[View], View] = _unguarded


def _only_this_machine(view: View) -> View:
    @functools.wraps(view)
    def guarded(*args: Any, **words: Any) -> Any:
        if not _comes_from_this_machine():
            raise NotFound
        return view(*args, **words)

    return guarded


def _comes_from_this_machine() -> bool:
    """A proxy on this machine asks for somebody else: what it forwards does not count as from here."""
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return bool(request.remote_addr and ip_address(request.remote_addr).is_loopback and not forwarded)


PUBLIC = Policy("public")
"""Anybody: nothing behind it is about a person."""

LOOPBACK = Policy("loopback", _only_this_machine)
"""Programs on this machine; for others the route is not there."""


def admits(policy: Policy) -> Callable[[View], View]:
    """Declare, and by the policy's guard enforce, who may use a view."""

    def declare(view: View) -> View:
        opened = policy.guard(view)

        @functools.wraps(view)
        def guarded(*args: Any, **words: Any) -> Any:
            return opened(*args, **words)

        setattr(guarded, _MARK, policy)
        return guarded

    return declare


def policy_of(view: View) -> Policy | None:
    """What the view declared, if anything."""
    declared = getattr(view, _MARK, None)
    return declared if isinstance(declared, Policy) else None


def check_every_route(app: Flask) -> None:
    """Refuse to start (`RouteWithoutPolicy`) while a route does not say whom it admits."""
    undeclared = sorted(
        str(rule) for rule in app.url_map.iter_rules() if policy_of(app.view_functions[rule.endpoint]) is None
    )
    if undeclared:
        raise RouteWithoutPolicy(", ".join(undeclared))
