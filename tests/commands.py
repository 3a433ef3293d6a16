"""Commands as somebody at a terminal runs them."""

import json
from typing import Any

from click.testing import Result
from flask import Flask

from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from tests.world import PASSWORD


def run(app: Flask, by: Actor | None, *words: object) -> Result:
    """`flask --app wsgi` with these words, as this person (whose password is `PASSWORD`), and how it ended."""
    told = [] if by is None else ["--as", logins([by.account_id])[by.account_id]]
    runner = app.test_cli_runner()
    return runner.invoke(args=[*map(str, words), *told], env={"GONGBO_PASSWORD": PASSWORD}, catch_exceptions=False)


def told(app: Flask, by: Actor | None, *words: object) -> Any:
    """What the command tells a program; it must have gone well."""
    result = run(app, by, *words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(app: Flask, by: Actor | None, *words: object) -> str:
    """The code of the refusal that the command told on stderr."""
    result = run(app, by, *words)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    return result.stderr.split(":", maxsplit=1)[0]
