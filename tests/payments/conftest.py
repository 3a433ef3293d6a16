"""The money rooms as the program's role on this worker's PostgreSQL; the WeChat stand-in is another process."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask

from app.settings import Settings
from payments.charges.models import Charge, Payment
from payments.payees.models import Payee
from payments.payees.queries import accept_samples
from tests.payments.platforms import Stands, standing
from tests.payments.servers import Door, Simulator
from tests.payments.world import ANOTHER, OPENID, Till
from tests.wechat.stand import Stand


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    """The platform with an application context; sample payees may collect."""
    accept_samples(True)
    with app.app_context():
        yield app
    accept_samples(True)


@pytest.fixture
def till(app: Flask, settings: Settings, environment: Mapping[str, str], wechat_stand_in: Stand) -> Till:
    """A place to pay: WeChat is reached, its notices come only when a test has them brought."""
    wechat_stand_in.control("notices", mode="drop")
    simulator = Simulator(int(environment["WECHAT_PORT"]))
    for openid in (OPENID, ANOTHER):
        simulator.control("POST", "/login-codes", {"openid": openid})
    return Till(app, settings, simulator, Path(environment["CLOCK_FILE"]))


@pytest.fixture(scope="session")
def running_platforms(environment: Mapping[str, str]) -> Iterator[Stands]:
    """The stand-ins of the platforms that issue receipts."""
    with standing(environment["CLOCK_FILE"]) as stands:
        yield stands


@pytest.fixture
def platforms(running_platforms: Stands) -> Stands:
    """The same on a good day."""
    running_platforms.calm()
    return running_platforms


@pytest.fixture
def door(app: Flask, settings: Settings) -> Iterator[Door]:
    """The notice door, open over HTTP where WeChat was told that it is."""
    with Door(app, settings) as opened:
        yield opened


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> str:
    """A connection string of the schema's owner, for hand-written SQL."""
    return database_urls[0].replace("postgresql+psycopg", "postgresql")


@pytest.fixture
def program(database_urls: tuple[str, str]) -> str:
    """A connection string of the program's own role, for hand-written SQL."""
    return database_urls[1].replace("postgresql+psycopg", "postgresql")


@pytest.fixture
def payee(till: Till) -> Payee:
    """An organ's payee."""
    return till.treasury_payee()


@pytest.fixture
def paid(till: Till, payee: Payee) -> tuple[Charge, Payment]:
    """12.50 yuan that this payee has got, and of what."""
    return till.paid_charge(payee)


@pytest.fixture
def payment(paid: tuple[Charge, Payment]) -> Payment:
    """The payment alone."""
    return paid[1]
