"""The platform's own processes and tools: worker, sweepers, migrations, the sample city.

What each loads is loaded by none of the others.
"""

from pathlib import Path
from typing import cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from app.wiring import wiring


def _app() -> Flask:
    """The application itself, for threads that have no context of their own."""
    return cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Run jobs from the queue until stopped."""
    from app.jobs.worker import work  # noqa: PLC0415

    work(_app(), wiring().settings)


@click.command("sweepers")
@with_appcontext
def sweepers() -> None:
    """Look for due rows until stopped."""
    from app.jobs.sweepers import sweep_for_ever  # noqa: PLC0415

    sweep_for_ever(_app())


@click.command("db", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@with_appcontext
def migrations(words: tuple[str, ...]) -> None:
    """Migrations of the schema (Flask-Migrate)."""
    from flask_migrate import Migrate, cli  # noqa: PLC0415

    Migrate(_app(), current_app.extensions["sqlalchemy"], directory="migrations")
    cli.db.main(args=words, prog_name="flask db")


sample_city = AppGroup("sample-city", help="A city to try the platform in; refused by production.")


@sample_city.command("load")
@click.option("--weeks", type=click.IntRange(0, 6), default=3, show_default=True, help="history to play before now")
@click.option("--bare", is_flag=True, help="no history and no motorists: the same as --weeks 0")
@click.option(
    "--gates-file", type=click.Path(dir_okay=False, path_type=Path), envvar="GATES_FILE",
    default=Path("var/gates.json"), show_default=True, help="where the stand-in gates find their keys",
)  # fmt: skip
def load_sample_city(weeks: int, *, bare: bool, gates_file: Path) -> None:
    """Build the sample city and let it live for some weeks; a city that is there stays as it is."""
    from app.jobs.sample_city import SampleRefused, load  # noqa: PLC0415

    try:
        told = load(wiring().settings, weeks=0 if bare else weeks, gates_file=gates_file, tell=click.echo)
    except SampleRefused as refused:
        raise click.ClickException(str(refused)) from None
    click.echo("the sample city is ready" if told.is_new else "the sample city is there already; nothing was changed")
    if told.keys_written:
        click.echo(f"gates have new keys in {gates_file}")
