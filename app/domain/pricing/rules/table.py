"""A tariff as a table in Chinese words: every band on every kind of day, for each class of vehicle."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.pricing.rules import hourly, wording
from app.domain.pricing.rules.parts import FULL_PERMILLE, Band, VehicleClass
from app.domain.pricing.rules.tariff import Tariff

CLASS_TEXT: Final = {
    "small": "小型车",
    "large": "大型车",
    "yellow_plate": "黄牌车",
    "motorcycle": "摩托车",
    "ev": "新能源车",
    "over_7_seats": "七座以上客车",
    "length_ge_12m": "12米以上车辆",
    "ride_hailing": "网约车",
}


@dataclass(frozen=True)
class BandRow:
    """One band: on which days and at which times it applies, and what it costs then."""

    days: str
    time: str
    price: str


@dataclass(frozen=True)
class ClassTable:
    """What a class of vehicle pays; `free_time` is empty where there is none."""

    vehicle_class: str
    name: str
    free_time: str
    bands: tuple[BandRow, ...]


@dataclass(frozen=True)
class PriceTable:
    """A whole tariff: classes, the cap of a period, how a stay across bands is counted, and further limits."""

    classes: tuple[ClassTable, ...]
    cap: str
    crossing: str
    limits: tuple[str, ...]


def price_table(tariff: Tariff) -> PriceTable:
    """The tariff in words, complete but for free spans; the fee of a stay is `quote`."""
    names = [tariff.default_class, *(name for name in tariff.vehicle_classes if name != tariff.default_class)]
    classes = tuple(_class(tariff, name, tariff.vehicle_classes[name]) for name in names)
    cap = "；".join(hourly.period_cap(tariff)) or "不封顶"
    return PriceTable(classes, cap, wording.POLICY_TEXT[tariff.boundary_policy], tuple(hourly.limits(tariff)))


def _class(tariff: Tariff, name: str, rule: VehicleClass) -> ClassTable:
    free = "；".join(hourly.free_time(tariff.free, name))
    return ClassTable(name, CLASS_TEXT.get(name, name), free, tuple(_rows(tariff, rule)))


def _rows(tariff: Tariff, rule: VehicleClass) -> Iterator[BandRow]:
    for band in tariff.bands_of(rule):
        factor = _factor(band, rule.permille_of(band))
        time = "全天" if band.window.is_whole_day else wording.window(band.window)
        yield BandRow(wording.days(band), time, f"{hourly.price(band.method)}{hourly.band_cap(band)}{factor}")


def _factor(band: Band, permille: int) -> str:
    return "" if permille == FULL_PERMILLE or band.is_free else f"（按{wording.times(permille)}）"
