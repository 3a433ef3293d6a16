"""News goes up as a job by name: each name has a handler, and each handler somebody who calls it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from app.jobs.handlers import HANDLERS
from app.jobs.sweepers import sweepers

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("app", "payments", "miniprogram_api")


def calls() -> Iterator[ast.Call]:
    for source in SOURCES:
        for path in (ROOT / source).rglob("*.py"):
            yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def job_names() -> set[str]:
    """Every name that is enqueued outright, or left with a lower room to be enqueued later (`on_...="..."`)."""
    names: set[str] = set()
    for call in calls():
        if isinstance(call.func, ast.Name) and call.func.id == "enqueue":
            names |= {str(word.value) for word in call.args[:1] if isinstance(word, ast.Constant)}
        names |= {
            keyword.value.value
            for keyword in call.keywords
            if (keyword.arg or "").startswith("on_") and isinstance(keyword.value, ast.Constant)
            if isinstance(keyword.value.value, str)
        }
    return names


def test_each_job_has_a_handler_and_each_handler_a_caller() -> None:
    assert job_names() == set(HANDLERS)


def test_sweepers_have_names_of_their_own() -> None:
    names = [sweeper.name for sweeper in sweepers()]
    assert len(names) == len(set(names))
