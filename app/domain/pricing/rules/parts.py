"""The parts of a tariff: free time, bands and their caps, periods, vehicle classes, overstay."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from app.domain.pricing.rules.form import (
    DAY_SECONDS,
    Form,
    InvalidTariff,
    Senseless,
    clock,
    fen,
    list_of,
    map_of,
    minutes,
    one_of,
    or_null,
    permille,
    whole,
    word,
    yes_or_no,
)
from app.domain.pricing.rules.methods import Free, Method, Run, read_method
from app.domain.pricing.rules.spans import Span, Window

FULL_PERMILLE: Final = 1000


def by_permille(fen: int, permille: int) -> int:
    """A price times a factor, rounded half up to 1 fen."""
    return (fen * permille + FULL_PERMILLE // 2) // FULL_PERMILLE


@dataclass(frozen=True)
class FreeTime:
    """Free time (免费时长): a short stay is waived, or the first minutes are deducted."""

    allowance_s: int
    deducted: bool
    on_chargeable_time: bool
    scope: str
    again_each_period: bool
    by_class: Mapping[str, int]

    @classmethod
    def read(cls, value: object, where: str) -> "FreeTime":
        form = Form(value, where)
        free = cls(
            form.take("minutes", minutes(0)),
            form.take("mode", one_of("waive_if_within", "deduct")) == "deduct",
            form.take_or("measured_on", one_of("whole_stay", "chargeable_time"), "whole_stay") == "chargeable_time",
            form.take_or("scope", one_of(*SCOPES), "per_entry"),
            form.take_or("again_each_period", yes_or_no, otherwise=False),
            form.take_or("by_class", map_of(minutes(0)), {}),
        )
        form.close()
        return free

    def allowance_of(self, vehicle_class: str) -> int:
        return self.by_class.get(vehicle_class, self.allowance_s)

    def is_given(self, entry: int, earlier: Collection[int]) -> bool:
        """Whether this stay has free time, given when the vehicle's earlier stays began."""
        return not any(_uses_up(self.scope, begin, entry) for begin in earlier)


SCOPES: Final = ("per_entry", "first_in_rolling_24h", "first_of_day", "once")


def _uses_up(scope: str, earlier: int, entry: int) -> bool:
    """Whether a stay that began earlier leaves no free time to one that begins at `entry`."""
    match scope:
        case "first_in_rolling_24h":
            return entry - earlier < DAY_SECONDS
        case "first_of_day":
            return earlier // DAY_SECONDS == entry // DAY_SECONDS
        case _:
            return scope == "once"


@dataclass(frozen=True)
class BandCap:
    """The most that one piece is charged, in units, in fen, or both."""

    units: int | None
    fen: int | None

    @classmethod
    def read(cls, value: object, where: str) -> "BandCap":
        form = Form(value, where)
        cap = cls(form.take_or("units", whole(), None), form.take_or("fen", fen, None))
        form.close()
        if cap.units is None and cap.fen is None:
            raise InvalidTariff(where, "须写明units或fen")
        return cap

    def of(self, runs: Sequence[Run]) -> int:
        """What the runs cost under this cap; a price that is not by units counts none."""
        by_unit = [run for run in runs if run.unit_s is not None]
        total = sum(run.fen for run in runs if run.unit_s is None)
        left = sum(run.times for run in by_unit) if self.units is None else self.units
        for run in by_unit:
            times = min(run.times, left)
            left -= times
            total += times * run.each_fen
        return total if self.fen is None else min(total, self.fen)


@dataclass(frozen=True)
class Band:
    """One price rule for a daily window (时段) on all days or on days of some classes."""

    name: str
    window: Window
    days: frozenset[str] | None
    method: Method
    cap: BandCap | None

    @classmethod
    def read(cls, value: object, where: str) -> "Band":
        form = Form(value, where)
        band = cls(
            form.take("name", word),
            Window(form.take("from", clock), form.take("to", clock)).checked(where),
            form.take("days", _read_days),
            read_method(form),
            form.take_or("band_cap", BandCap.read, None),
        )
        _forgive_unused(form)
        form.close()
        return band.checked(where)

    def checked(self, where: str) -> "Band":
        if self.days is not None and self.window.wraps and self.window.end:
            raise Senseless(where, "限定日期类别的时段不得跨越零点")
        return self

    @property
    def is_always(self) -> bool:
        return self.days is None and self.window.is_whole_day

    @property
    def is_free(self) -> bool:
        return isinstance(self.method, Free)

    def applies_on(self, classes: Collection[str]) -> bool:
        return self.days is None or not self.days.isdisjoint(classes)


def _forgive_unused(form: Form) -> None:
    """A rounding beside a price without units means nothing, yet tariffs carry it."""
    form.take_or("rounding", one_of("up", "down", "ignore_tail"), "up")
    form.take_or("tail_min", minutes(0), 0)


def _read_days(value: object, where: str) -> frozenset[str] | None:
    return None if value == "all" else frozenset(list_of(word)(value, where))


def rolling_length(form: Form, kind: str) -> int | None:
    """The `minutes` of what is rolling, in seconds; nothing else has any."""
    if kind == "rolling":
        return form.take("minutes", minutes())
    form.refuse("minutes", "只有rolling才有时长")
    return None


@dataclass(frozen=True)
class Periods:
    """Spans priced each by itself and capped: the whole stay, rolling from entry, or calendar days."""

    kind: str
    length_s: int | None
    caps_fen: tuple[int | None, ...]

    @classmethod
    def read(cls, value: object, where: str) -> "Periods":
        form = Form(value, where)
        kind = form.take("kind", one_of("none", "rolling", "calendar_day"))
        length_s = rolling_length(form, kind)
        periods = cls(kind, length_s, form.take_or("cap_fen", _read_caps, (None,)))
        form.close()
        return periods

    def cap_of(self, place: int) -> int | None:
        """The cap of the 1st (0), 2nd (1), ... period; the last one named holds for all later ones."""
        return self.caps_fen[min(place, len(self.caps_fen) - 1)]

    def cut(self, stay: Span) -> list[Span]:
        """The stay in periods, counted from entry."""
        if self.kind == "none":
            return [stay]
        length, begin = self.length_s or DAY_SECONDS, stay.begin
        edge = begin if self.kind == "rolling" else begin - begin % DAY_SECONDS
        edges = [begin, *range(edge + length, stay.end, length), stay.end]
        return [Span(one, other) for one, other in pairwise(edges)]


def _read_caps(value: object, where: str) -> tuple[int | None, ...]:
    if isinstance(value, list | tuple):
        return list_of(or_null(fen))(value, where)
    return (fen(value, where),)


@dataclass(frozen=True)
class VehicleClass:
    """What differs for a class of vehicles: a factor on all or some bands, or bands of its own."""

    permille: int
    multiplied_bands: frozenset[str] | None
    own_bands: tuple[Band, ...] | None

    @classmethod
    def read(cls, value: object, where: str) -> "VehicleClass":
        form = Form(value, where)
        factor = form.take_or("multiplier_permille", permille, None)
        names = form.take_or("multiplier_bands", list_of(word), None)
        own_bands = form.take_or("own_bands", list_of(Band.read), None)
        form.close()
        if names is not None and factor is None:
            raise InvalidTariff(where, "有multiplier_bands而无multiplier_permille")
        return cls(FULL_PERMILLE if factor is None else factor, None if names is None else frozenset(names), own_bands)

    def permille_of(self, band: Band) -> int:
        if self.multiplied_bands is None or band.name in self.multiplied_bands:
            return self.permille
        return FULL_PERMILLE

    def price_of(self, band: Band, fen: int) -> int:
        """What this class pays for a piece of a band that costs others so much."""
        return by_permille(fen, self.permille_of(band))
