"""Commands of the running platform: `flask --app wsgi worker`, `... sweepers`, and `... sample-city load`."""

from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from app.jobs.sample_city import SampleRefused, load
from app.jobs.sweepers import sweep_for_ever
from app.jobs.worker import work
from app.wiring import wiring


def attach(app: Flask) -> None:
    """Register the commands on the app."""

    @app.cli.command("worker")
    def worker() -> None:
        """Run jobs from the queue until stopped."""
        work(app, wiring().settings)

    @app.cli.command("sweepers")
    def sweepers() -> None:
        """Look for due rows until stopped."""
        sweep_for_ever(app)

    app.cli.add_command(sample_city)


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
    try:
        told = load(wiring().settings, weeks=0 if bare else weeks, gates_file=gates_file, tell=click.echo)
    except SampleRefused as refused:
        raise click.ClickException(str(refused)) from None
    click.echo("the sample city is ready" if told.is_new else "the sample city is there already; nothing was changed")
    if told.keys_written:
        click.echo(f"gates have new keys in {gates_file}")
