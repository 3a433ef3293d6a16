"""One stand-in city for all tests of a worker, calmed before each."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import pytest

from app.adapters.city import CitySystem
from app.domain.city_feed.actions import find_lots, find_visits, pulse, send_due
from app.domain.lots.models import Lot
from tests.city_feed.stand import CityStand, standing
from tests.world import open_lot


@pytest.fixture(scope="session")
def running_city(tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Iterator[CityStand]:
    with standing(tmp_path_factory.mktemp("city"), environment["CLOCK_FILE"]) as stand:
        yield stand


@pytest.fixture
def city(running_city: CityStand) -> CityStand:
    running_city.calm()
    return running_city


@pytest.fixture
def system(city: CityStand) -> CitySystem:
    return city.client()


@pytest.fixture
def tell(system: CitySystem) -> Callable[[], int]:
    """A whole round of the feed; returns how many uploads were tried."""

    def round_() -> int:
        find_lots()
        find_visits()
        tried = send_due(system)
        pulse(system)
        return tried

    return round_


@pytest.fixture
def known_lot(evening: datetime, tell: Callable[[], int]) -> Lot:
    """An open lot that the city knows, on an evening."""
    lot = open_lot(bays=3)
    tell()
    return lot
