"""A second, plain program for the same conventions: it walks a stay tick by tick over the raw parameters.

Slow and simple on purpose; it shares nothing with the engine. Times are seconds since a Monday's midnight, a tick is
`grain` of them: a minute, or less where the stay does not begin and end on whole minutes.
"""

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

Parameters = dict[str, Any]
DayClass = Callable[[int], str]
DAY = 86_400
Stay = tuple[int, int]


def price(
    tariff: Parameters, entry: int, exit_: int, vehicle: str, day_class: DayClass, *,
    earlier: Sequence[Stay] = (), booked_end: int | None = None, proved_minutes: int | None = None, grain: int = 60,
) -> int:  # fmt: skip
    """The fee in fen of a stay whose ends, like all times of the tariff, lie on whole ticks."""
    walk = _Walk(tariff, vehicle, day_class, grain)
    fee = walk.one_stay(entry, exit_, earlier, booked_end, proved_minutes)
    cap = tariff.get("plate_cap")
    if cap is None:
        return fee
    paid: list[tuple[int, int]] = []
    for place, (begin, end) in enumerate(earlier):
        alone = walk.one_stay(begin, end, earlier[:place], None, None)
        paid.append((begin, min(alone, _left(cap, paid, begin))))
    return min(fee, _left(cap, paid, entry))


def _left(cap: Parameters, paid: list[tuple[int, int]], entry: int) -> int:
    spent = 0
    for begin, fen in paid:
        if cap["kind"] == "calendar_day":
            spent += fen if begin // DAY == entry // DAY else 0
        else:
            spent += fen if begin >= entry - cap["minutes"] * 60 else 0
    return max(0, int(cap["fen"]) - spent)


class _Walk:
    def __init__(self, tariff: Parameters, vehicle: str, day_class: DayClass, grain: int) -> None:
        self.tariff, self.vehicle, self.day_class, self.grain = tariff, vehicle, day_class, grain
        self.rule = tariff["vehicle_classes"][vehicle]
        self.bands = [
            {**band, "begin": _clock(band["from"]), "end": _clock(band["to"])}
            for band in self.rule.get("own_bands", tariff["bands"])
        ]

    def ticks(self, begin: int, end: int) -> range:
        return range(begin, end, self.grain)

    def one_stay(
        self, entry: int, exit_: int, earlier: Sequence[Stay], booked_end: int | None, proved_minutes: int | None
    ) -> int:
        free, late = self.tariff["free"], self.tariff.get("overstay")
        if free and not _has_free_time(free["scope"], entry, earlier):
            free = None
        if late is None or booked_end is None or exit_ <= booked_end + late.get("grace_min", 0) * 60:
            return self.total(entry, exit_, free, proved_minutes)
        late_from = max(entry, booked_end)
        fee = self.late(late, late_from, exit_)
        if late.get("cap_fen") is not None:
            fee = min(fee, late["cap_fen"])
        return fee + self.total(entry, late_from, free, proved_minutes)

    def late(self, late: Parameters, begin: int, end: int) -> int:
        if "multiplier_permille" in late:
            return _times(self.total(begin, end, None, None), late["multiplier_permille"])
        seconds = self.grain * sum(1 for t in self.ticks(begin, end) if not self.is_overridden(t))
        if "filed" in late:
            filed = {**late["filed"], "method": "stepped", "steps": [{"minutes": None, **late["filed"]}]}
            return sum(_stepped(filed, seconds))
        return int(late["fixed_fen"]) if seconds else 0

    def total(self, entry: int, exit_: int, free: Parameters | None, proved_minutes: int | None) -> int:
        again = bool(free and free["again_each_period"])
        begin = self.charged_from(entry, exit_, free, proved_minutes) if not again else entry
        numbers = {tick: self.period_number(entry, tick) for tick in self.ticks(entry, exit_)}
        total = 0
        for number, group in groupby(self.ticks(entry, exit_), key=numbers.__getitem__):
            ticks = list(group)
            first, last = ticks[0], ticks[-1] + self.grain
            start = self.charged_from(first, last, free, proved_minutes) if again else begin
            charged = [tick for tick in ticks if tick >= start and not self.is_overridden(tick)]
            fee = sum(self.priced(charged, first))
            cap = self.cap(number)
            total += fee if cap is None else min(fee, cap)
        return total

    def charged_from(self, begin: int, end: int, free: Parameters | None, proved_minutes: int | None) -> int:
        if free is None:
            return begin
        minutes = free.get("by_class", {}).get(self.vehicle, free["minutes"])
        allowed = int(minutes if proved_minutes is None else proved_minutes) * 60
        if free["mode"] == "deduct":
            return begin + allowed
        if free["measured_on"] == "whole_stay":
            used = end - begin
        else:
            used = self.grain * sum(
                1 for t in self.ticks(begin, end) if not self.is_overridden(t) and self.band(t)["method"] != "free"
            )
        return end if used <= allowed else begin

    def period_number(self, entry: int, tick: int) -> int:
        period = self.tariff["period"]
        if period["kind"] == "rolling":
            return int((tick - entry) // (period["minutes"] * 60))
        return tick // DAY - entry // DAY if period["kind"] == "calendar_day" else 0

    def cap(self, number: int) -> int | None:
        cap = self.tariff["period"]["cap_fen"]
        caps: list[int | None] = cap if isinstance(cap, list) else [cap]
        return caps[min(number, len(caps) - 1)]

    def is_overridden(self, tick: int) -> bool:
        return any(begin <= tick < end for begin, end in self.tariff.get("free_seconds", []))

    def band(self, tick: int) -> Parameters:
        clock = tick % DAY
        (found,) = [
            band
            for band in self.bands
            if (band["days"] == "all" or self.day_class(tick // DAY) in band["days"])
            and _inside(band["begin"], band["end"], clock)
        ]
        return found

    def priced(self, charged: list[int], period_start: int) -> list[int]:
        policy = self.tariff["boundary_policy"]
        chunks = self.chunks(charged)
        if policy == "by_entry":
            return [self.piece(self.band(period_start), [chunk], period_start) for chunk in chunks]
        if policy == "carry_part_unit":
            return [fee for chunk in chunks for fee in self.carried(chunk, period_start)]
        pieces = [
            (name, list(run))
            for chunk in chunks
            for name, run in groupby(chunk, key=lambda tick: str(self.band(tick)["name"]))
        ]
        if policy != "sum_per_band":
            return [self.piece(self.named(name), [run], period_start) for name, run in pieces]
        fees = []
        for name in dict.fromkeys(name for name, _ in pieces):
            runs = [run for each, run in pieces if each == name]
            together = [[run] for run in runs] if self.named(name)["method"] == "per_visit" else [runs]
            fees += [self.piece(self.named(name), group, period_start) for group in together]
        return fees

    def chunks(self, charged: list[int]) -> list[list[int]]:
        """Ticks that follow each other without a hole."""
        found: list[list[int]] = []
        for tick in charged:
            if found and found[-1][-1] + self.grain == tick:
                found[-1].append(tick)
            else:
                found.append([tick])
        return found

    def named(self, name: str) -> Parameters:
        return next(band for band in self.bands if band["name"] == name)

    def piece(self, band: Parameters, runs: list[list[int]], period_start: int) -> int:
        once, units = self.method(band, runs, period_start)
        return self.factored(band, once, units)

    def factored(self, band: Parameters, once: int, units: list[int]) -> int:
        cap = band.get("band_cap") or {}
        fee: int = once + sum(units[: cap.get("units", len(units))])
        fee = min(fee, cap.get("fen", fee))
        applies = band["name"] in self.rule.get("multiplier_bands", [band["name"]])
        return _times(fee, self.rule.get("multiplier_permille", 1000) if applies else 1000)

    def carried(self, chunk: list[int], period_start: int) -> list[int]:
        fees: list[int] = []
        at, end = chunk[0], chunk[-1] + self.grain
        while at < end:
            band = self.band(at)
            if band["method"] != "stepped":
                until = self.next_tick(at, chunk[0])
                while until < end and self.band(until) is band:
                    until += self.grain
                once, units = self.method(band, [list(range(at, until))], period_start, each=1)
                fees.append(self.factored(band, once, units))
                at = until
                continue
            start, counted = at, []
            while at < end and self.band(at) is band:
                step = _step(band, at - start)
                used = min(_unit(step), end - at)
                if used == _unit(step) or _counts(band, step, used):
                    counted.append(step["fen"])
                at += used
            fees.append(self.factored(band, 0, counted))
        return fees

    def next_tick(self, at: int, first: int) -> int:
        return at + self.grain - (at - first) % self.grain

    def method(
        self, band: Parameters, runs: list[list[int]], period_start: int, each: int | None = None
    ) -> tuple[int, list[int]]:
        """What is paid once, and the units."""
        each = each or self.grain
        length = each * sum(map(len, runs))
        match band["method"]:
            case "per_visit":
                return band["fen"], []
            case "table_of_totals":
                return next(row["fen"] for row in band["table"] if length <= row["up_to_min"] * 60), []
            case "stepped":
                return 0, _stepped(band, length)
            case "flat_then_units":
                window = band.get("after_window")
                later = [t for run in runs for t in run if t >= period_start + band["flat_until_min"] * 60]
                counted = sum(1 for t in later if window is None or _within(window, t % DAY))
                full, used = divmod(counted * each, _unit(band))
                return band["flat_fen"], [band["fen"]] * (full + _counts(band, {}, used))
            case _:
                return 0, []


def _has_free_time(scope: str, entry: int, earlier: Sequence[Stay]) -> bool:
    begins = [begin for begin, _ in earlier]
    match scope:
        case "once":
            return not begins
        case "first_of_day":
            return all(begin // DAY != entry // DAY for begin in begins)
        case "first_in_rolling_24h":
            return all(begin <= entry - DAY for begin in begins)
        case _:
            return True


def _times(fen: int, permille: int) -> int:
    return math.floor(fen * permille / 1000 + 0.5)


def _clock(text: str) -> int:
    return int(text[:2]) * 3600 + int(text[3:]) * 60


def _within(window: Parameters, clock: int) -> bool:
    return _inside(_clock(window["from"]), _clock(window["to"]), clock)


def _inside(begin: int, end: int, clock: int) -> bool:
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def _unit(told: Parameters) -> int:
    return int(told["unit_s"]) if "unit_s" in told else int(told["unit_min"]) * 60


def _step(band: Parameters, used: int) -> Parameters:
    for step in band["steps"]:
        if step["minutes"] is None or used < step["minutes"] * 60:
            return dict(step)
        used -= step["minutes"] * 60
    raise AssertionError("beyond the last step")


def _counts(band: Parameters, step: Parameters, used: int) -> bool:
    rounding = str(step.get("rounding", band.get("rounding")))
    tail = int(step.get("tail_min", band.get("tail_min", 0)) or 0) * 60
    return {"up": used > 0, "down": False, "ignore_tail": used > tail}[rounding]


def _stepped(band: Parameters, length: int) -> list[int]:
    units, at = [], 0
    while at < length:
        step = _step(band, at)
        used = min(_unit(step), length - at)
        if used == _unit(step) or _counts(band, step, used):
            units.append(step["fen"])
        at += used
    return units


def occupancy(told: Parameters, held: int) -> int:
    """The fee in fen for holding a charger so many seconds after charging ended."""
    if held <= told["grace_min"] * 60:
        return 0
    late = {**told, "method": "stepped", "steps": [{**told, "minutes": None}]}
    fee = sum(_stepped(late, held - told["grace_min"] * 60))
    return fee if told.get("cap_fen") is None else min(fee, int(told["cap_fen"]))


def day_name(rule: Parameters, facts: Parameters) -> str | None:
    """The first class whose condition holds.

    `facts`: the ISO `date`, its `weekday` from 1, whether it is `worked`, and the `holiday` that it is part of.
    """
    return next((name for name, condition in rule.items() if _holds(condition, facts)), None)


def _holds(condition: Parameters, facts: Parameters) -> bool:
    answers = []
    for key, told in condition.items():
        if key == "kind":
            answers.append(facts["worked"] if told == "workday" else not facts["worked"])
        elif key == "holiday":
            named = facts["holiday"] if not facts["worked"] else None
            answers.append(named in told if isinstance(told, list) else (named is not None) == told)
        elif key == "weekdays":
            answers.append(facts["weekday"] in told)
        elif key == "season":
            answers.append(any(_in_season(facts["date"][5:], one["from"], one["to"]) for one in told))
        elif key == "dates":
            answers.append(any(one["from"] <= facts["date"] <= one["to"] for one in told))
        elif key == "any":
            answers.append(any(_holds(one, facts) for one in told))
    return all(answers)


def _in_season(day: str, first: str, last: str) -> bool:
    return first <= day <= last if first <= last else not last < day < first
