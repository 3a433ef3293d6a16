"""What no part of a tariff can know alone: names that must match, bands that cover the day once, caps that can be."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.domain.pricing.rules.day_classes import conditions_of
from app.domain.pricing.rules.form import InvalidTariff, Senseless
from app.domain.pricing.rules.methods import Stepped
from app.domain.pricing.rules.parts import Band, VehicleClass
from app.domain.pricing.rules.spans import BandsLeaveGap, day_plan, first_gap

if TYPE_CHECKING:
    from app.domain.pricing.rules.tariff import Tariff


class CapBelowFirstUnit(Senseless):
    """A cap that already the first unit would exceed."""

    code = "cap_below_first_unit"
    message = "封顶金额低于首个计费单位的价格"


def check_whole(tariff: "Tariff", where: str) -> None:
    """Raises the first refusal among `refusals`."""
    for refusal in refusals(tariff, where):
        raise refusal


def refusals(tariff: "Tariff", where: str) -> Iterator[InvalidTariff]:
    """Everything that makes a tariff of the right form senseless all the same."""
    yield from _names(tariff, where)
    yield from _all_bands(tariff, where)
    yield from _caps(tariff, where)


def _names(tariff: "Tariff", where: str) -> Iterator[InvalidTariff]:
    if tariff.default_class not in tariff.vehicle_classes:
        yield Senseless(f"{where}.default_class", "不在vehicle_classes之中")
    for name in tariff.free.by_class if tariff.free else ():
        if name not in tariff.vehicle_classes:
            yield Senseless(f"{where}.free.by_class.{name}", "不在vehicle_classes之中")
    for name, waiver in tariff.waivers.items():
        if waiver.free_s is not None and tariff.free is None:
            yield Senseless(f"{where}.waivers.{name}", "凭证延长免费时长，但本标准没有免费时长（free）")


def _all_bands(tariff: "Tariff", where: str) -> Iterator[InvalidTariff]:
    yield from _bands(tariff, tariff.bands, f"{where}.bands")
    for name, rule in tariff.vehicle_classes.items():
        place = f"{where}.vehicle_classes.{name}"
        if rule.own_bands is not None:
            yield from _bands(tariff, rule.own_bands, f"{place}.own_bands")
        strangers = (rule.multiplied_bands or frozenset()) - {band.name for band in tariff.bands_of(rule)}
        if strangers:
            yield Senseless(f"{place}.multiplier_bands", f"没有名为{min(strangers)}的时段")


def _bands(tariff: "Tariff", bands: Sequence[Band], where: str) -> Iterator[InvalidTariff]:
    if len({band.name for band in bands}) < len(bands):
        yield Senseless(where, "时段名称不得重复")
    if tariff.boundary_policy == "single_band" and len(bands) != 1:
        yield Senseless(where, "boundary_policy为single_band时只能有一个时段")
    for name in _day_classes(tariff, bands):
        yield from _day(tariff, bands, name, where)


def _day_classes(tariff: "Tariff", bands: Sequence[Band]) -> list[str | None]:
    """Each class that a day may have, where the bands ask for it."""
    named = {name for band in bands for name in band.days or ()}
    told = conditions_of(tariff.day_class_rule) or {}
    return [*sorted({*named, *told})] if named else [None]


def _day(tariff: "Tariff", bands: Sequence[Band], name: str | None, where: str) -> Iterator[InvalidTariff]:
    on_such_days = "" if name is None else f"日期类别{name}："
    try:
        plan = day_plan(bands, frozenset(() if name is None else (name,)), where, on_such_days)
    except InvalidTariff as overlap:
        yield overlap
        return
    gap = first_gap(plan)
    if gap is not None and not tariff.is_partial:
        yield BandsLeaveGap(where, f"{on_such_days}{gap}起没有时段；价格确实未知的须标明partial")


def _caps(tariff: "Tariff", where: str) -> Iterator[InvalidTariff]:
    yield from _band_caps(tariff.bands, f"{where}.bands")
    for name, rule in tariff.vehicle_classes.items():
        yield from _band_caps(rule.own_bands or (), f"{where}.vehicle_classes.{name}.own_bands")
    first = _first_paid_fen(tariff)
    if any(_is_below(cap, first) for cap in tariff.periods.caps_fen if cap) or set(tariff.periods.caps_fen) == {0}:
        yield from _below_first(f"{where}.period.cap_fen", first)
    if tariff.plate_cap is not None and _is_below(tariff.plate_cap.fen, first):
        yield from _below_first(f"{where}.plate_cap.fen", first)


def _band_caps(bands: Sequence[Band], where: str) -> Iterator[InvalidTariff]:
    for place, band in enumerate(bands):
        first = band.method.first_paid_fen
        if band.cap is not None and _is_below(band.cap.fen, first):
            yield from _below_first(f"{where}[{place}].band_cap.fen", first)
        if band.cap is not None and band.cap.units == 0 and isinstance(band.method, Stepped):
            yield from _below_first(f"{where}[{place}].band_cap.units", first)


def _below_first(where: str, first_fen: int) -> Iterator[InvalidTariff]:
    if first_fen:
        yield CapBelowFirstUnit(where, f"低于首个计费单位的价格{first_fen}分")


def _is_below(cap_fen: int | None, first_fen: int) -> bool:
    return cap_fen is not None and cap_fen < first_fen


def _first_paid_fen(tariff: "Tariff") -> int:
    """The cheapest first unit that any vehicle pays in any band; 0 when nobody ever pays."""
    rules = tariff.vehicle_classes.values()
    prices = {price for rule in rules for band in tariff.bands_of(rule) if (price := _first_fen(rule, band))}
    return min(prices, default=0)


def _first_fen(rule: VehicleClass, band: Band) -> int:
    return rule.price_of(band, band.method.first_paid_fen)
