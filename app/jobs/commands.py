"""Commands of the running platform: `flask --app wsgi worker`, `flask --app wsgi sweepers`."""

from flask import Flask

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
