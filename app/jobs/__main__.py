"""`python -m app.jobs worker|sweepers`: a process that only works.

It opens no door and loads none, so it starts faster than `flask --app wsgi worker`, which does the same.
"""

import argparse
import os

from app.kernel.garbage import none_meanwhile

with none_meanwhile():
    from app import factory
    from app.jobs.sweepers import sweep_for_ever
    from app.jobs.worker import work
    from app.settings import Settings


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m app.jobs", description=__doc__)
    parser.add_argument("what", choices=["worker", "sweepers"])
    wanted = parser.parse_args()
    settings = Settings.from_environment(os.environ)
    app = factory.create_app(settings)
    if wanted.what == "worker":
        work(app, settings)
    else:
        sweep_for_ever(app)


if __name__ == "__main__":
    main()
