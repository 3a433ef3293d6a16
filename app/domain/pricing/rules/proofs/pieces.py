"""How charged time becomes growing pieces: the five boundary policies, for all exits at once."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from app.domain.pricing.rules.methods import PerVisit, Stepped
from app.domain.pricing.rules.parts import Band
from app.domain.pricing.rules.proofs.ladders import NO_PRICE, Ladder, Ladders
from app.domain.pricing.rules.proofs.layout import Layout
from app.domain.pricing.rules.proofs.steps import Curve
from app.domain.pricing.rules.spans import Span


class Growing(NamedTuple):
    """A piece as it grows: an exit in (begin, end] costs what the ladder says and `closed_fen` for what is over.

    One without a price ends everything: no later exit has one.
    """

    begin: int
    end: int
    ladder: Ladder
    closed_fen: int

    @property
    def fen(self) -> int | None:
        """What is owed when the piece is complete."""
        last = self.ladder.fen_at(self.end - self.begin)
        return None if last is None else self.closed_fen + last

    @property
    def curve(self) -> Curve:
        """What is owed at each exit within the piece."""
        rungs = bisect_right(self.ladder.lengths, self.end - self.begin)
        starts = [self.begin + length for length in self.ladder.lengths[:rungs]]
        return Curve(starts, self.ladder.fens[:rungs]).raised(self.closed_fen)


class Ground(NamedTuple):
    """What pieces are made from: the days' bands, their ladders, and where the period begins."""

    layout: Layout
    ladders: Ladders
    period_begin: int


Piecewise = Iterator[Growing]


def growing(policy: str, charged: Sequence[Span], ground: Ground) -> Piecewise:
    """The pieces of one period in order, under a boundary policy; nothing follows a piece that ends without a price."""
    for piece in _POLICIES[policy](charged, ground):
        yield piece
        if piece.fen is None:
            return


def _gap(span: Span) -> Growing:
    return Growing(span.begin, span.end, NO_PRICE, 0)


def _each_segment(charged: Sequence[Span], ground: Ground) -> Piecewise:
    closed = 0
    for span in charged:
        for begin, end, band in ground.layout.over(span):
            if band is None:
                yield _gap(Span(begin, end))
                return
            piece = Growing(begin, end, ground.ladders.of(band, begin, ground.period_begin), closed)
            yield piece
            closed = piece.fen or 0


def _by_entry(charged: Sequence[Span], ground: Ground) -> Piecewise:
    closed = 0
    for span in charged:
        band = ground.layout.at(ground.period_begin).band
        if band is None:
            yield _gap(span)
            return
        piece = Growing(*span, ground.ladders.of(band, span.begin, ground.period_begin), closed)
        yield piece
        closed = piece.fen or 0


def _sum_per_band(charged: Sequence[Span], ground: Ground) -> Piecewise:
    before: dict[str, tuple[Span, ...]] = {}
    fens: dict[str, int] = {}
    for span in charged:
        for begin, end, band in ground.layout.over(span):
            if band is None:
                yield _gap(Span(begin, end))
                return
            together = before.get(band.name, ())
            is_apart = isinstance(band.method, PerVisit)
            others = sum(fen for name, fen in fens.items() if is_apart or name != band.name)
            ladder = ground.ladders.of(band, begin, ground.period_begin, () if is_apart else together)
            piece = Growing(begin, end, ladder, others)
            yield piece
            before[band.name] = (*together, Span(begin, end))
            fens[band.name] = (piece.fen or 0) - others + (fens.get(band.name, 0) if is_apart else 0)


def _carry_part_unit(charged: Sequence[Span], ground: Ground) -> Piecewise:
    closed = 0
    for span in charged:
        begin, known = span.begin, _known_until(span, ground.layout)
        while begin < known:
            band = ground.layout.at(begin).band
            assert band is not None
            end = min(_end_of_units(band, begin, ground.layout), known)
            piece = Growing(begin, end, ground.ladders.of(band, begin, ground.period_begin), closed)
            yield piece
            closed, begin = piece.fen or 0, end
        if known < span.end:
            yield _gap(Span(known, span.end))
            return


def _known_until(span: Span, layout: Layout) -> int:
    """Where the first gap in a span begins; no unit runs into time that has no price."""
    return next((begin for begin, _, band in layout.over(span) if band is None), span.end)


def _end_of_units(band: Band, begin: int, layout: Layout) -> int:
    """Where the last unit ends that starts in the band: units run over its end, and may start in it again."""
    end = begin
    while layout.at(end).band is band and end < layout.end:
        end = max(_units_cover(band, begin, layout.at(end).end), layout.at(end).end)
    return end


def _units_cover(band: Band, begin: int, until: int) -> int:
    """The end of the unit that holds the second before `until`; a price that is not by units ends there itself."""
    if not isinstance(band.method, Stepped):
        return until
    covered = begin
    for step in band.method.steps:
        needed = -(-(until - covered) // step.unit_s) * step.unit_s
        covered += needed if step.length_s is None else min(needed, step.length_s)
        if covered >= until:
            break
    return covered


_POLICIES: Final[Mapping[str, Callable[[Sequence[Span], Ground], Piecewise]]] = {
    "single_band": _each_segment,
    "round_each_segment": _each_segment,
    "sum_per_band": _sum_per_band,
    "by_entry": _by_entry,
    "carry_part_unit": _carry_part_unit,
}
