"""Each refusal of a tariff's form to the letter: where, and the words that tell people what to write instead."""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.domain.pricing.rules import InvalidTariff, NoPrice, Tariff, quote
from app.domain.pricing.rules.form import FIRST_YEAR, LAST_YEAR, InvalidTime, instant
from app.domain.pricing.rules.layers import Occupancy
from app.domain.pricing.rules.methods import Run
from app.domain.pricing.rules.parts import BandCap, FreeTime
from tests.pricing.small_tariffs import all_day, parameters, per_visit, stepped
from tests.pricing.test_properties import MONDAY

Spoil = Callable[[dict[str, Any]], object]
BAND = "parameters.bands[0]"


def condition(told: dict[str, Any]) -> Spoil:
    return lambda p: p.update(day_class_rule={"x": told})


def override(begin: str, end: str) -> Spoil:
    moments = {"from": f"{begin}T00:00:00+08:00", "to": f"{end}T00:00:00+08:00"}
    return lambda p: p.update(overrides=[{"kind": "free", **moments}])


def table(*rows: int) -> Spoil:
    told = [{"up_to_min": row, "fen": 100} for row in rows]
    return lambda p: p.update(bands=[all_day({"method": "table_of_totals", "table": told})])


REFUSALS: list[tuple[str, str, str, Spoil]] = [
    ("parameters.day_class_rule.x", "invalid_tariff", "须至少写明一个条件", condition({})),
    ("parameters.day_class_rule.x", "invalid_tariff", "须为非空文本", lambda p: p.update(day_class_rule={"x": ""})),
    ("parameters.day_class_rule.x.otherwise", "invalid_tariff", "须为true", condition({"otherwise": False})),
    ("parameters.day_class_rule.x.dates", "senseless_tariff", "起始日期不得晚于截止日期",
     condition({"dates": [{"from": "2026-01-02", "to": "2026-01-01"}]})),
    ("parameters.day_class_rule.x.dates[0].to", "invalid_tariff", "须为2026-06-01或06-01形式的日期",
     condition({"dates": [{"from": "2026-01-02", "to": "2026-1-3"}]})),
    ("parameters.day_class_rule.x.dates[0].to", "invalid_tariff", "须为非空文本",
     condition({"dates": [{"from": "2026-01-02", "to": 3}]})),
    ("parameters.day_class_rule.x.season[0].from", "senseless_tariff", "没有这样的日期",
     condition({"season": [{"from": "02-30", "to": "03-01"}]})),
    ("parameters.day_class_rule.x.season[0].from", "invalid_tariff", "须为非空文本",
     condition({"season": [{"from": 2, "to": "03-01"}]})),
    ("parameters.overrides[0]", "senseless_tariff", "截止时间须晚于起始时间", override("2026-01-02", "2026-01-02")),
    ("parameters.partial", "invalid_tariff", "须为true或false", lambda p: p.update(partial="yes")),
    ("parameters.period.cap_fen", "negative_rate", "不得为负",
     lambda p: p.update(period={"kind": "none", "cap_fen": -1})),
    (f"{BAND}.band_cap", "invalid_tariff", "须写明units或fen", lambda p: p["bands"][0].update(band_cap={})),
    (f"{BAND}.band_cap.fen", "cap_below_first_unit", "低于首个计费单位的价格400分",
     lambda p: p["bands"][0].update(band_cap={"fen": 399})),
    (f"{BAND}.table", "senseless_tariff", "各行的up_to_min须逐行增大", table(60, 60)),
    (f"{BAND}.table[0].up_to_min", "invalid_tariff", "须为1至1000000000之间的整数", table(0)),
    ("parameters.waivers.visit.minutes", "invalid_tariff", "全程免费的凭证没有时长",
     lambda p: p.update(waivers={"visit": {"effect": "free", "minutes": 5}})),
    ("parameters.occupancy.grace_min", "invalid_tariff", "须为0至1000000000之间的整数",
     lambda p: p.update(occupancy={"grace_min": -1, "unit_min": 1, "fen": 1, "rounding": "up"})),
    ("parameters.usable_window", "senseless_tariff", "from与to不得相同；全天为00:00至24:00",
     lambda p: p.update(usable_window={"from": "08:00", "to": "08:00"})),
    ("parameters.usable_window.to", "invalid_tariff", "缺少此项", lambda p: p.update(usable_window={"from": "08:00"})),
    ("parameters.entry_window.from", "invalid_tariff", "须为00:00至24:00之间的时刻",
     lambda p: p.update(entry_window={"from": "8", "to": "9"})),
]  # fmt: skip


@pytest.mark.parametrize(("where", "code", "reason", "spoil"), REFUSALS)
def test_a_refusal_says_where_and_what_to_write_instead(where: str, code: str, reason: str, spoil: Spoil) -> None:
    told = copy.deepcopy(parameters(all_day(stepped(400))))
    spoil(told)
    with pytest.raises(InvalidTariff) as refused:
        Tariff.load(told)
    assert (refused.value.details, refused.value.code) == ({"where": where, "reason": reason}, code)


FORM = "须为2026-06-01T09:00:00+08:00形式的时间"


@pytest.mark.parametrize(
    ("told", "code", "reason"),
    [
        (None, "invalid_time", FORM),
        (20260601, "invalid_time", FORM),
        ("2026-06-01", "invalid_time", FORM),
        ("2026-06-01T09:00:00", "naive_time", "须注明时区偏移，如+08:00"),
        ("2026-06-31T09:00:00Z", "invalid_time", "没有这样的日期或时刻"),
        (f"{FIRST_YEAR - 1}-06-01T09:00Z", "invalid_time", f"年份须在{FIRST_YEAR}至{LAST_YEAR}之间"),
        (f"{LAST_YEAR + 1}-06-01T09:00Z", "invalid_time", f"年份须在{FIRST_YEAR}至{LAST_YEAR}之间"),
    ],
)
def test_a_moment_that_is_none_is_refused_with_an_example(told: object, code: str, reason: str) -> None:
    with pytest.raises(InvalidTime) as refused:
        instant(told, "entry")
    assert (refused.value.details, refused.value.code) == ({"where": "entry", "reason": reason}, code)


@pytest.mark.parametrize("year", [FIRST_YEAR, LAST_YEAR])
def test_the_first_and_the_last_year_are_known(year: int) -> None:
    assert instant(f"{year}-06-01t09:00z", "entry").year == year


def test_what_is_left_out_of_free_time_is_what_most_tariffs_say() -> None:
    read = FreeTime.read({"minutes": 0, "mode": "deduct", "by_class": {"large": 0}}, "free")
    assert read == FreeTime(0, True, False, "per_entry", False, {"large": 0})


def test_a_charger_may_be_held_without_grace() -> None:
    assert Occupancy.read({"grace_min": 0, "unit_min": 1, "fen": 1, "rounding": "up"}, "occupancy").grace_s == 0


def test_a_cap_of_units_takes_the_first_ones_and_all_that_is_paid_once() -> None:
    runs = [Run(2, 300, 3600), Run(1, 50), Run(4, 100, 1800)]
    assert [BandCap(units, None).of(runs) for units in (1, 2, 3, 9)] == [350, 650, 750, 1050]
    assert BandCap(3, 700).of(runs) == 700


def test_a_stay_beyond_the_table_is_refused_with_what_the_tariff_says_of_it() -> None:
    rows = [{"up_to_min": 60, "fen": 100}]
    told = parameters(all_day({"method": "table_of_totals", "table": rows, "beyond": "按协议"}))
    with pytest.raises(NoPrice) as refused:
        quote(Tariff.load(told), MONDAY, MONDAY + timedelta(hours=2))
    assert refused.value.details == {"reason": "停车时长超出价目表", "beyond": "按协议"}


def test_a_tariff_of_nothing_may_have_a_cap_of_nothing() -> None:
    Tariff.load(parameters(all_day(per_visit(0)), period={"kind": "calendar_day", "cap_fen": 0}))
