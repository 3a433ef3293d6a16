"""Whatever goes wrong, and however often: at last the city knows each visit once, in order, and the true counts."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.domain.city_feed.queries import stands
from app.domain.lots.models import Lot
from tests.city_feed.stand import CityStand
from tests.conftest import MovableClock
from tests.world import drive, gate, some_plate

Tell = Callable[[], int]
KINDS = ("down", "lost_answer", "error_500", "html", "busy")


@pytest.mark.parametrize("rate", [0.3, 0.6])
def test_random_faults_lose_nothing_double_nothing_and_keep_the_order(
    city: CityStand, known_lot: Lot, tell: Tell, clock: MovableClock, rate: float
) -> None:
    for kind in KINDS:
        city.suffer(kind, times=0, rate=rate / len(KINDS))
    entrance, exit_ = gate(known_lot), gate(known_lot, "out")
    for _ in range(3):
        plate = some_plate()
        drive(entrance, plate)
        tell()
        clock.move_by(timedelta(minutes=3))
        drive(exit_, plate)
        tell()
        clock.move_by(timedelta(minutes=3))
    city.recover()
    for _ in range(4):
        clock.move_by(timedelta(minutes=6))
        tell()
    book, told = city.book, [news for news in city.taken if news[0] in {"arrival", "departure"}]
    assert (len(book["arrivals"]), len(book["departures"]), stands().due) == (3, 3, 0)
    assert sorted(told) == sorted(set(told)), "each once"
    assert [kind for kind, _ in told] == ["arrival", "departure"] * 3
    assert [state["freeBerthNum"] for state in book["states"].values()] == [3]
