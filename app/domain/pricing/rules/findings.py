"""What is wrong or odd about a tariff: errors forbid it, warnings name what can never matter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise, product
from typing import Final

from app.domain.pricing.rules.checks import refusals
from app.domain.pricing.rules.day_classes import Calendar, conditions_of
from app.domain.pricing.rules.form import DAY_SECONDS, InvalidTariff
from app.domain.pricing.rules.methods import Free, Method, PerVisit, Rounding, Stepped, TableOfTotals
from app.domain.pricing.rules.parts import Band, FreeTime, Periods
from app.domain.pricing.rules.proofs.grid import entries, grain
from app.domain.pricing.rules.quotes import quote
from app.domain.pricing.rules.spans import NoPrice, Span, moment
from app.domain.pricing.rules.tariff import Tariff
from app.domain.pricing.rules.wording import duration, yuan


@dataclass(frozen=True)
class Finding:
    """One thing about a tariff: its place, a stable code, and a Chinese sentence."""

    where: str
    code: str
    message: str
    is_error: bool = False


def examine(parameters: object, where: str = "parameters") -> list[Finding]:
    """Everything that is wrong or odd. Of an ill form the first fault of each part alone is told."""
    try:
        tariff = Tariff.read(parameters, where)
    except InvalidTariff as refusal:
        return [_error(fault) for fault in refusal.faults]
    errors = [_error(refusal) for refusal in refusals(tariff, where)]
    return errors or list(_oddities(tariff, where))


def _error(refusal: InvalidTariff) -> Finding:
    details = refusal.details
    return Finding(details["where"], refusal.code, f"{refusal.message}：{details['reason']}", is_error=True)


def _oddities(tariff: Tariff, where: str) -> Iterator[Finding]:
    for place, bands in _band_lists(tariff, where):
        for number, band in enumerate(bands):
            yield from _band(tariff, band, f"{place}[{number}]")
    yield from _day_classes(tariff, where)
    if tariff.free is not None:
        yield from _free_time(tariff, tariff.free, where)
    yield from _period_caps(tariff, where)


def _band_lists(tariff: Tariff, where: str) -> Iterator[tuple[str, Sequence[Band]]]:
    yield f"{where}.bands", tariff.bands
    for name, rule in tariff.vehicle_classes.items():
        if rule.own_bands is not None:
            yield f"{where}.vehicle_classes.{name}.own_bands", rule.own_bands


def _band(tariff: Tariff, band: Band, where: str) -> Iterator[Finding]:
    longest = _longest_piece(tariff, band)
    match band.method:
        case Stepped():
            yield from _steps(band.method, longest, where)
        case TableOfTotals():
            yield from _rows(band.method, longest, where)
    is_a_sum = _grows(band.method) and tariff.boundary_policy != "carry_part_unit"
    if longest is not None and band.cap is not None and is_a_sum:
        yield from _band_cap(band, longest, where)


def _grows(method: Method) -> bool:
    """Whether the longest piece is surely the dearest."""
    match method:
        case Stepped():
            return True
        case TableOfTotals(rows):
            return all(earlier.fen <= later.fen for earlier, later in pairwise(rows))
        case _:
            return False


def _longest_piece(tariff: Tariff, band: Band) -> int | None:
    """So many seconds of a band are at most priced at once; None where nothing bounds them."""
    bounds = [tariff.longest_stay_s, _period_length(tariff.periods)]
    if tariff.boundary_policy in _PRICED_BY_SEGMENT and not band.window.is_whole_day:
        slots = [slot.seconds for slot in band.window.slots()]
        bounds.append(max(slots) if tariff.periods.kind == "calendar_day" else sum(slots))
    return min((bound for bound in bounds if bound is not None), default=None)


_PRICED_BY_SEGMENT: Final = ("single_band", "round_each_segment", "carry_part_unit")


def _period_length(periods: Periods) -> int | None:
    return DAY_SECONDS if periods.kind == "calendar_day" else periods.length_s


def _steps(method: Stepped, longest: int | None, where: str) -> Iterator[Finding]:
    reached = 0
    for place, step in enumerate(method.steps):
        at = f"{where}.steps[{place}]"
        if longest is not None and reached >= longest:
            yield Finding(at, "step_never_reached", f"一次计价最长{duration(longest)}，永远到不了这一级")
        yield from _tail(step.rounding, step.unit_s, at)
        reached += step.length_s or 0


def _tail(rounding: Rounding, unit_s: int, where: str) -> Iterator[Finding]:
    if rounding.kind == "ignore_tail" and rounding.tail_s >= unit_s:
        yield Finding(where, "tail_not_below_unit", "不计的尾数不短于计费单位，不足一个单位永远不收费")


def _rows(method: TableOfTotals, longest: int | None, where: str) -> Iterator[Finding]:
    earlier = None
    for place, row in enumerate(method.rows):
        at = f"{where}.table[{place}]"
        if earlier is not None and longest is not None and earlier.up_to_s >= longest:
            yield Finding(at, "row_never_reached", f"一次计价最长{duration(longest)}，永远用不到这一行")
        if earlier is not None and row.fen < earlier.fen:
            yield Finding(f"{at}.fen", "price_falls", "停得更久反而更便宜")
        earlier = row


def _band_cap(band: Band, longest: int, where: str) -> Iterator[Finding]:
    assert band.cap is not None
    try:
        runs = band.method.price([Span(0, longest)], 0)
    except NoPrice:
        return
    units, full = sum(run.times for run in runs if run.unit_s is not None), sum(run.fen for run in runs)
    if band.cap.units is not None and band.cap.units >= units:
        yield Finding(f"{where}.band_cap.units", "band_cap_never_reached", f"该时段最多只有{units}个单位")
    if band.cap.fen is not None and band.cap.fen >= full:
        yield Finding(f"{where}.band_cap.fen", "band_cap_never_reached", f"该时段最多只收{yuan(full)}")


def _day_classes(tariff: Tariff, where: str) -> Iterator[Finding]:
    used = {name for band in _all_bands(tariff) for name in band.days or ()}
    conditions = conditions_of(tariff.day_class_rule)
    told = list(tariff.day_class_rule)
    if used and conditions is None and not told:
        yield Finding(f"{where}.day_class_rule", "day_classes_unexplained", "时段区分日期类别，但没有说明如何确定类别")
    for name in sorted(used - set(told)) if conditions else ():
        yield Finding(f"{where}.day_class_rule", "day_class_never_told", f"没有说明何时为{name}，其时段永远不会用到")
    for place, name in enumerate(conditions or ()):
        if any(conditions is not None and conditions[earlier].is_otherwise for earlier in told[:place]):
            yield Finding(f"{where}.day_class_rule.{name}", "day_class_never_reached", "此前的otherwise已包括所有日期")


def _free_time(tariff: Tariff, free: FreeTime, where: str) -> Iterator[Finding]:
    longest = tariff.longest_stay_s
    if free.again_each_period:
        longest = min(longest or DAY_SECONDS * 400, _period_length(tariff.periods) or DAY_SECONDS * 400)
    places = {f"{where}.free.minutes": free.allowance_s}
    places |= {f"{where}.free.by_class.{name}": seconds for name, seconds in free.by_class.items()}
    for place, seconds in places.items():
        if longest is not None and seconds >= longest and free.scope == "per_entry":
            yield Finding(place, "free_time_covers_everything", "免费时长不短于最长停车时长，永远不收费")
    least = min(places.values())
    for name, waiver in tariff.waivers.items():
        if waiver.free_s is not None and waiver.free_s <= least:
            yield Finding(f"{where}.waivers.{name}.minutes", "waiver_gives_nothing", "凭证的免费时长并不更长")


def _period_caps(tariff: Tariff, where: str) -> Iterator[Finding]:
    length = _period_length(tariff.periods)
    caps = tariff.periods.caps_fen
    if length is None or all(cap is None for cap in caps):
        return
    dearest = _dearest_period(tariff, length)
    for place, cap in enumerate(caps):
        if cap is not None and dearest is not None and cap > dearest:
            at = f"{where}.period.cap_fen" + (f"[{place}]" if len(caps) > 1 else "")
            yield Finding(at, "cap_never_reached", f"一个计费周期最多只收{yuan(dearest)}，封顶永远不起作用")


MOST_QUOTES: Final = 50_000
"""Whoever would have to price more stays than these is told nothing of the cap."""


def _dearest_period(tariff: Tariff, length: int) -> int | None:
    """What a whole period costs at most without its cap: for any vehicle, entry and order of days. None if unknown.

    The entries are those that stand for all others (proofs.grid). Longer must never be cheaper, or a part of the
    period might cost more than all of it.
    """
    if not all(_grows(band.method) or isinstance(band.method, Free | PerVisit) for band in _all_bands(tariff)):
        return None
    uncapped = replace(tariff.periods, caps_fen=(None,))
    bare = replace(tariff, free=None, periods=uncapped, longest_stay_s=None, plate_cap=None)
    is_of_one_day = tariff.periods.kind == "calendar_day"
    arrivals = [0] if is_of_one_day else list(entries(grain([bare])))
    days = list(_day_orders(tariff, 1 if is_of_one_day else -(-length // DAY_SECONDS) + 1))
    if len(arrivals) * len(days) * len(tariff.vehicle_classes) > MOST_QUOTES:
        return None
    fees = [
        _fee(bare, name, calendar, entry, length)
        for name in tariff.vehicle_classes
        for calendar in days
        for entry in arrivals
    ]
    return max((fee for fee in fees if fee is not None), default=None)


def _all_bands(tariff: Tariff) -> Iterator[Band]:
    return (band for _, bands in _band_lists(tariff, "") for band in bands)


def _day_orders(tariff: Tariff, count: int) -> Iterator[Calendar]:
    """Every order in which days of the classes that the bands know can follow each other, so many days long."""
    names = sorted({name for band in _all_bands(tariff) for name in band.days or ()}) or [""]
    return (_in_order(order) for order in product(names, repeat=count))


def _in_order(order: Sequence[str]) -> Calendar:
    first = moment(BEGIN).date()

    def classes(of: date) -> str:
        return order[min(max((of - first).days, 0), len(order) - 1)]

    return classes


def _fee(tariff: Tariff, vehicle_class: str, calendar: Calendar, entry: int, length: int) -> int | None:
    begin = BEGIN + entry
    try:
        return quote(tariff, moment(begin), moment(begin + length), vehicle_class, (), calendar).total_fen
    except NoPrice:
        return None


BEGIN: Final = (date(2026, 6, 1) - date(1970, 1, 1)).days * DAY_SECONDS
"""Any midnight."""
