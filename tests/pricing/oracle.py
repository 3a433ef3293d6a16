"""A second, plain program for the same conventions: it walks a stay minute by minute over the raw parameters.

Slow and simple on purpose; it shares nothing with the engine. Times are minutes since a Monday's midnight.
"""

import math
from collections.abc import Callable
from itertools import groupby
from typing import Any

Parameters = dict[str, Any]
DayClass = Callable[[int], str]
DAY = 1440


def price(
    tariff: Parameters, entry: int, exit_: int, vehicle: str, day_class: DayClass, first_today: bool = True
) -> int:
    """The fee in fen of a stay on whole minutes."""
    rule = tariff["vehicle_classes"][vehicle]
    bands = rule.get("own_bands", tariff["bands"])
    stay = _Stay(tariff, bands, rule, vehicle, day_class)
    free = tariff["free"]
    if free and free["scope"] == "first_in_rolling_24h" and not first_today:
        free = None
    return stay.total(entry, exit_, free)


class _Stay:
    def __init__(
        self, tariff: Parameters, bands: list[Parameters], rule: Parameters, vehicle: str, day_class: DayClass
    ) -> None:
        self.tariff, self.bands, self.rule, self.vehicle, self.day_class = tariff, bands, rule, vehicle, day_class

    def total(self, entry: int, exit_: int, free: Parameters | None) -> int:
        again = bool(free and free["again_each_period"])
        begin = self.charged_from(entry, exit_, free) if not again else entry
        numbers = {minute: self.period_number(entry, minute) for minute in range(entry, exit_)}
        total = 0
        for number, group in groupby(range(entry, exit_), key=numbers.__getitem__):
            minutes = list(group)
            first, last = minutes[0], minutes[-1] + 1
            start = self.charged_from(first, last, free) if again else begin
            charged = [minute for minute in minutes if minute >= start and not self.is_overridden(minute)]
            fee = sum(self.priced(charged, first))
            cap = self.cap(number)
            total += fee if cap is None else min(fee, cap)
        return total

    def charged_from(self, begin: int, end: int, free: Parameters | None) -> int:
        if free is None:
            return begin
        allowed = free.get("by_class", {}).get(self.vehicle, free["minutes"])
        if free["mode"] == "deduct":
            return begin + int(allowed)
        if free["measured_on"] == "whole_stay":
            used = end - begin
        else:
            used = sum(1 for t in range(begin, end) if not self.is_overridden(t) and self.band(t)["method"] != "free")
        return end if used <= allowed else begin

    def period_number(self, entry: int, minute: int) -> int:
        period = self.tariff["period"]
        if period["kind"] == "rolling":
            return int((minute - entry) // period["minutes"])
        return minute // DAY - entry // DAY if period["kind"] == "calendar_day" else 0

    def cap(self, number: int) -> int | None:
        cap = self.tariff["period"]["cap_fen"]
        caps: list[int | None] = cap if isinstance(cap, list) else [cap]
        return caps[min(number, len(caps) - 1)]

    def is_overridden(self, minute: int) -> bool:
        return any(begin <= minute < end for begin, end in self.tariff.get("free_minutes", []))

    def band(self, minute: int) -> Parameters:
        clock = minute % DAY
        (found,) = [
            band
            for band in self.bands
            if (band["days"] == "all" or self.day_class(minute // DAY) in band["days"]) and _inside(band, clock)
        ]
        return found

    def priced(self, charged: list[int], period_start: int) -> list[int]:
        policy = self.tariff["boundary_policy"]
        chunks = [[t for _, t in run] for _, run in groupby(enumerate(charged), key=lambda pair: pair[1] - pair[0])]
        if policy == "by_entry":
            return [self.piece(self.band(period_start), [chunk], period_start) for chunk in chunks]
        if policy == "carry_part_unit":
            return [fee for chunk in chunks for fee in self.carried(chunk, period_start)]
        pieces = [
            (name, list(run))
            for chunk in chunks
            for name, run in groupby(chunk, key=lambda minute: str(self.band(minute)["name"]))
        ]
        if policy != "sum_per_band":
            return [self.piece(self.named(name), [run], period_start) for name, run in pieces]
        fees = []
        for name in dict.fromkeys(name for name, _ in pieces):
            runs = [run for each, run in pieces if each == name]
            together = [[run] for run in runs] if self.named(name)["method"] == "per_visit" else [runs]
            fees += [self.piece(self.named(name), group, period_start) for group in together]
        return fees

    def named(self, name: str) -> Parameters:
        return next(band for band in self.bands if band["name"] == name)

    def piece(self, band: Parameters, runs: list[list[int]], period_start: int) -> int:
        once, units = _method(band, runs, period_start)
        return self.factored(band, once, units)

    def factored(self, band: Parameters, once: int, units: list[int]) -> int:
        cap = band.get("band_cap") or {}
        fee: int = once + sum(units[: cap.get("units", len(units))])
        fee = min(fee, cap.get("fen", fee))
        applies = band["name"] in self.rule.get("multiplier_bands", [band["name"]])
        permille = self.rule.get("multiplier_permille", 1000) if applies else 1000
        return math.floor(fee * permille / 1000 + 0.5)

    def carried(self, chunk: list[int], period_start: int) -> list[int]:
        fees: list[int] = []
        at, end = chunk[0], chunk[-1] + 1
        while at < end:
            band = self.band(at)
            if band["method"] != "stepped":
                run = [at]
                while run[-1] + 1 < end and self.band(run[-1] + 1) is band:
                    run.append(run[-1] + 1)
                fees.append(self.piece(band, [run], period_start))
                at = run[-1] + 1
                continue
            start, units = at, []
            while at < end and self.band(at) is band:
                step = _step(band, at - start)
                used = min(step["unit_min"], end - at)
                if used == step["unit_min"] or _counts(band, step, used):
                    units.append(step["fen"])
                at += used
            fees.append(self.factored(band, 0, units))
        return fees


def _clock(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _inside(window: Parameters, clock: int) -> bool:
    begin, end = _clock(window["from"]), _clock(window["to"])
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def _step(band: Parameters, used: int) -> Parameters:
    for step in band["steps"]:
        if step["minutes"] is None or used < step["minutes"]:
            return dict(step)
        used -= step["minutes"]
    raise AssertionError("beyond the last step")


def _counts(band: Parameters, step: Parameters, used: int) -> bool:
    rounding = str(step.get("rounding", band["rounding"]))
    tail = int(step.get("tail_min", band.get("tail_min", 0)) or 0)
    return {"up": used > 0, "down": False, "ignore_tail": used > tail}[rounding]


def _method(band: Parameters, runs: list[list[int]], period_start: int) -> tuple[int, list[int]]:
    """What is paid once, and the units."""
    length = sum(map(len, runs))
    match band["method"]:
        case "per_visit":
            return band["fen"], []
        case "table_of_totals":
            return next(row["fen"] for row in band["table"] if length <= row["up_to_min"]), []
        case "stepped":
            return 0, _stepped(band, length)
        case "flat_then_units":
            window = band.get("after_window")
            later = [t for run in runs for t in run if t >= period_start + band["flat_until_min"]]
            counted = sum(1 for t in later if window is None or _inside(window, t % DAY))
            full, used = divmod(counted, band["unit_min"])
            return band["flat_fen"], [band["fen"]] * (full + _counts(band, {}, used))
        case _:
            return 0, []


def _stepped(band: Parameters, length: int) -> list[int]:
    units, at = [], 0
    while at < length:
        step = _step(band, at)
        used = min(step["unit_min"], length - at)
        if used == step["unit_min"] or _counts(band, step, used):
            units.append(step["fen"])
        at += used
    return units
