"""Draws the fee of one entry for every exit up to some time later.

The same rules in the same order as a quote (docs/tariffs.md), each applied once for all exits instead of once for each.
Tests hold the curves against the engine, exit by exit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.pricing.rules.day_classes import Calendar
from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.parts import FreeTime
from app.domain.pricing.rules.proofs.grid import HORIZON_S, grain
from app.domain.pricing.rules.proofs.ladders import Ladders
from app.domain.pricing.rules.proofs.layout import Layout
from app.domain.pricing.rules.proofs.pieces import Ground, growing
from app.domain.pricing.rules.proofs.steps import Curve
from app.domain.pricing.rules.spans import Span, classes_told, day_of
from app.domain.pricing.rules.tariff import Tariff


@dataclass(frozen=True, eq=False)
class Drawing:
    """One tariff for one class of vehicle on given days; `holes` are the free spans that touch them.

    Seconds are counted from the first midnight.
    """

    tariff: Tariff
    vehicle_class: str
    layout: Layout
    ladders: Ladders
    holes: Sequence[Span]
    horizon_s: int = HORIZON_S

    def curve(self, entry: int, *, has_free: bool) -> Curve:
        """The fee for each exit in (entry, entry + horizon], with or without the tariff's free time."""
        stay = Span(entry, entry + self.horizon_s)
        free = self.tariff.free if has_free else None
        again = free is not None and free.again_each_period
        curve = self._summed(stay, free, again=again)
        if free is not None and not again and not free.deducted:
            curve = curve.free_until(self._waived_until(free, stay), stay.end)
        last = min(entry + (self.tariff.longest_stay_s or self.horizon_s), self._usable_until(entry))
        return curve if last >= stay.end else curve.until(last)

    def _summed(self, stay: Span, free: FreeTime | None, *, again: bool) -> Curve:
        """The periods one after the other, each limited to its cap."""
        curve, closed_fen = Curve(), 0
        for place, period in enumerate(self.tariff.periods.cut(stay)):
            inside = self._period_with_free_time(period, free) if again and free else self._once(period, stay, free)
            curve.extend(inside.limited(self.tariff.periods.cap_of(place)).raised(closed_fen))
            last_fen = curve.fens[-1]
            if last_fen is None:
                break
            closed_fen = last_fen
        return curve

    def _once(self, period: Span, stay: Span, free: FreeTime | None) -> Curve:
        deducted = free.allowance_of(self.vehicle_class) if free is not None and free.deducted else 0
        return self._period(period, max(period.begin, stay.begin + deducted))

    def _period_with_free_time(self, period: Span, free: FreeTime) -> Curve:
        if free.deducted:
            return self._period(period, period.begin + free.allowance_of(self.vehicle_class))
        return self._period(period, period.begin).free_until(self._waived_until(free, period), period.end)

    def _period(self, period: Span, charged_from: int) -> Curve:
        curve = Curve([period.begin + 1], [0])
        charged = Span(min(charged_from, period.end), period.end).without(self.holes)
        ground = Ground(self.layout, self.ladders, period.begin)
        for piece in growing(self.tariff.boundary_policy, charged, ground):
            curve.extend(piece.curve)
        return curve

    def _waived_until(self, free: FreeTime, span: Span) -> int:
        """The last exit of a span at which a waived free time still covers everything."""
        left = free.allowance_of(self.vehicle_class)
        if not free.on_chargeable_time:
            return min(span.begin + left, span.end)
        for part in span.without(self.holes):
            for begin, end, band in self.layout.over(part):
                if band is None:
                    return begin
                counted = 0 if band.is_free else end - begin
                if counted > left:
                    return begin + left
                left -= counted
        return span.end

    def _usable_until(self, entry: int) -> int:
        window = self.tariff.usable_window
        if window is None or window.is_whole_day:
            return entry + self.horizon_s
        midnight = entry - entry % DAY_SECONDS
        length = (window.end - window.begin) % DAY_SECONDS
        for begin in (midnight + window.begin - DAY_SECONDS, midnight + window.begin):
            if begin <= entry < begin + length:
                return begin + length
        return entry


def fee_curve(tariff: Tariff, entry: int, seconds: int, vehicle_class: str | None, calendar: Calendar) -> Curve:
    """The fee of a vehicle without earlier stays that enters at a wall second, for each exit up to so long after it.

    The curve counts seconds from the entry. The calendar is asked for each date where some band looks at its class.
    """
    begin = entry - entry % DAY_SECONDS
    days = [day_of(at) for at in range(begin, entry + seconds + 1, DAY_SECONDS)]
    name, rule = tariff.class_of(vehicle_class)
    holes = [Span(hole.begin - begin, hole.end - begin) for hole in tariff.free_spans]
    classes = [classes_told(calendar(day)) if tariff.is_day_classed else frozenset[str]() for day in days]
    layout, ladders = Layout(tariff.bands_of(rule), classes), Ladders(rule, grain([tariff], holes), seconds)
    drawn = Drawing(tariff, name, layout, ladders, holes, seconds).curve(entry - begin, has_free=True)
    limited = drawn.limited(None if tariff.plate_cap is None else tariff.plate_cap.fen)
    return Curve([start - (entry - begin) for start in limited.starts], limited.fens)
