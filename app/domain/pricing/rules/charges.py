"""The arithmetic of one stay: the rules of docs/tariffs.md in their order, in whole seconds and whole fen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.pricing.rules.layers import Overstay, PlateCap
from app.domain.pricing.rules.methods import Run
from app.domain.pricing.rules.parts import Band, FreeTime, VehicleClass, by_permille
from app.domain.pricing.rules.pieces import Piece, pieces_of
from app.domain.pricing.rules.spans import NoPrice, Span, Timetable
from app.domain.pricing.rules.tariff import Tariff


class Charge(NamedTuple):
    """One line of a quote before it is put into words; `figure` is the number that its rule speaks of."""

    rule: str
    span: Span
    amount_fen: int
    band: Band | None = None
    runs: tuple[Run, ...] = ()
    figure: int = 0


def total_fen(charges: Collection[Charge]) -> int:
    """What the charges make together."""
    return sum(charge.amount_fen for charge in charges)


class Asked(NamedTuple):
    """A stay to be priced, and what is known beside it."""

    stay: Span
    earlier: Sequence[Span] = ()
    """The vehicle's other stays that began before this one, in order."""
    booked_end: int | None = None
    free_s: int | None = None
    """The free time that a proof gives in place of the usual."""


@dataclass(frozen=True)
class Pricing:
    """One tariff for one class of vehicle on one calendar."""

    tariff: Tariff
    vehicle_class: str
    rule: VehicleClass
    timetable: Timetable

    def charges(self, asked: Asked) -> list[Charge]:
        """Every step that makes the fee, in order; NoPrice where the tariff says nothing about the time."""
        charges = self._one_stay(asked)
        if self.tariff.plate_cap is None:
            return charges
        left = self.left_for_plate(self.tariff.plate_cap, asked)
        return [*charges, *_capped("plate_cap", asked.stay, left, charges)]

    def _one_stay(self, asked: Asked) -> list[Charge]:
        """The stay by itself, whatever others of the vehicle cost."""
        stay, booked_end = asked.stay, asked.booked_end
        self._refuse_beyond_limits(stay)
        free, overstay = self._free_time(asked), self.tariff.overstay
        if overstay is None or booked_end is None or stay.end <= overstay.begins_after(booked_end):
            return self._stay(stay, free)
        late = Span(max(stay.begin, booked_end), stay.end)
        return [*self._stay(Span(stay.begin, late.begin), free), *self._overstay(overstay, late)]

    def _refuse_beyond_limits(self, stay: Span) -> None:
        longest, window = self.tariff.longest_stay_s, self.tariff.usable_window
        if longest is not None and stay.seconds > longest:
            raise NoPrice(reason="该标准只适用于更短的停车")
        if window is not None and window.seconds_within(stay) < stay.seconds:
            raise NoPrice(reason="该标准只适用于一天中的部分时间")

    def _free_time(self, asked: Asked) -> "_Free | None":
        rule = self.tariff.free
        if rule is None or not rule.is_given(asked.stay.begin, [other.begin for other in asked.earlier]):
            return None
        return _Free(rule, rule.allowance_of(self.vehicle_class) if asked.free_s is None else asked.free_s)

    def left_for_plate(self, cap: PlateCap, asked: Asked) -> int:
        """What the cap leaves for this stay after those under it, each of which was capped in its turn."""
        paid: list[tuple[int, int]] = []
        for place, other in _under_one_cap(cap, asked):
            alone = total_fen(self._one_stay(Asked(other, asked.earlier[:place])))
            paid.append((other.begin, min(alone, _left(cap, paid, other.begin))))
        return _left(cap, paid, asked.stay.begin)

    def _overstay(self, overstay: Overstay, late: Span) -> list[Charge]:
        charges = self._late(overstay, late)
        cap = overstay.cap_fen
        return charges if cap is None else [*charges, *_capped("overstay_cap", late, cap, charges)]

    def _late(self, overstay: Overstay, late: Span) -> list[Charge]:
        if overstay.permille is not None:
            charges = self._stay(late, None)
            once = total_fen(charges)
            dearer = by_permille(once, overstay.permille) - once
            return [*charges, Charge("overstay", late, dearer, figure=overstay.permille)]
        seconds = sum(part.seconds for part in late.without(self.tariff.free_spans))
        if overstay.filed is not None:
            run = overstay.filed.run(seconds)
            return [Charge("overstay", late, run.fen, runs=(run,))]
        return [Charge("overstay", late, overstay.fixed_fen or 0)] if seconds else []

    def _stay(self, stay: Span, free: "_Free | None") -> list[Charge]:
        again = free if free is not None and free.rule.again_each_period else None
        charged_from, charges = stay.begin, []
        if free is not None and again is None:
            charged_from = self._charged_from(stay, free)
            charges = _free_charge(stay, charged_from)
        for place, period in enumerate(self.tariff.periods.cut(stay)):
            begin = min(max(period.begin, charged_from), period.end)
            if again is not None:
                begin = self._charged_from(period, again)
                charges += _free_charge(period, begin)
            charges += self._period(place, period, Span(begin, period.end))
        return charges

    def _charged_from(self, span: Span, free: "_Free") -> int:
        """Where charging begins in a span that has free time."""
        if free.rule.deducted:
            return min(span.begin + free.allowance_s, span.end)
        measured = self._chargeable_seconds(span) if free.rule.on_chargeable_time else span.seconds
        return span.end if measured <= free.allowance_s else span.begin

    def _chargeable_seconds(self, span: Span) -> int:
        segments = [each for part in span.without(self.tariff.free_spans) for each in self.timetable.walk(part)]
        return sum(part.seconds for part, band in segments if not band.is_free)

    def _period(self, place: int, period: Span, charged: Span) -> list[Charge]:
        holes = [hole.within(charged) for hole in self.tariff.free_spans]
        charges = [Charge("free_span", hole, 0) for hole in holes if hole.seconds]
        parts = charged.without(holes)
        for piece in pieces_of(self.tariff.boundary_policy, period.begin, parts, self.timetable):
            charges += self._piece(piece)
        cap = self.tariff.periods.cap_of(place)
        return charges if cap is None else [*charges, *_capped("period_cap", period, cap, charges)]

    def _piece(self, piece: Piece) -> list[Charge]:
        band, span, runs = piece
        full = sum(run.fen for run in runs)
        capped = full if band.cap is None else band.cap.of(runs)
        factored = self.rule.price_of(band, capped)
        charges = [Charge("band", span, full, band, runs)]
        if capped != full:
            charges.append(Charge("band_cap", span, capped - full, band, figure=capped))
        if factored != capped:
            charges.append(Charge("vehicle_factor", span, factored - capped, band, figure=self.rule.permille_of(band)))
        return charges


class _Free(NamedTuple):
    """Free time that this stay has, and how long."""

    rule: FreeTime
    allowance_s: int


def _free_charge(of: Span, charged_from: int) -> list[Charge]:
    """The line that says so; `figure` is 1 when nothing of it is charged."""
    free = Span(of.begin, charged_from)
    return [Charge("free_time", free, 0, figure=int(free == of))] if free.seconds else []


def _capped(rule: str, span: Span, cap_fen: int, charges: Collection[Charge]) -> list[Charge]:
    """The line that takes off what is above a cap."""
    above = total_fen(charges) - cap_fen
    return [Charge(rule, span, -above, figure=cap_fen)] if above > 0 else []


def _left(cap: PlateCap, paid: Sequence[tuple[int, int]], entry: int) -> int:
    return max(cap.fen - sum(fen for begin, fen in paid if cap.counts(begin, entry)), 0)


def _under_one_cap(cap: PlateCap, asked: Asked) -> list[tuple[int, Span]]:
    """The earlier stays that bear on what the cap leaves, in order, each with its place among all earlier ones."""
    bearing, later = [], asked.stay.begin
    for place in reversed(range(len(asked.earlier))):
        other = asked.earlier[place]
        if cap.counts(other.begin, later):
            bearing.append((place, other))
            later = other.begin
    return bearing[::-1]
