"""Free time takes hours out of a stay, and the whole stay when the car leaves within it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain.pricing.rules import FreeTime, charged_parts
from tests.pricing.effort import trying

MIDNIGHT = datetime(2026, 6, 10, tzinfo=UTC)
MINUTES = st.integers(0, 600)
SPANS = st.lists(st.tuples(MINUTES, st.integers(1, 200)), max_size=4)


def at(minute: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=minute)


@trying()
@given(entry=MINUTES, length=st.integers(0, 300), spans=SPANS)
def test_each_minute_is_paid_for_unless_it_is_free_or_the_car_leaves_in_free_time(
    entry: int, length: int, spans: list[tuple[int, int]]
) -> None:
    free = [FreeTime(at(begin), at(begin + long), place) for place, (begin, long) in enumerate(spans)]
    exit_ = entry + length
    leaves_free = any(begin <= exit_ < begin + long for begin, long in spans)
    wanted = {
        minute
        for minute in range(entry, exit_)
        if not leaves_free and not any(begin <= minute < begin + long for begin, long in spans)
    }
    parts = list(charged_parts(at(entry), at(exit_), free))
    paid = [minute for minute in range(entry, exit_) if any(first <= at(minute) < last for first, last in parts)]
    assert set(paid) == wanted
    assert all(first < last for first, last in parts)
    assert all(one[1] <= following[0] for one, following in pairwise(parts))


@trying()
@given(billed=MINUTES, later=st.integers(0, 300), begin=MINUTES, long=st.integers(1, 300))
def test_a_car_that_is_billed_no_longer_but_leaves_in_free_time_pays_nothing(
    billed: int, later: int, begin: int, long: int
) -> None:
    free, leaves = FreeTime(at(begin), at(begin + long), 1), billed + later
    seen = free.reaching(at(billed), at(leaves))
    if begin <= leaves < begin + long:
        assert list(charged_parts(at(0), at(billed), [seen])) == []
    else:
        assert seen == free
