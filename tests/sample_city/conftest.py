"""One sample city for all tests of this folder: they only look at it, or load it again, which must change nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from app.jobs.sample_city import load
from app.jobs.sample_city.load import is_there
from app.settings import Settings
from tests.conftest import MovableClock
from tests.ground import empty

if TYPE_CHECKING:
    from flask import Flask

Admin = psycopg.Connection[tuple[object, ...]]
SUNDAY_EVENING = datetime(2026, 6, 14, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clean_city() -> None:
    """In place of the one that empties the city before each test: it would have to be built anew each time."""


@pytest.fixture(scope="session")
def gates_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the city's gates have their keys."""
    return tmp_path_factory.mktemp("sample-city") / "gates.json"


@pytest.fixture(scope="session")
def since_then() -> timedelta:
    """The offset of the clock, the same for all tests of the city: it must not run backwards."""
    return SUNDAY_EVENING - datetime.now(UTC)


@pytest.fixture
def city(
    app: "Flask", sweeper: Admin, settings: Settings, clock: MovableClock, since_then: timedelta, gates_file: Path
) -> Settings:
    """The city with one week of life, at 20:00 on a Sunday in Hangzhou; returns the settings to load it with."""
    assert app.extensions
    clock.set_offset(since_then)
    if not is_there():
        empty(sweeper)
        load(settings, weeks=1, gates_file=gates_file, tell=_silently)
    return settings


def _silently(_: str) -> None:
    return None
