"""Floor 6: settings and doors meet here, and only here. `gunicorn -k gevent wsgi:app`, `flask --app wsgi ...`.

Importing this module builds nothing: the application is made when a server asks for `app`.
"""

import functools
import os
from collections.abc import Iterator
from typing import Any

import click
from flask import Blueprint, Flask
from flask.cli import FlaskGroup

from app.kernel.garbage import none_meanwhile

with none_meanwhile():
    import miniprogram_api
    from app import factory
    from app.api import gates, notices, ops, partners, receipts
    from app.api import open as open_data
    from app.api.gates import cameras
    from app.jobs import commands
    from app.settings import Settings, SettingsRefused


def create_app(settings: Settings | None = None) -> Flask:
    """The whole platform; without `settings` they are read from the environment."""
    settings = settings or Settings.from_environment(os.environ)
    app = factory.create_app(settings, doors(settings))
    commands.attach(app)
    return app


def doors(settings: Settings) -> Iterator[Blueprint]:
    """Every door of the platform; the clock's is shut in production."""
    yield ops.blueprint
    if not settings.is_production:
        yield ops.development
    yield notices.notices
    yield receipts.receipts
    yield gates.blueprint
    yield cameras.blueprint
    yield partners.blueprint
    yield open_data.blueprint
    yield from miniprogram_api.blueprints


@functools.cache
def _served() -> Flask:
    _wait_as_the_server_does()
    try:
        return create_app()
    except SettingsRefused as problem:
        if not _looking_for_a_command():
            raise
        return commands.without_settings(problem)


def _looking_for_a_command() -> bool:
    """Whether `flask` asks which commands there are; a server that is to start (`flask run`) asks from inside one."""
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def _wait_as_the_server_does() -> None:
    """Under gevent psycopg must have been imported after the patching, else each query stops the whole worker."""
    from gevent import monkey  # noqa: PLC0415 - a patched process has it loaded already
    from psycopg import waiting  # noqa: PLC0415

    if not monkey.is_module_patched("socket"):
        return
    if waiting.wait is waiting.wait_c:
        raise RuntimeError("psycopg was imported before gevent patched: do not use --preload")
    from app.kernel import hub  # noqa: PLC0415 - only a worker of greenlets needs it

    hub.wait_here()


def __getattr__(name: str) -> Any:
    if name == "app":
        return _served()
    raise AttributeError(name)
