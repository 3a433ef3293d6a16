"""Fixtures that every test may ask for. A test that asks for none of them starts no server."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from unittest.mock import patch

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from redis import Redis

from launcher.environment import development_key
from launcher.ports import free_ports, is_taken
from launcher.processes import await_that
from tests.ground import Addresses, Ground, Run, caretaker, empty, in_memory

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from app.settings import Settings
    from tests.moulds import Moulds
    from tests.wechat.stand import Stand

ROOT = Path(__file__).resolve().parent.parent
GROUND = pytest.StashKey[Ground]()
SHARED_FOLDER = "GONGBO_TEST_GROUND"
GARBAGE = (20_000, 20, 50)
"""How much may come before somebody looks for garbage: by Python's own numbers that takes a twentieth of all time."""

hypothesis.settings.register_profile("suite", deadline=None)  # a busy machine is no fault of a rule
hypothesis.settings.register_profile("nightly", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process makes the ground and takes it away; workers find it by the environment."""
    if hasattr(config, "workerinput"):
        return
    if (memory := in_memory()) and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)
    ground = Ground.new()
    config.stash[GROUND] = ground
    os.environ[SHARED_FOLDER] = str(ground.folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process that a test starts compiles the house anew
    signal.signal(signal.SIGTERM, _interrupt)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Reached after Ctrl-C and SIGTERM as well."""
    ground = config.stash.get(GROUND, None)
    if ground is not None:
        ground.remove()


def pytest_collection() -> None:
    """Imports leave no garbage: nobody looks for it meanwhile."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()
    gc.set_threshold(*GARBAGE)
    gc.freeze()


def _keep_what_is_there() -> None:
    """What is made by now stays to the end: the collector of garbage need not go through it again and again."""
    gc.collect()
    gc.freeze()


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


@dataclass(frozen=True)
class MovableClock:
    """The platform's clock, for this test and every process started with `environment`."""

    file: Path

    def move_to(self, moment: datetime) -> None:
        """From now on it is about `moment`; time goes on from there."""
        self.set_offset(moment - datetime.now(UTC))

    def move_by(self, span: timedelta) -> None:
        """So much later, or earlier, than it was."""
        self.set_offset(timedelta(seconds=float(self.file.read_text())) + span)

    def set_offset(self, offset: timedelta) -> None:
        draft = self.file.with_suffix(".draft")
        draft.write_text(f"{offset.total_seconds():.6f}")
        draft.replace(self.file)


@pytest.fixture(scope="session")
def servers(worker_id: str) -> Addresses:
    """The database (as admin, owner and program) and the Redis database of this worker alone."""
    return Ground(Path(os.environ[SHARED_FOLDER])).addresses(worker_id)


@pytest.fixture(scope="session")
def database_urls(servers: Addresses) -> tuple[str, str]:
    """The owner's address and the program's."""
    return servers.migration, servers.app


@pytest.fixture(scope="session")
def redis(servers: Addresses) -> Iterator[Redis]:
    """This worker's Redis database."""
    with Redis.from_url(servers.redis) as store:
        yield store


@pytest.fixture(scope="session")
def environment(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What a process of the platform must be told to work on this worker's servers, as `os.environ` would hold it."""
    from simulators.wechat.keys import KeyMaterial  # noqa: PLC0415 - pure tests need not wait for it

    folder = tmp_path_factory.mktemp("environment")
    clock_file = folder / "clock"
    clock_file.write_text("0")
    web, wechat, gates = free_ports(3)
    return {
        "ENVIRONMENT": "test",
        "DATABASE_URL": servers.app,
        "MIGRATION_DATABASE_URL": servers.migration,
        "REDIS_URL": servers.redis,
        "CLOCK_FILE": str(clock_file),
        "AUDIT_ANCHORS": str(folder / "anchors"),
        "FIELD_KEYS": f"v1:{development_key()}",
        "INDEX_KEY": development_key(),
        "JWT_KEYS": f"development:{development_key()}",
        **KeyMaterial.at(folder / "wechat").environment(),
        "WECHAT_KEYS": str(folder / "wechat"),
        "WECHAT_API_URL": f"http://127.0.0.1:{wechat}",
        "WECHAT_PAY_URLS": f"http://127.0.0.1:{wechat}",
        "WECHAT_NOTIFY_URL": f"http://127.0.0.1:{web}/wechat/notices/transactions",
        "PORT": str(web),
        "WECHAT_PORT": str(wechat),
        "GATES_PORT": str(gates),
        "GATES_URL": f"http://127.0.0.1:{gates}",
    }


@pytest.fixture(scope="session")
def settings(environment: Mapping[str, str]) -> "Settings":
    """`environment` as the platform reads it."""
    from app.settings import Settings  # noqa: PLC0415 - pure tests need not wait for it

    return Settings.from_environment(environment)


@pytest.fixture(scope="session")
def platform(settings: "Settings") -> "Iterator[Flask]":
    """The whole platform in this process, on this worker's servers."""
    from wsgi import create_app  # noqa: PLC0415 - pure tests need not wait for it

    platform = create_app(settings)
    _keep_what_is_there()
    with patch.object(PasswordHasher, "verify", cache(PasswordHasher.verify)):  # what fitted once fits again
        yield platform
    with platform.app_context():
        platform.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def app(platform: "Flask", settings: "Settings") -> "Iterator[Flask]":
    """The platform in charge of the kernel for one test, a context pushed: folders may have an app of their own."""
    from app.domain.search.queries import forget  # noqa: PLC0415 - pure tests need not wait for it
    from app.kernel import clock, crypto  # noqa: PLC0415
    from app.kernel.db import use_sessions  # noqa: PLC0415
    from payments.payees.queries import accept_samples  # noqa: PLC0415

    database = platform.extensions["sqlalchemy"]
    use_sessions(database.session, lambda: database.engine)
    clock.use_offset_file(settings.clock_file)
    crypto.use_provider(crypto.SoftwareKeys(settings.field_keys, settings.index_key))
    accept_samples(not settings.is_production)
    forget()
    with platform.app_context():
        yield platform


@pytest.fixture
def database(app: "Flask", servers: Addresses) -> Addresses:
    """An empty city, ready for `transaction()`, and its addresses."""
    assert app.extensions
    return servers


@pytest.fixture
def client(app: "Flask") -> "FlaskClient":
    """Speaks to the platform without a socket."""
    return app.test_client()


@pytest.fixture
def run(servers: Addresses) -> Run:
    """Runs one hand-written statement as the program's role, in a transaction of its own."""
    url = servers.app.replace("+psycopg", "", 1)

    def once(statement: str, *values: object) -> int:
        with psycopg.connect(url) as connection, connection.transaction():
            return connection.execute(statement.encode(), values or None).rowcount

    return once


@pytest.fixture(scope="session")
def admin(servers: Addresses) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The worker's database as a superuser, each statement by itself: to look, or to break things on purpose."""
    with psycopg.connect(servers.admin, autocommit=True) as connection:
        yield connection


@pytest.fixture
def clock(environment: Mapping[str, str]) -> MovableClock:
    """The platform's clock; every test begins at the true time."""
    return MovableClock(Path(environment["CLOCK_FILE"]))


@pytest.fixture
def at(clock: MovableClock) -> Callable[[datetime], None]:
    """`at(moment)`: from now on it is `moment`."""
    return clock.move_to


@pytest.fixture
def evening(database: Addresses, at: Callable[[datetime], None]) -> datetime:
    """A Wednesday at 20:00, a work day: offices ended at 17:30, lots are open from 18:30 to 08:00."""
    moment = datetime(2026, 6, 10, 12, tzinfo=UTC)
    at(moment)
    return moment


@pytest.fixture(scope="session")
def sweeper(servers: Addresses) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Who empties the worker's city and puts things back in it, unseen by triggers; tests look with `admin`."""
    with caretaker(servers.admin, Ground(Path(os.environ[SHARED_FOLDER])).seeded()) as connection:
        yield connection


@pytest.fixture(scope="session")
def moulds(sweeper: psycopg.Connection[tuple[object, ...]]) -> "Moulds":
    """What this worker need not make again."""
    from tests.moulds import Moulds  # noqa: PLC0415 - pure tests need not wait for it

    return Moulds(sweeper, Ground(Path(os.environ[SHARED_FOLDER])).seeded())


@pytest.fixture(autouse=True)
def clean_city(request: pytest.FixtureRequest) -> Iterator[None]:
    """Before each test on the database: no row but those of migrations, nothing in Redis, the true time."""
    if "servers" not in request.fixturenames:
        yield
        return
    empty(request.getfixturevalue("sweeper"))
    request.getfixturevalue("redis").flushdb()
    if "environment" not in request.fixturenames:
        yield
        return
    clock = MovableClock(Path(request.getfixturevalue("environment")["CLOCK_FILE"]))
    clock.set_offset(timedelta())
    with request.getfixturevalue("moulds").at_hand(clock):
        yield


@pytest.fixture(scope="session")
def running_stand_in(environment: Mapping[str, str]) -> "Iterator[Stand]":
    """The stand-in WeChat that `app` speaks to, started once for this worker."""
    from tests.wechat.stand import Stand, Time  # noqa: PLC0415 - only for those who ask

    url = environment["WECHAT_API_URL"]
    command = ["--port", environment["WECHAT_PORT"], "--keys", environment["WECHAT_KEYS"], "--retry-factor", "0.001"]
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.wechat", *command],
        cwd=ROOT, env={**os.environ, "CLOCK_FILE": environment["CLOCK_FILE"]}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert await_that(lambda: is_taken(int(environment["WECHAT_PORT"])), seconds=20)
        stand = Stand(url, dict(environment), Time(Path(environment["CLOCK_FILE"])))
        yield stand
        stand.session.close()
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def wechat_stand_in(running_stand_in: "Stand") -> "Stand":
    """The same, as WeChat is on a good day. (Tests in tests/wechat have one of their own, called `wechat`.)"""
    running_stand_in.calm()
    return running_stand_in
