"""The arithmetic of one stay: the rules of docs/tariffs.md in their order, in whole seconds and whole fen."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.domain.pricing.rules.blocks import Block, Charge, total_fen
from app.domain.pricing.rules.day_classes import Calendar
from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.layers import Overstay, PlateCap
from app.domain.pricing.rules.parts import FreeTime, by_permille
from app.domain.pricing.rules.pieces import Ground, pieces_of
from app.domain.pricing.rules.price_lists import PriceList
from app.domain.pricing.rules.spans import NoPrice, Span, Timetable
from app.domain.pricing.rules.tariff import Tariff


class Asked(NamedTuple):
    """A stay to be priced, and what is known beside it."""

    stay: Span
    earlier: Sequence[Span] = ()
    """The vehicle's other stays that began before this one, in order."""
    booked_end: int | None = None
    free_s: int | None = None
    """The free time that a proof gives in place of the usual."""


@dataclass(eq=False)
class Pricing:
    """One tariff for one class of vehicle on one calendar."""

    tariff: Tariff
    vehicle_class: str
    timetable: Timetable
    prices: PriceList
    _known: dict[Hashable, tuple[int, Block]] = field(default_factory=dict)

    @classmethod
    def by(cls, tariff: Tariff, vehicle_class: str, calendar: Calendar) -> "Pricing":
        """The prices of a class that the tariff names."""
        timetable = tariff.timetable(vehicle_class, calendar)
        return cls(tariff, vehicle_class, timetable, tariff.price_lists[vehicle_class])

    def bill(self, asked: Asked) -> list[Block]:
        """Every step that makes the fee, in order; NoPrice where the tariff says nothing about the time."""
        blocks = self._one_stay(asked)
        if self.tariff.plate_cap is None:
            return blocks
        left = self.left_for_plate(self.tariff.plate_cap, asked)
        return [*blocks, *_capped("plate_cap", asked.stay, left, blocks)]

    def _one_stay(self, asked: Asked) -> list[Block]:
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

    def _overstay(self, overstay: Overstay, late: Span) -> list[Block]:
        blocks = self._late(overstay, late)
        cap = overstay.cap_fen
        return blocks if cap is None else [*blocks, *_capped("overstay_cap", late, cap, blocks)]

    def _late(self, overstay: Overstay, late: Span) -> list[Block]:
        if overstay.permille is not None:
            blocks = self._stay(late, None)
            once = total_fen(blocks)
            dearer = by_permille(once, overstay.permille) - once
            return [*blocks, Block.of(Charge("overstay", late, dearer, figure=overstay.permille))]
        seconds = sum(part.seconds for part in late.without(self.tariff.free_spans))
        if overstay.filed is not None:
            run = overstay.filed.run(seconds)
            return [Block.of(Charge("overstay", late, run.fen, runs=(run,)))]
        return [Block.of(Charge("overstay", late, overstay.fixed_fen or 0))] if seconds else []

    def _stay(self, stay: Span, free: "_Free | None") -> list[Block]:
        again = free if free is not None and free.rule.again_each_period else None
        charged_from, blocks = stay.begin, []
        if free is not None and again is None:
            charged_from = self._charged_from(stay, free)
            blocks = _free_charge(stay, charged_from)
        periods = self.tariff.periods.cut(stay)
        price = self._period if len(periods) > _FEW else self._priced
        for place, period in enumerate(periods):
            begin = min(max(period.begin, charged_from), period.end)
            if again is not None:
                begin = self._charged_from(period, again)
                blocks += _free_charge(period, begin)
            blocks.append(self._limited(place, period, price(period, Span(begin, period.end))))
        return blocks

    def _charged_from(self, span: Span, free: "_Free") -> int:
        """Where charging begins in a span that has free time."""
        if free.rule.deducted:
            return min(span.begin + free.allowance_s, span.end)
        measured = self._chargeable_seconds(span) if free.rule.on_chargeable_time else span.seconds
        return span.end if measured <= free.allowance_s else span.begin

    def _chargeable_seconds(self, span: Span) -> int:
        segments = [each for part in span.without(self.tariff.free_spans) for each in self.timetable.walk(part)]
        return sum(part.seconds for part, band in segments if not band.is_free)

    def _limited(self, place: int, period: Span, block: Block) -> Block:
        """A period with the line of its cap, if that takes something off."""
        cap = self.tariff.periods.cap_of(place)
        if cap is None or block.total_fen <= cap:
            return block
        return block.with_charge(Charge("period_cap", period, cap - block.total_fen, figure=cap))

    def _period(self, period: Span, charged: Span) -> Block:
        """Periods that look alike cost alike: in a long stay most of them are priced once."""
        likeness = self._likeness(period, charged)
        if likeness is None:
            return self._priced(period, charged)
        if likeness not in self._known:
            self._known[likeness] = period.begin, self._priced(period, charged)
        begin, block = self._known[likeness]
        return block.moved(period.begin - begin)

    def _likeness(self, period: Span, charged: Span) -> Hashable | None:
        """What the price of a period depends on; None where no other can be like it, or nobody may ask."""
        if self.tariff.free_spans:
            return None
        told = period.begin % DAY_SECONDS, charged.begin - period.begin, period.end - period.begin
        if not self.tariff.is_day_classed or charged.begin == charged.end:
            return told
        return (
            None if self.tariff.boundary_policy in _LOOK_AT_FEWER_DAYS else (told, self.timetable.plans_over(charged))
        )

    def _priced(self, period: Span, charged: Span) -> Block:
        holes = [hole.within(charged) for hole in self.tariff.free_spans]
        parts = charged.without(holes) if holes else [charged] if charged.seconds else []
        ground = Ground(period.begin, self.timetable, self.prices)
        pieces = list(pieces_of(self.tariff.boundary_policy, parts, ground))
        return Block.of_pieces(pieces, [Charge("free_span", hole, 0) for hole in holes if hole.seconds])


_FEW: Final = 2
"""The first period and the last are hardly ever like another."""
_LOOK_AT_FEWER_DAYS: Final = frozenset({"by_entry", "carry_part_unit"})
"""Under these policies a period may not depend on the class of each of its days, which then must not be asked for."""


class _Free(NamedTuple):
    """Free time that this stay has, and how long."""

    rule: FreeTime
    allowance_s: int


def _free_charge(of: Span, charged_from: int) -> list[Block]:
    """The line that says so; `figure` is 1 when nothing of it is charged."""
    free = Span(of.begin, charged_from)
    return [Block.of(Charge("free_time", free, 0, figure=int(free == of)))] if free.seconds else []


def _capped(rule: str, span: Span, cap_fen: int, blocks: Iterable[Block]) -> list[Block]:
    """The line that takes off what is above a cap."""
    above = total_fen(blocks) - cap_fen
    return [Block.of(Charge(rule, span, -above, figure=cap_fen))] if above > 0 else []


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
