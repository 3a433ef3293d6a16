"""A tariff (收费标准) as read from its parameters; the form is docs/tariffs.md, made exact in tariff.schema.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from app.domain.pricing.rules.checks import check_whole
from app.domain.pricing.rules.day_classes import Calendar, DayClassRule, DayOf, calendar_by, read_rule
from app.domain.pricing.rules.form import (
    Form,
    InvalidTariff,
    Read,
    Senseless,
    instant,
    list_of,
    map_of,
    minutes,
    one_of,
    permille,
    word,
    yes_or_no,
)
from app.domain.pricing.rules.layers import Occupancy, Overstay, PlateCap, Waiver
from app.domain.pricing.rules.parts import Band, FreeTime, Periods, VehicleClass
from app.domain.pricing.rules.price_lists import PriceList
from app.domain.pricing.rules.spans import Plans, Span, Timetable, Window, wall
from app.kernel.refusals import Invalid

BOUNDARY_POLICIES: Final = ("single_band", "round_each_segment", "sum_per_band", "by_entry", "carry_part_unit")


class UnknownVehicleClass(Invalid):
    """The tariff has no price for this class of vehicle; details: `vehicle_class`."""

    code = "unknown_vehicle_class"
    message = "该收费标准没有此车型的价格"


@dataclass(frozen=True)
class Tariff:
    """A whole tariff, checked; build it with `Tariff.load`."""

    free: FreeTime | None
    bands: tuple[Band, ...]
    boundary_policy: str
    periods: Periods
    vehicle_classes: Mapping[str, VehicleClass]
    default_class: str
    day_class_rule: DayClassRule
    payment_channels: Mapping[str, int]
    free_spans: tuple[Span, ...]
    overstay: Overstay | None
    occupancy: Occupancy | None
    plate_cap: PlateCap | None
    waivers: Mapping[str, Waiver]
    entry_window: Window | None
    exit_window: Window | None
    contract: Mapping[str, object] | None
    is_partial: bool
    usable_window: Window | None
    longest_stay_s: int | None
    parameters: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def load(cls, parameters: object, where: str = "parameters") -> "Tariff":
        """Read the `parameters` of a tariff, which lie at `where`; raises InvalidTariff with the first wrong place.

        What a schema can say is an InvalidTariff or NegativeRate, what it cannot is Senseless or one of its kinds:
        BandsLeaveGap, BandsOverlap, CapBelowFirstUnit.
        """
        tariff = cls.read(parameters, where)
        check_whole(tariff, where)
        return tariff

    @classmethod
    def read(cls, parameters: object, where: str) -> "Tariff":
        """The same without the checks that need the whole tariff.

        What it raises has `faults`: the first of each band, class, row or other part.
        """
        form = Form(parameters, where)
        tariff = cls(
            free=form.gather_or("free", FreeTime.read, None),
            bands=form.gather("bands", list_of(Band.read)),
            boundary_policy=form.gather("boundary_policy", one_of(*BOUNDARY_POLICIES)),
            periods=form.gather("period", Periods.read),
            vehicle_classes=form.gather("vehicle_classes", _read_classes),
            default_class=form.gather("default_class", word),
            day_class_rule=form.gather_or("day_class_rule", read_rule, {}),
            payment_channels=form.gather_or("payment_channels", map_of(_read_channel), {}),
            free_spans=form.gather_or("overrides", _read_overrides, ()),
            overstay=form.gather_or("overstay", Overstay.read, None),
            occupancy=form.gather_or("occupancy", Occupancy.read, None),
            plate_cap=form.gather_or("plate_cap", PlateCap.read, None),
            waivers=form.gather_or("waivers", map_of(Waiver.read), {}),
            entry_window=form.gather_or("entry_window", _read_window_or_any, None),
            exit_window=form.gather_or("exit_window", _read_window_or_any, None),
            contract=form.gather_or("contract", map_of(_as_it_is), None),
            is_partial=form.gather_or("partial", yes_or_no, otherwise=False),
            usable_window=form.gather_or("usable_window", Window.read, None),
            longest_stay_s=form.gather_or("longest_stay_min", minutes(), None),
            parameters=form.values,
        )
        form.close()
        return tariff

    def class_of(self, vehicle_class: str | None) -> tuple[str, VehicleClass]:
        """The name and rule of a vehicle class, the default one for None; raises UnknownVehicleClass."""
        name = self.default_class if vehicle_class is None else vehicle_class
        if name not in self.vehicle_classes:
            raise UnknownVehicleClass(vehicle_class=name)
        return name, self.vehicle_classes[name]

    @property
    def is_free(self) -> bool:
        """Whether a usual vehicle never pays, at any time."""
        _, rule = self.class_of(None)
        return not self.is_partial and all(band.is_free or not rule.permille_of(band) for band in self.bands_of(rule))

    @cached_property
    def is_day_classed(self) -> bool:
        """Whether some band applies on days of some classes only."""
        rules = self.vehicle_classes.values()
        return any(band.days is not None for rule in rules for band in self.bands_of(rule))

    def bands_of(self, rule: VehicleClass) -> tuple[Band, ...]:
        return rule.own_bands or self.bands

    def timetable(self, vehicle_class: str, calendar: Calendar) -> Timetable:
        """When which band applies to a class of this tariff."""
        return Timetable(self.bands_of(self.vehicle_classes[vehicle_class]), calendar, self._plans[vehicle_class])

    @cached_property
    def _plans(self) -> Mapping[str, Plans]:
        return {name: Plans(self.bands_of(rule)) for name, rule in self.vehicle_classes.items()}

    @cached_property
    def price_lists(self) -> Mapping[str, PriceList]:
        """What pieces of a stay cost, by class of vehicle."""
        return {name: PriceList(rule) for name, rule in self.vehicle_classes.items()}

    def calendar(self, day_of: DayOf) -> Calendar:
        """The day classes by this tariff's own rule when conditions tell it, else by the city's vocabulary."""
        return calendar_by(self.day_class_rule, day_of)


def _read_classes(value: object, where: str) -> Mapping[str, VehicleClass]:
    classes = map_of(VehicleClass.read)(value, where)
    if not classes:
        raise InvalidTariff(where, "须至少有一个车型")
    return classes


def _read_channel(value: object, where: str) -> int:
    return _only(value, where, "permille", permille)


def _only(value: object, where: str, key: str, read: Read[int]) -> int:
    form = Form(value, where)
    number = form.take(key, read)
    form.close()
    return number


def _read_overrides(value: object, where: str) -> tuple[Span, ...]:
    return () if value == [] else list_of(_read_override)(value, where)


def _read_override(value: object, where: str) -> Span:
    form = Form(value, where)
    form.take("kind", one_of("free"))
    span = Span(wall(form.take("from", instant)), wall(form.take("to", instant)))
    form.take_or("zones", _as_it_is, None)
    form.close()
    if span.end <= span.begin:
        raise Senseless(where, "截止时间须晚于起始时间")
    return span


def _read_window_or_any(value: object, where: str) -> Window | None:
    return None if value == "any" else Window.read(value, where)


def _as_it_is(value: object, where: str) -> object:
    del where
    return value
