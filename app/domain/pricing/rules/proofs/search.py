"""Looks at every stay that could exceed the cap, and finds for each entry the exit at which it does so by the most."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from app.domain.pricing.rules.charges import Asked, Pricing
from app.domain.pricing.rules.proofs.combining import combined_curve
from app.domain.pricing.rules.proofs.curves import Drawing
from app.domain.pricing.rules.proofs.dates import Setting
from app.domain.pricing.rules.proofs.grid import HORIZON_S, entries, grain
from app.domain.pricing.rules.proofs.histories import History, busy_days, histories
from app.domain.pricing.rules.proofs.ladders import Ladders
from app.domain.pricing.rules.proofs.layout import Layout
from app.domain.pricing.rules.proofs.steps import Curve
from app.domain.pricing.rules.quotes import Quote, quote
from app.domain.pricing.rules.spans import NoPrice, Span
from app.domain.pricing.rules.tariff import Tariff

OWN = 0
"""The own tariff stands first among the tariffs of a proof; the references follow."""

_EPOCH = date(1970, 1, 1)
"""The date of a setting's first midnight when seconds are counted from there."""

_MOST_NAMED = 24
"""So many entries at which an assumption refutes are looked at again with stays that are named."""

_MOST_REMEMBERED = 5_000_000
"""Steps of curves that one tariff may keep in memory."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A sequence of days, a class of vehicle, and the grain of both tariffs there."""

    setting: Setting
    vehicle_class: str
    grain_s: int

    @property
    def entries(self) -> Iterator[int]:
        return entries(self.grain_s)


class Entry(NamedTuple):
    """One entry second that stands for others, and the vehicle's earlier stays, in seconds from the first midnight.

    `used_up` assumes that earlier stays, whichever they were, leave nothing of the references' caps of one plate.
    """

    scene: Scene
    at: int
    history: History
    used_up: bool = False

    @property
    def asked(self) -> Asked:
        return Asked(Span(self.at, self.at), self.history)


class Excess(NamedTuple):
    """The first exit at which an entry exceeds the cap by the most."""

    entry: Entry
    exit: int
    fen: int


class Pen:
    """Draws the curves of one tariff, which has a place among the tariffs of the proof.

    `is_own` tells the own tariff, and a reference that is equal to it: the same stays leave both the same.
    """

    def __init__(self, tariff: Tariff, place: int, horizon_s: int = HORIZON_S, *, is_own: bool = False) -> None:
        self.tariff = tariff
        self.place = place
        self.is_own = is_own
        self.horizon_s = horizon_s
        self._ladders: dict[tuple[str, int], Ladders] = {}
        self._drawings: dict[Scene, Drawing] = {}
        self._alike: dict[object, Drawing] = {}
        self._drawn: dict[tuple[Drawing, int, bool], Curve] = {}

    def curve(self, entry: Entry) -> Curve:
        """The entry's fee for every exit."""
        return self._alone(entry).limited(self.left(entry))

    def left(self, entry: Entry) -> int | None:
        """What earlier stays leave of the tariff's cap of one plate; None where it has none."""
        cap = self.tariff.plate_cap
        if cap is None:
            return None
        if entry.used_up and not self.is_own and cap.counts(entry.at - 1, entry.at):
            return 0
        if not any(stay.seconds for stay in entry.history):
            return cap.fen
        name, _ = self.tariff.class_of(self.class_for(entry.scene.vehicle_class))
        calendar = entry.scene.setting.calendar(self.place, _EPOCH)
        pricing = Pricing.by(self.tariff, name, calendar)
        return pricing.left_for_plate(cap, entry.asked)

    def _alone(self, entry: Entry) -> Curve:
        """The curve without earlier stays' fees; where all days are alike to the tariff, each is drawn once."""
        drawing = self._drawing(entry.scene)
        key = (drawing, entry.at, self.has_free(entry))
        if key in self._drawn:
            return self._drawn[key]
        curve = drawing.curve(entry.at, has_free=key[-1])
        if not self.tariff.is_day_classed and len(self._drawn) * len(curve.starts) < _MOST_REMEMBERED:
            self._drawn[key] = curve
        return curve

    def has_free(self, entry: Entry) -> bool:
        return self.tariff.free is None or self.tariff.free.is_given(entry.at, [stay.begin for stay in entry.history])

    def _drawing(self, scene: Scene) -> Drawing:
        if scene not in self._drawings:
            name, rule = self.tariff.class_of(self.class_for(scene.vehicle_class))
            days, holes = scene.setting.names_of(self.place), scene.setting.holes[self.place]
            ladders = self._ladders.setdefault((name, scene.grain_s), Ladders(rule, scene.grain_s, self.horizon_s))
            drawing = Drawing(
                self.tariff, name, Layout(self.tariff.bands_of(rule), days), ladders, holes, self.horizon_s
            )
            self._drawings[scene] = self._alike.setdefault((name, scene.grain_s, days, holes), drawing)
        return self._drawings[scene]

    def class_for(self, vehicle_class: str) -> str:
        """A class that the tariff does not name is priced as any other vehicle."""
        return vehicle_class if vehicle_class in self.tariff.vehicle_classes else self.tariff.default_class


@dataclass
class Search:
    """Every entry of every scene, own curve against cap curve."""

    own: Pen
    references: Sequence[Pen]
    combine: str
    unbounded: bool = False
    entries: int = 0

    def excesses(self, settings: Sequence[Setting]) -> Iterator[Excess]:
        """Each entry that exceeds the cap at some exit; `unbounded` and `entries` are told when it is done."""
        for scene in self.scenes(settings):
            for at in scene.entries:
                for entry in self._ways(Entry(scene, at, ())):
                    yield from self._looked_at(entry)

    def scenes(self, settings: Sequence[Setting]) -> Iterator[Scene]:
        tariffs = [pen.tariff for pen in self._pens]
        classes = sorted({name for tariff in tariffs for name in tariff.vehicle_classes})
        for setting in settings:
            holes = [hole for mine in setting.holes for hole in mine]
            for vehicle_class in _unlike(classes, self._pens):
                yield Scene(setting, vehicle_class, grain(tariffs, holes))

    def cap(self, entry: Entry) -> Curve:
        return combined_curve(self.combine, [pen.curve(entry) for pen in self.references])

    def named(self, excesses: Iterable[Excess]) -> Iterator[Excess]:
        """The worst of those that rest on an assumption, again with earlier stays that are named."""
        assumed = [excess for excess in excesses if excess.entry.used_up]
        worst = sorted(assumed, key=lambda excess: (-excess.fen, -excess.entry.at))[:_MOST_NAMED]
        for entry in (excess.entry for excess in worst):
            for history in busy_days(entry.at):
                with_stays = entry._replace(history=history, used_up=False)
                if self._have_prices(with_stays):
                    yield from self._looked_at(with_stays)

    def _looked_at(self, entry: Entry) -> Iterator[Excess]:
        self.entries += 1
        own, cap = self.own.curve(entry), self.cap(entry)
        fen, exit_ = greatest_excess(own, cap)
        if fen > 0:
            yield Excess(entry, exit_, fen)
        self.unbounded = self.unbounded or (None in cap.fens and is_unbounded(own, cap))

    def _ways(self, alone: Entry) -> list[Entry]:
        """The entry with earlier stays, in as many ways as free time can tell apart, and the caps of one plate."""
        known: dict[object, Entry] = {}
        for history in histories(alone.at):
            entry = alone._replace(history=history)
            known.setdefault(tuple(pen.has_free(entry) for pen in self._pens), entry)
        assumed = [entry._replace(used_up=True) for entry in known.values()] if self._may_be_used_up(alone.at) else []
        return [*known.values(), *assumed]

    @property
    def _pens(self) -> Sequence[Pen]:
        return self.own, *self.references

    def _have_prices(self, entry: Entry) -> bool:
        """Whether every tariff has a price for the earlier stays; one that has none has none for this stay either."""
        try:
            for pen in self._pens:
                pen.left(entry)
        except NoPrice:
            return False
        return True

    def _may_be_used_up(self, at: int) -> bool:
        """Whether earlier stays, whichever they were, may leave nothing of a reference's cap, but of the own one."""
        caps = [pen.tariff.plate_cap for pen in self.references if not pen.is_own]
        return any(cap is not None and cap.counts(at - 1, at) for cap in caps)


def _unlike(classes: Sequence[str], pens: Sequence[Pen]) -> list[str]:
    """One class for each way in which the tariffs price it."""
    kinds: dict[object, str] = {}
    for name in classes:
        kinds.setdefault(tuple(_kind(pen.tariff, pen.class_for(name)) for pen in pens), name)
    return list(kinds.values())


def _kind(tariff: Tariff, name: str) -> object:
    allowance = None if tariff.free is None else tariff.free.allowance_of(name)
    return tariff.vehicle_classes[name], allowance


def greatest_excess(own: Curve, cap: Curve) -> tuple[int, int]:
    """By how many fen the own fee exceeds the cap at most, and the first exit at which; never below 0."""
    most, exit_ = 0, own.starts[0]
    starts, fens, step = cap.starts, cap.fens, 0
    ends = [*own.starts[1:], max(own.starts[-1], starts[-1]) + 1]
    for start, end, fen in zip(own.starts, ends, own.fens, strict=True):
        at = start
        while at < end:
            while step + 1 < len(starts) and starts[step + 1] <= at:
                step += 1
            bound = fens[step]
            if fen is not None and bound is not None and fen - bound > most:
                most, exit_ = fen - bound, at
            at = starts[step + 1] if step + 1 < len(starts) else end
    return most, exit_


def is_unbounded(own: Curve, cap: Curve) -> bool:
    """Whether some exit has a fee that is not 0 and no cap."""
    exits = sorted({*own.starts, *cap.starts})
    return any(cap.fen_at(exit_) is None and own.fen_at(exit_) for exit_ in exits)


def quoted(pen: Pen, excess: Excess) -> Quote | None:
    """The stay as the engine itself prices it; None where the tariff has no price."""
    setting = excess.entry.scene.setting
    vehicle_class = pen.class_for(excess.entry.scene.vehicle_class)
    history = [(setting.moment(stay.begin), setting.moment(stay.end)) for stay in excess.entry.history]
    entry, exit_ = setting.moment(excess.entry.at), setting.moment(excess.exit)
    calendar = setting.calendar(pen.place, setting.first)
    try:
        return quote(pen.tariff, entry, exit_, vehicle_class, history, calendar)
    except NoPrice:
        return None
