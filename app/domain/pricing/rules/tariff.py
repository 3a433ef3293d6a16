"""A tariff (收费标准) as read from its parameters; the form is docs/tariffs.md, made exact in tariff.schema.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.pricing.rules.form import (
    Form,
    InvalidTariff,
    Read,
    instant,
    list_of,
    map_of,
    minutes,
    one_of,
    or_null,
    whole,
    word,
    yes_or_no,
)
from app.domain.pricing.rules.parts import Band, FreeTime, Overstay, Periods, VehicleClass
from app.domain.pricing.rules.spans import Span, Window, day_plan, has_gap, wall
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
    day_class_rule: Mapping[str, str]
    payment_channels: Mapping[str, int]
    free_spans: tuple[Span, ...]
    overstay: Overstay | None
    waivers: Mapping[str, str]
    entry_window: Window | None
    exit_window: Window | None
    contract: Mapping[str, object] | None
    is_partial: bool
    usable_window: Window | None
    longest_stay_s: int | None
    parameters: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def load(cls, parameters: Mapping[str, Any]) -> "Tariff":
        """Read the `parameters` of a tariff; raises InvalidTariff that names the first wrong place."""
        form = Form(parameters, "parameters")
        tariff = cls(
            free=form.take_or("free", or_null(FreeTime.read), None),
            bands=form.take("bands", list_of(Band.read)),
            boundary_policy=form.take("boundary_policy", one_of(*BOUNDARY_POLICIES)),
            periods=form.take("period", Periods.read),
            vehicle_classes=form.take("vehicle_classes", map_of(VehicleClass.read)),
            default_class=form.take("default_class", word),
            day_class_rule=form.take_or("day_class_rule", map_of(word), {}),
            payment_channels=form.take_or("payment_channels", map_of(_read_channel), {}),
            free_spans=form.take_or("overrides", _read_overrides, ()),
            overstay=form.take_or("overstay", or_null(Overstay.read), None),
            waivers=form.take_or("waivers", map_of(_read_waiver), {}),
            entry_window=form.take_or("entry_window", _read_window_or_any, None),
            exit_window=form.take_or("exit_window", _read_window_or_any, None),
            contract=form.take_or("contract", or_null(map_of(_as_it_is)), None),
            is_partial=form.take_or("partial", yes_or_no, otherwise=False),
            usable_window=form.take_or("usable_window", or_null(Window.read), None),
            longest_stay_s=form.take_or("longest_stay_min", or_null(minutes()), None),
            parameters=parameters,
        )
        form.close()
        check_whole(tariff)
        return tariff

    def class_of(self, vehicle_class: str | None) -> tuple[str, VehicleClass]:
        """The name and rule of a vehicle class, the default one for None; raises UnknownVehicleClass."""
        name = vehicle_class or self.default_class
        if name not in self.vehicle_classes:
            raise UnknownVehicleClass(vehicle_class=name)
        return name, self.vehicle_classes[name]

    @property
    def is_free(self) -> bool:
        """Whether a usual vehicle never pays, at any time."""
        _, rule = self.class_of(None)
        return not self.is_partial and all(band.is_free or not rule.permille_of(band) for band in self.bands_of(rule))

    @property
    def is_day_classed(self) -> bool:
        """Whether some band applies on days of some classes only."""
        rules = self.vehicle_classes.values()
        return any(band.days is not None for rule in rules for band in self.bands_of(rule))

    def bands_of(self, rule: VehicleClass) -> tuple[Band, ...]:
        return rule.own_bands or self.bands


def _read_channel(value: object, where: str) -> int:
    return _only(value, where, "permille", whole())


def _read_waiver(value: object, where: str) -> str:
    form = Form(value, where)
    form.take("effect", one_of("free"))
    when = form.take_or("when", word, "")
    form.close()
    return when


def _only(value: object, where: str, key: str, read: Read[int]) -> int:
    form = Form(value, where)
    number = form.take(key, read)
    form.close()
    return number


def _read_overrides(value: object, where: str) -> tuple[Span, ...]:
    if value is None or value == []:
        return ()
    return list_of(_read_override)(value, where)


def _read_override(value: object, where: str) -> Span:
    form = Form(value, where)
    form.take("kind", one_of("free"))
    span = Span(wall(form.take("from", instant)), wall(form.take("to", instant)))
    form.take_or("zones", _as_it_is, None)
    form.close()
    if span.end <= span.begin:
        raise InvalidTariff(where, "must end after it begins")
    return span


def _read_window_or_any(value: object, where: str) -> Window | None:
    return None if value is None or value == "any" else Window.read(value, where)


def _as_it_is(value: object, where: str) -> object:
    del where
    return value


def check_whole(tariff: Tariff) -> None:
    """What no part can know alone: names that must match, and bands that must cover the day once."""
    if tariff.default_class not in tariff.vehicle_classes:
        raise InvalidTariff("parameters.default_class", "is not one of vehicle_classes")
    for name in tariff.free.by_class if tariff.free else ():
        if name not in tariff.vehicle_classes:
            raise InvalidTariff(f"parameters.free.by_class.{name}", "is not one of vehicle_classes")
    _check_bands(tariff, tariff.bands, "parameters.bands")
    for name, rule in tariff.vehicle_classes.items():
        where = f"parameters.vehicle_classes.{name}"
        if rule.own_bands is not None:
            _check_bands(tariff, rule.own_bands, f"{where}.own_bands")
        _check_multiplied(rule.multiplied_bands or frozenset(), tariff.bands_of(rule), where)


def _check_bands(tariff: Tariff, bands: Sequence[Band], where: str) -> None:
    if len({band.name for band in bands}) < len(bands):
        raise InvalidTariff(where, "band names must be unique")
    if tariff.boundary_policy == "single_band" and len(bands) != 1:
        raise InvalidTariff(where, "the boundary policy single_band needs exactly one band")
    day_classes = {name for band in bands for name in band.days or ()}
    for classes in [frozenset({name}) for name in sorted(day_classes)] or [frozenset[str]()]:
        on_such_days = "".join(f" on {name} days" for name in classes)
        if has_gap(day_plan(bands, classes, where + on_such_days)) and not tariff.is_partial:
            raise InvalidTariff(where + on_such_days, "bands must cover the whole day; mark what is not known partial")


def _check_multiplied(names: frozenset[str], bands: Sequence[Band], where: str) -> None:
    strangers = names - {band.name for band in bands}
    if strangers:
        raise InvalidTariff(f"{where}.multiplier_bands", f"{min(strangers)} is not a band")
