"""Tariffs in a few words, for tests of proofs."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from app.domain.calendars.rules import Day, DayKind
from app.domain.pricing.rules import Tariff
from app.domain.pricing.rules.proofs import Readings

Parameters = dict[str, Any]


def stepped(fen: int, unit_min: int = 60, **more: Any) -> Parameters:
    return {
        "method": "stepped",
        "steps": [{"minutes": None, "unit_min": unit_min, "fen": fen}],
        "rounding": "up",
        **more,
    }


def per_visit(fen: int) -> Parameters:
    return {"method": "per_visit", "fen": fen}


def band(name: str, begin: str, end: str, price: Parameters, days: str | list[str] = "all") -> Parameters:
    return {"name": name, "from": begin, "to": end, "days": days, **price}


def parameters(*bands: Parameters, **more: Any) -> Parameters:
    return {
        "free": None,
        "bands": list(bands),
        "boundary_policy": "single_band" if len(bands) == 1 else "round_each_segment",
        "period": {"kind": "none", "cap_fen": None},
        "vehicle_classes": {"small": {}},
        "default_class": "small",
        **more,
    }


def tariff(*bands: Parameters, **more: Any) -> Tariff:
    return Tariff.load(parameters(*bands, **more))


def all_day(price: Parameters, days: str | list[str] = "all", name: str = "all_day") -> Parameters:
    return band(name, "00:00", "24:00", price, days)


def hourly(fen: int, unit_min: int = 60, **more: Any) -> Tariff:
    return tariff(all_day(stepped(fen, unit_min)), **more)


def free_time(minutes: int, mode: str = "waive_if_within", **more: Any) -> Parameters:
    return {
        "minutes": minutes,
        "mode": mode,
        "measured_on": "whole_stay",
        "scope": "per_entry",
        "again_each_period": False,
        **more,
    }


def plain_week(first: date, days: int, off: Iterable[date] = ()) -> Readings:
    """Dates as the week has them, and more days off."""
    return {day.date: (day,) for day in _days(first, days, set(off))}


def _days(first: date, days: int, off: set[date]) -> Iterator[Day]:
    for place in range(days):
        of = first + timedelta(days=place)
        is_off = of.weekday() >= 5 or of in off
        yield Day(of, DayKind.DAYOFF if is_off else DayKind.WORKDAY)


JUNE = plain_week(date(2026, 6, 1), 28)
"""Four plain weeks; the first day is a Monday."""
