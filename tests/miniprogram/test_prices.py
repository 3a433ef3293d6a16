"""What motorists learn of prices: a fee with its reasons, the tariff in words, changes that are announced."""

from datetime import datetime, timedelta

import pytest

from app.kernel import clock
from tests.miniprogram.stand import Phone
from tests.prices.scene import bounded_lot, published
from tests.world import OwnLot, bound, hourly, open_lot, reference

HOUR = timedelta(hours=1)


@pytest.fixture
def own(evening: datetime) -> OwnLot:
    """A lot at 3 yuan an hour, bounded at 6 yuan."""
    lot = bounded_lot(600)
    published(lot, 300)
    return lot


def span(begins_at: datetime, hours: float) -> str:
    begin, end = begins_at.isoformat(), (begins_at + hours * HOUR).isoformat()
    return f"begins_at={begin}&ends_at={end}".replace("+", "%2B")


def test_a_preview_tells_each_line_and_the_comparison(evening: datetime, own: OwnLot, motorist: Phone) -> None:
    later = evening + HOUR
    fee = motorist.get(f"/lots/{own.key}/fee?{span(later, 2)}")
    assert (fee["own_fen"], fee["cap_fen"], fee["fee_fen"], fee["cap_rule"]) == (600, 1200, 600, "lowest")
    assert sum(line["amount_fen"] for line in fee["lines"]) == 600
    assert [(each["fee_fen"], each["is_decisive"]) for each in fee["compared"]] == [(1200, True)]
    listed = motorist.get(f"/lots/{own.key}?{span(later, 2)}")
    assert (listed["fee_fen"], listed["fee_before_cap_fen"]) == (fee["fee_fen"], fee["own_fen"])


def test_a_preview_is_capped_by_the_reference_that_it_names(own: OwnLot, motorist: Phone) -> None:
    bound(own.lot, reference(hourly(200), name="示例低价泊位"), reference(hourly(700)))
    fee = motorist.get(f"/lots/{own.key}/fee?{span(clock.now() + HOUR, 1)}")
    assert (fee["own_fen"], fee["cap_fen"], fee["fee_fen"]) == (300, 200, 200)
    assert [each["name"] for each in fee["compared"] if each["is_decisive"]] == ["示例低价泊位"]


def test_a_preview_needs_a_tariff_a_span_and_a_known_lot(evening: datetime, motorist: Phone) -> None:
    lot = bounded_lot()
    path = f"/lots/{lot.key}/fee"
    assert motorist.get(f"{path}?{span(evening, 1)}", expect=409)["code"] == "tariff_missing"
    assert motorist.get(f"{path}?{span(evening, -1)}", expect=422)["code"]
    unknown = "/lots/0197b5c8-0000-7000-8000-000000000000"
    assert motorist.get(f"{unknown}/prices", expect=404)["code"] == "lot_not_found"
    assert motorist.get(f"{unknown}/fee?{span(evening, 1)}", expect=404)["code"] == "lot_not_found"


def test_the_price_table_is_in_words_and_names_the_references(own: OwnLot, motorist: Phone) -> None:
    prices = motorist.get(f"/lots/{own.key}/prices")
    table = prices["now"]["table"]
    assert [(each["name"], each["bands"]) for each in table["classes"]] == [
        ("小型车", [{"days": "每日", "time": "全天", "price": "3元/小时"}])
    ]
    assert (table["cap"], prices["coming"], prices["cap_rule_text"]) == ("不封顶", [], "取参照中的最低价")
    assert [each["approval"] for each in prices["references"]] == ["示例批复〔2026〕1号"]


def test_a_change_is_shown_before_it_holds_and_not_after(evening: datetime, own: OwnLot, motorist: Phone) -> None:
    made = published(own, 400)
    assert made.effective_from is not None
    coming = motorist.get(f"/lots/{own.key}/prices")["coming"]
    assert [(each["notice"], each["table"]["classes"][0]["bands"][0]["price"]) for each in coming] == [
        (made.notice, "4元/小时")
    ]
    changes = motorist.get("/price-changes")
    assert [(each["lot"]["key"], each["notice"]) for each in changes["items"]] == [(str(own.key), made.notice)]
    notices = motorist.get(f"/lots/{own.key}?{span(evening + HOUR, 1)}")["announcements"]
    assert [(each["kind"], each["text"]) for each in notices] == [("price", made.notice)]


def test_a_lot_whose_price_was_believed_long_ago_is_shown_all_the_same(evening: datetime, motorist: Phone) -> None:
    lot = open_lot()
    assert motorist.get(f"/lots/{lot.key}/prices")["now"]["notice"] == "示例公告"
