"""What is read at once is what marshmallow would have read, and only marshmallow refuses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.web.fields import Whole
from miniprogram_api.lots import Nearby, OnMap, SpanWish, Words

WISHES = [SpanWish, Nearby, OnMap, Words]
NAMES = sorted({name for wish in WISHES for name in wish().fields} | {"colour"})
MOMENTS = st.sampled_from(
    ["2026-06-10T20:00:00+08:00", "2026-06-10T13:00:00Z", "2026-06-10T22:15+08:00", "20260611T010000Z",
     "2026-06-17T12:00:00.000001+00:00", "2026-06-10T20:00:00", "2026-06-10", "1999-01-01T00:00:00Z",
     "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "tomorrow", ""]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [
        "30.25",
        "120.16",
        "1",
        "-1",
        "0",
        "90",
        "91",
        " 7 ",
        "1_000",
        "1e3",
        "nan",
        "inf",
        "-inf",
        "٣",
        "1.5",
        "200",
        "",
        "+2",
    ]
)
PLAIN = st.sampled_from(["true", "false", "1", "0", "True", "yes", "small", "large", "机关", "x" * 40, "x" * 600])
TEXTS = st.one_of(MOMENTS, NUMBERS, PLAIN, st.text(max_size=5))
LIKELY = {"begins_at": "2026-06-10T20:00:00+08:00", "ends_at": "2026-06-10T22:00:00+08:00", "lat": "30.2", "lng": "120"}
MAP = {**LIKELY, "south": "30", "west": "120", "north": "30.1", "east": "120.1", "q": "机关"}


@pytest.mark.parametrize("wish", WISHES)
@given(data=st.data())
def test_a_wish_that_is_read_at_once_is_the_one_that_marshmallow_reads(wish: type[SpanWish], data: Any) -> None:
    schema = wish()
    usual = {name: text for name, text in MAP.items() if name in schema.fields}
    texts = {**usual, **data.draw(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=3))}
    for name in data.draw(st.sets(st.sampled_from(sorted(texts)), max_size=1)):
        del texts[name]
    at_once = schema.at_once(texts)
    try:
        read = schema.load(texts)
    except ValidationError:
        read = None
    assert at_once is None or at_once == read


def test_an_ordinary_search_is_read_at_once() -> None:
    assert Nearby().at_once(LIKELY) == {
        "begins_at": datetime(2026, 6, 10, 12, tzinfo=UTC), "ends_at": datetime(2026, 6, 10, 14, tzinfo=UTC),
        "lat": 30.2, "lng": 120.0, "radius_m": 2_000, "vehicle_class": "small",
        "open_only": False, "charging": False, "accessible": False,
    }  # fmt: skip


@pytest.mark.parametrize("number", ["1_000", "１０００", "٣", " 1000", "+1000", "1e3", "1000.0", True, 1000.5])
def test_a_whole_number_is_written_in_plain_digits(number: Any) -> None:
    with pytest.raises(ValidationError):
        Whole(0, 2_000).deserialize(number)


@pytest.mark.parametrize("number", ["1000", 1000])
def test_a_whole_number_may_be_text_in_a_query_and_a_number_in_a_body(number: Any) -> None:
    assert Whole(0, 2_000).deserialize(number) == 1000
