"""What the second program says beside the fee by time: who holds a charger, and what a rule calls a day."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendars.rules import Day, DayKind
from app.domain.pricing.rules import Tariff, quote_occupancy
from app.domain.pricing.rules.day_classes import calendar_by, read_rule
from tests.pricing import oracle
from tests.pricing.effort import trying
from tests.pricing.small_tariffs import all_day, parameters, stepped
from tests.pricing.tariffs_at_random import fens, roundings, unit_lengths
from tests.pricing.test_properties import MONDAY

HOLIDAYS = ["国庆节", "春节", "端午节"]
month_days = st.sampled_from(["01-01", "02-28", "02-29", "03-01", "06-15", "09-30", "10-01", "12-31"])
some_dates = st.dates(date(2025, 12, 25), date(2028, 3, 5))


@st.composite
def occupancies(draw: st.DrawFn) -> dict[str, Any]:
    cap = draw(st.none() | st.integers(0, 5000))
    unit = {**draw(unit_lengths()), "fen": draw(fens), **draw(roundings())}
    return {"grace_min": draw(st.integers(0, 60)), **unit, **({} if cap is None else {"cap_fen": cap})}


@trying()
@given(occupancies(), st.integers(0, 30_000) | st.integers(0, 60).map(lambda minutes: minutes * 60))
def test_a_held_charger_costs_what_the_second_program_says(told: dict[str, Any], held: int) -> None:
    tariff = Tariff.load(parameters(all_day(stepped(400)), occupancy=told))
    fee = quote_occupancy(tariff, MONDAY, MONDAY + timedelta(seconds=held))
    assert fee.total_fen == oracle.occupancy(told, held) == sum(line.amount_fen for line in fee.lines)


def ranges(of: st.SearchStrategy[str], *, ordered: bool) -> st.SearchStrategy[list[dict[str, str]]]:
    ends = st.tuples(of, of).map(lambda pair: tuple(sorted(pair)) if ordered else pair)
    return st.lists(ends.map(lambda pair: {"from": pair[0], "to": pair[1]}), min_size=1, max_size=2)


def conditions(inner: st.SearchStrategy[dict[str, Any]] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    keys: dict[str, st.SearchStrategy[Any]] = {
        "kind": st.sampled_from(["workday", "off"]),
        "holiday": st.booleans() | st.lists(st.sampled_from(HOLIDAYS), min_size=1, max_size=2),
        "weekdays": st.lists(st.integers(1, 7), min_size=1, max_size=4),
        "season": ranges(month_days, ordered=False),
        "dates": ranges(some_dates.map(str), ordered=True),
    }
    if inner is not None:
        keys["any"] = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries({}, optional=keys).filter(bool)


rules = st.dictionaries(st.sampled_from("abcd"), conditions(conditions()) | st.just({"otherwise": True}), min_size=1)


@trying(400)
@given(rules, some_dates, st.booleans(), st.none() | st.sampled_from(HOLIDAYS))
def test_a_rule_names_a_day_as_the_second_program_does(
    told: dict[str, Any], of: date, worked: bool, holiday: str | None
) -> None:
    day = Day(of, DayKind.WORKDAY if worked else DayKind.DAYOFF, holiday)
    name = oracle.day_name(told, {"date": str(of), "weekday": of.isoweekday(), "worked": worked, "holiday": holiday})
    assert list(calendar_by(read_rule(told, "rule"), lambda _: day)(of)) == ([] if name is None else [name])
