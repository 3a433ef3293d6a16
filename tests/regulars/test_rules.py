"""The draw and the nights as rules: anybody can make them again."""

import random
import uuid
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendars.rules import Day, DayBook, DayKind, Status
from app.domain.policies.rules import CITY_DEFAULTS
from app.domain.regulars.rules import check_offer
from app.domain.regulars.rules.draw import Told, commitment, drawn, faults, ticket
from app.domain.regulars.rules.nights import night_span, work_nights
from app.domain.regulars.rules.refusals import ApplicationsTooShort, RoundTimesWrong, TooManyNights, TooManyPlaces
from app.domain.regulars.rules.words import NOTES
from app.kernel.spans import span
from tests.regulars.scene import CLOSES, FIRST, LAST, OPENS, WORK_NIGHTS, offer, recomputed
from tests.world import shanghai

SECRET = "5f" * 32
DAY = timedelta(days=1)


@given(st.lists(st.uuids(), unique=True, max_size=40), st.randoms(use_true_random=False))
def test_a_draw_is_a_permutation_that_anybody_makes_again_whatever_the_order_of_coming(
    keys: list[uuid.UUID], chance: random.Random
) -> None:
    order = drawn(SECRET, keys)
    assert sorted(order) == sorted(keys)
    assert order == recomputed(SECRET, keys)
    assert order == drawn(SECRET, chance.sample(keys, len(keys)))


def test_another_secret_is_another_draw() -> None:
    keys = [uuid.UUID(int=number) for number in range(20)]
    assert drawn(SECRET, keys) != drawn("6a" * 32, keys)
    assert commitment(SECRET) != commitment("6a" * 32)


def published(keys: list[uuid.UUID]) -> list[Told]:
    return [Told(key, ticket(SECRET, key), rank) for rank, key in enumerate(drawn(SECRET, keys), 1)]


def test_whoever_checks_a_draw_finds_what_was_spoilt() -> None:
    told = published([uuid.UUID(int=number) for number in range(5)])
    assert faults(commitment(SECRET), SECRET, told) == []
    assert faults(commitment("other"), SECRET, told) == ["commitment"]
    swapped = [Told(told[0].key, told[0].ticket, 2), Told(told[1].key, told[1].ticket, 1), *told[2:]]
    assert faults(commitment(SECRET), SECRET, swapped) == ["ranks"]
    assert faults(commitment(SECRET), SECRET, told[:-2] + told[-1:]) == ["ranks"], "one is missing"
    false = [Told(told[0].key, "0" * 64, 1), *told[1:]]
    assert faults(commitment(SECRET), SECRET, false) == ["tickets"]


def test_work_nights_follow_the_calendar() -> None:
    off, worked = date(2026, 6, 24), date(2026, 6, 27)
    book = DayBook(FIRST, LAST, {
        off: Day(off, DayKind.DAYOFF), worked: Day(worked, DayKind.WORKDAY, is_makeup=True),
        **{day: Day(day, DayKind.WORKDAY) for day in WORK_NIGHTS if day != off},
        LAST: Day(LAST, DayKind.DAYOFF),
    })  # fmt: skip
    assert work_nights(book, FIRST, LAST) == [*[day for day in WORK_NIGHTS if day != off], worked]


def test_an_uncertain_day_counts_by_the_week() -> None:
    book = DayBook(FIRST, LAST, {})
    assert book.day(FIRST).status is Status.PROVISIONAL
    assert work_nights(book, FIRST, LAST) == WORK_NIGHTS


@pytest.mark.parametrize(
    ("window", "night"),
    [
        (("2026-06-22 18:30", "2026-06-23 08:00"), ("2026-06-22 18:30", "2026-06-23 08:00")),
        (("2026-06-22 18:30", "2026-06-25 08:00"), ("2026-06-22 18:30", "2026-06-23 09:00")),
        (("2026-06-20 18:30", "2026-06-23 08:00"), ("2026-06-22 18:00", "2026-06-23 08:00")),
        (("2026-06-23 00:00", "2026-06-23 08:00"), ("2026-06-23 00:00", "2026-06-23 08:00")),
        (("2026-06-22 18:30", "2026-06-23 00:00"), None),
    ],
    ids=["after work", "before a holiday", "on a day off", "from midnight", "shut at midnight"],
)
def test_a_night_is_what_is_open_around_midnight(window: tuple[str, str], night: tuple[str, str] | None) -> None:
    found = night_span(FIRST, [(shanghai(window[0]), shanghai(window[1]))], CITY_DEFAULTS)
    assert found == (span(shanghai(night[0]), shanghai(night[1])) if night else None)


NOW = shanghai("2026-06-10 20:00")


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"last": FIRST - DAY}, TooManyNights),
        ({"last": FIRST + 31 * DAY}, TooManyNights),
        ({"opens_at": NOW - DAY}, RoundTimesWrong),
        ({"draw_at": CLOSES - timedelta(seconds=1)}, RoundTimesWrong),
        ({"draw_at": datetime.combine(FIRST, time(), NOW.tzinfo)}, RoundTimesWrong),
        ({"closes_at": OPENS + 5 * DAY - timedelta(seconds=1)}, ApplicationsTooShort),
        ({"places": 4}, TooManyPlaces),
        ({"places": 0}, TooManyPlaces),
    ],
)
def test_an_offer_keeps_to_the_citys_numbers(told: dict[str, object], refusal: type[Exception]) -> None:
    check_offer(offer(3), NOW, 10, CITY_DEFAULTS)
    with pytest.raises(refusal):
        check_offer(offer(**told), NOW, 10, CITY_DEFAULTS)  # type: ignore[arg-type]


def test_what_wechat_shows_fits() -> None:
    assert all(len(note) <= 20 for note in NOTES.values())
