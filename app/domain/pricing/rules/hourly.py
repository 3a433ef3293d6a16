"""One short Chinese sentence on what a lot costs on a day, for search results."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from app.domain.pricing.rules import wording
from app.domain.pricing.rules.day_classes import Calendar
from app.domain.pricing.rules.form import DAY_SECONDS, HOUR_SECONDS
from app.domain.pricing.rules.layers import Occupancy, Overstay
from app.domain.pricing.rules.methods import FlatThenUnits, Free, Method, PerVisit, Stepped, TableOfTotals
from app.domain.pricing.rules.parts import FULL_PERMILLE, Band, FreeTime
from app.domain.pricing.rules.spans import no_day_classes, wall
from app.domain.pricing.rules.tariff import Tariff


def hourly_text(
    tariff: Tariff, at: datetime, calendar: Calendar = no_day_classes, vehicle_class: str | None = None
) -> str:
    """The price rules of the day of `at`, such as `15分钟内免费；8-20时首小时3元/半小时，之后4元/半小时；20-8时5元/次`.

    A summary to choose a lot by; the fee of a stay is `quote`. Raises UnknownVehicleClass.
    """
    name, _ = tariff.class_of(vehicle_class)
    parts = [
        *_free_now(tariff, wall(at)),
        *free_time(tariff.free, name),
        *_bands(tariff, name, wall(at), calendar),
        *period_cap(tariff),
        *limits(tariff),
    ]
    return "；".join(parts)


def _free_now(tariff: Tariff, at: int) -> Iterator[str]:
    if any(span.begin <= at < span.end for span in tariff.free_spans):
        yield "当前免费"


def free_time(free: FreeTime | None, vehicle_class: str) -> Iterator[str]:
    """What is free for a class of vehicle, if anything."""
    allowance = 0 if free is None else free.allowance_of(vehicle_class)
    if free is None or not allowance:
        return
    once = _SCOPES[free.scope]
    length = wording.duration(allowance)
    yield f"{once}前{length}不计费" if free.deducted else f"{once}{length}内免费"


_SCOPES: Final = {
    "per_entry": "",
    "first_in_rolling_24h": "24小时内首次停车",
    "first_of_day": "当日首次停车",
    "once": "首次停车",
}


def _bands(tariff: Tariff, vehicle_class: str, at: int, calendar: Calendar) -> Iterator[str]:
    rule = tariff.vehicle_classes[vehicle_class]
    plan = tariff.timetable(vehicle_class, calendar).known(at // DAY_SECONDS)
    bands = {band.name: band for _, band in plan}
    early = [band for band in bands.values() if band.window.wraps]
    for band in [*(band for band in bands.values() if band not in early), *early]:
        yield _band(band, rule.permille_of(band), alone=len(bands) == 1)


def _band(band: Band, permille: int, *, alone: bool) -> str:
    title = "" if alone and band.window.is_whole_day else f"{wording.window(band.window)} "
    factor = "" if permille == FULL_PERMILLE or band.is_free else f"（此车型按{wording.times(permille)}）"
    return f"{title}{price(band.method)}{band_cap(band)}{factor}"


def price(method: Method) -> str:
    """`首小时3元/半小时，之后4元/半小时`."""
    match method:
        case Stepped():
            return _steps(method)
        case PerVisit(fen):
            return f"{wording.yuan(fen)}/次"
        case Free():
            return "免费"
        case TableOfTotals():
            return "，".join(f"{wording.duration(row.up_to_s)}内{wording.yuan(row.fen)}" for row in method.rows)
        case FlatThenUnits():
            return _flat(method)


def _steps(method: Stepped) -> str:
    prices = [f"{wording.yuan(step.fen)}/{wording.unit(step.unit_s)}" for step in method.steps]
    titles = _step_titles([step.length_s for step in method.steps])
    tails = {_tail(step.rounding.kind, step.rounding.tail_s) for step in method.steps} - {""}
    return "，".join([*(title + price for title, price in zip(titles, prices, strict=True)), *sorted(tails)])


def _step_titles(lengths: Sequence[int | None]) -> Iterator[str]:
    reached = 0
    for place, length in enumerate(lengths):
        reached += length or 0
        if length is None:
            yield "之后" if place else ""
        else:
            yield "首小时" if reached == HOUR_SECONDS and not place else f"{wording.duration(reached)}内"


def _tail(kind: str, tail_s: int) -> str:
    if kind == "down":
        return "不足一个单位不计"
    return f"尾数不超过{wording.duration(tail_s)}不计" if kind == "ignore_tail" and tail_s else ""


def _flat(method: FlatThenUnits) -> str:
    window = "" if method.after_window is None else f"（仅计{wording.window(method.after_window)}）"
    later = f"{wording.yuan(method.fen)}/{wording.unit(method.unit_s)}{window}"
    return f"{wording.duration(method.flat_until_s)}内{wording.yuan(method.flat_fen)}，之后{later}"


def band_cap(band: Band) -> str:
    """The cap of a band as it follows its price; nothing where there is none."""
    if band.cap is None:
        return ""
    units = "" if band.cap.units is None else f"，最多计{band.cap.units}个单位"
    return units + ("" if band.cap.fen is None else f"，时段封顶{wording.yuan(band.cap.fen)}")


def period_cap(tariff: Tariff) -> Iterator[str]:
    """`每日封顶20元`, if there is a cap."""
    periods = tariff.periods
    caps = ["不封顶" if cap is None else f"封顶{wording.yuan(cap)}" for cap in periods.caps_fen]
    if set(caps) == {"不封顶"}:
        return
    named = {"none": "每次", "calendar_day": "每日"}.get(periods.kind) or f"每{wording.duration(periods.length_s or 0)}"
    yield named + "、".join(caps if len(caps) == 1 else _numbered(caps))


def _numbered(caps: Sequence[str]) -> Iterator[str]:
    for place, cap in enumerate(caps, start=1):
        yield f"第{place}个{'起' if place == len(caps) else ''}{cap}"


def limits(tariff: Tariff) -> Iterator[str]:
    """Caps of a vehicle over several stays, overstay, and what the tariff does not say."""
    if tariff.plate_cap is not None:
        length = tariff.plate_cap.length_s
        during = "每日" if length is None else f"{wording.duration(length)}内"
        yield f"同一车辆{during}合计封顶{wording.yuan(tariff.plate_cap.fen)}"
    if tariff.overstay is not None:
        yield f"超过预订时间{_late(tariff.overstay)}{_capped(tariff.overstay.cap_fen)}"
    if tariff.occupancy is not None:
        yield _occupancy(tariff.occupancy)
    if tariff.longest_stay_s is not None:
        yield f"停车不超过{wording.duration(tariff.longest_stay_s)}"
    if tariff.is_partial:
        yield "其他时间价格未公布"


def _late(overstay: Overstay) -> str:
    if overstay.permille is not None:
        return f"按{wording.times(overstay.permille)}计费"
    if overstay.filed is not None:
        return f"{wording.yuan(overstay.filed.fen)}/{wording.unit(overstay.filed.unit_s)}"
    return f"{wording.yuan(overstay.fixed_fen or 0)}/次"


def _capped(cap_fen: int | None) -> str:
    return "" if cap_fen is None else f"，封顶{wording.yuan(cap_fen)}"


def _occupancy(rule: Occupancy) -> str:
    price = f"{wording.yuan(rule.units.fen)}/{wording.unit(rule.units.unit_s)}"
    grace = f"{wording.duration(rule.grace_s)}后" if rule.grace_s else "后"
    return f"充电结束{grace}占用费{price}{_capped(rule.cap_fen)}（另计）"
