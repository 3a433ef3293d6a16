"""Makes the application out of settings and doors. Connects to nothing."""

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy.orm import scoped_session
from werkzeug.middleware.proxy_fix import ProxyFix

from app.kernel import clock, crypto, pool
from app.kernel.base import Base
from app.kernel.db import OnHeldConnection, use_sessions
from app.kernel.patience import PATIENCE
from app.settings import Settings
from app.web import errors, headers, intake, limits, logs, metrics, policy
from app.wiring import wire


def create_app(settings: Settings | None = None, doors: Iterable[Blueprint] = ()) -> Flask:
    """An app with these doors, or one without any for jobs; `settings` come from the environment when none are given.

    Raises `SettingsRefused` for a senseless environment and `RouteWithoutPolicy` for a door with an open route.
    """
    settings = settings or Settings.from_environment(os.environ)
    _know_every_table()
    app = _Synchronous("app", static_folder=None, template_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    logs.configure()
    _stand_on_kernel(app, settings)
    _share(app, settings)
    if opened := list(doors):
        _open(app, opened)
    policy.check_every_route(app)
    return app


class _Synchronous(Flask):
    """No view of ours is a coroutine: Flask need not ask of each function in each request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


class _Session(OnHeldConnection, Session):
    """Flask-SQLAlchemy's, one for each request, on the connection of its transaction."""


def _know_every_table() -> None:
    """A foreign key names its table in words: whoever writes a row needs the tables around it, of every room."""
    import_module("app.kernel.files")
    here = Path(__file__).resolve().parent
    for path in sorted((*here.glob("domain/*/models.py"), *here.parent.glob("payments/*/models.py"))):
        import_module(".".join(path.relative_to(here.parent).with_suffix("").parts))


def _stand_on_kernel(app: Flask, settings: Settings) -> None:
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": 15,
        "max_overflow": 0,
        "pool_timeout": 5,
        "pool_use_lifo": True,  # who was given back last has plans and caches that are warm
        "pool_reset_on_return": None,  # each transaction ends what it began, or its connection leaves the pool
        "connect_args": {**PATIENCE, "options": _LIMITS},
    }
    db = SQLAlchemy(app, model_class=Base, session_options={"expire_on_commit": False, "class_": _Session})
    with app.app_context():
        pool.look_at_idle(db.engine)
        pool.keep_prepared(db.engine)
    use_sessions(cast("scoped_session[OnHeldConnection]", db.session), lambda: db.engine)
    clock.use_offset_file(settings.clock_file)
    crypto.use_provider(crypto.SoftwareKeys(settings.field_keys, settings.index_key))


_LIMITS = "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 -c timezone=UTC"
"""No request waits for ever: milliseconds, for every connection of ours, while the server is there."""


def _share(app: Flask, settings: Settings) -> None:
    """What all doors have in common. The order is that in which a request meets them."""
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    metrics.attach(app)
    intake.guard(app)
    headers.attach(app)
    errors.speak_json(app)
    limits.attach(app, settings.redis_url)
    app.extensions["gongbo"] = wire(settings)


def _open(app: Flask, doors: Iterable[Blueprint]) -> None:
    import flask_smorest  # type: ignore[import-untyped]  # noqa: PLC0415 - without doors nothing is to be described

    from app.web import openapi  # noqa: PLC0415

    api = openapi.attach(app)
    for door in doors:
        registry = api if isinstance(door, flask_smorest.Blueprint) else app
        registry.register_blueprint(door)
