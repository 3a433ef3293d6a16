"""Power fails while the city is being told: nothing is lost, and nothing is told twice."""

import signal
from collections.abc import Mapping
from datetime import timedelta

import pytest

from app.adapters.city import CitySystem
from app.domain.city_feed.actions import find_visits, send_due
from app.domain.city_feed.queries import stands
from app.domain.lots.models import Lot
from tests.city_feed.mortal import tell
from tests.city_feed.stand import CityStand
from tests.conftest import MovableClock
from tests.mortals import born
from tests.world import drive, gate, some_plate


@pytest.mark.parametrize("point", ["before_call", "after_call"])
def test_a_kill_beside_the_call_loses_no_visit_and_doubles_none(
    city: CityStand, known_lot: Lot, system: CitySystem, clock: MovableClock, environment: Mapping[str, str], point: str
) -> None:
    drive(gate(known_lot), some_plate())
    find_visits()
    told = {**environment, "FAULT_PLAN": f"city_feed.{point}"}
    dying = born(told, tell, city.url, city.material.directory)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert stands().due == 1
    clock.move_by(timedelta(minutes=2))
    send_due(system)
    assert stands().due == 0
    assert [kind for kind, _ in city.taken].count("arrival") == 1
