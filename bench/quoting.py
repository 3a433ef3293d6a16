"""How many stays are priced in a second of one core: the rules alone, in this process, beside an empty function.

Each stay begins and ends at another second, so that none is looked up; the lines' words are made only when somebody
looks. A published tariff of the city's roads is the usual one, and the slowest of all published ones stands beside it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

from app.domain.calendars.rules import Day, provisional_day
from app.domain.pricing.rules import NoPrice, Tariff, quote
from bench.results import tell
from bench.turns import Rates, in_turns, ratio

COLLECTION: Final = Path(__file__).resolve().parent.parent / "tests" / "pricing" / "tariffs.json"
USUAL: Final = "HZ-ROAD-1"
EVENING: Final = datetime.fromisoformat("2026-06-01T18:00:00+08:00")
OVERNIGHT, MONTH = timedelta(hours=15), timedelta(days=30)
ROUNDS: Final = 5
SECONDS: Final = 0.3

Price = Callable[[int], object]


def measure() -> None:
    """The line of a night, and that of thirty days."""
    told = json.loads(COLLECTION.read_text(encoding="utf-8"))["tariffs"]
    tariffs = {each["id"]: Tariff.load(each["parameters"]) for each in told}
    sides = {"bare": _nothing, "night": _stays(tariffs[USUAL], OVERNIGHT), "month": _stays(tariffs[USUAL], MONTH)}
    rates = in_turns({name: partial(_per_second, side) for name, side in sides.items()}, ROUNDS)
    _tell(
        "quote_overnight", rates, "night", _slowest(tariffs, OVERNIGHT), {"ratio": ratio(rates["night"], rates["bare"])}
    )
    _tell("quote_30_days", rates, "month", _slowest(tariffs, MONTH), {})


def _tell(bench: str, rates: Rates, side: str, slowest: tuple[float, str], figures: Mapping[str, float]) -> None:
    per_s, name = slowest
    tell(
        bench, {"per_s": median(rates[side]), **figures},
        "quotes in a second of one core; the ratio is to calls of an empty Python function",
        tariff=USUAL, bare_per_s=median(rates["bare"]), slowest=name, slowest_per_s=per_s,
    )  # fmt: skip


def _nothing(_: int) -> None:
    return None


def _stays(tariff: Tariff, length: timedelta) -> Price:
    days: dict[date, Day] = {}

    def day_of(of: date) -> Day:
        if of not in days:
            days[of] = provisional_day(of)
        return days[of]

    calendar = tariff.calendar(day_of)

    def price(number: int) -> object:
        entry = EVENING + timedelta(seconds=number % 3600)
        return quote(tariff, entry, entry + length + timedelta(seconds=number % 1009), None, (), calendar)

    return price


def _per_second(price: Price, seconds: float = SECONDS) -> float:
    began, at_once, done = process_time(), 100, 0
    numbers: Iterator[int] = count()
    while (taken := process_time() - began) < seconds:
        for _ in range(at_once):
            price(next(numbers))
        done += at_once
    return done / taken


def _slowest(tariffs: Mapping[str, Tariff], length: timedelta) -> tuple[float, str]:
    """Of the tariffs that have a price for such a stay."""
    return min(
        (_per_second(price, SECONDS / 10), name)
        for name, tariff in tariffs.items()
        for price in [_stays(tariff, length)]
        if _has_price(price)
    )


def _has_price(price: Price) -> bool:
    try:
        price(0)
    except NoPrice:
        return False
    return True
