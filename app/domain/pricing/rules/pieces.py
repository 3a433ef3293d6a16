"""How the time of one period becomes priced pieces: the five named boundary policies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from app.domain.pricing.rules.methods import PerVisit, Stepped
from app.domain.pricing.rules.parts import Band
from app.domain.pricing.rules.price_lists import Priced, PriceList
from app.domain.pricing.rules.spans import Segment, Span, Timetable


class Piece(NamedTuple):
    """Time that is priced at once by one band."""

    band: Band
    span: Span
    price: Priced


class Ground(NamedTuple):
    """What the pieces of one period stand on."""

    period_begin: int
    timetable: Timetable
    prices: PriceList

    def piece(self, band: Band, parts: Sequence[Span]) -> Piece:
        """Parts of one band, priced together."""
        return Piece(band, Span(parts[0].begin, parts[-1].end), self.prices.of(band, parts, self.period_begin))


def pieces_of(policy: str, charged: Sequence[Span], ground: Ground) -> Iterator[Piece]:
    """The pieces of one period under a boundary policy, from the parts of it that are charged, in order.

    The parts of a stay between free spans are pieces apart.
    """
    return _POLICIES[policy](charged, ground)


def _each_segment(charged: Sequence[Span], ground: Ground) -> Iterator[Piece]:
    for span in charged:
        for part, band in ground.timetable.walk(span):
            yield ground.piece(band, (part,))


def _sum_per_band(charged: Sequence[Span], ground: Ground) -> Iterator[Piece]:
    parts: dict[str, list[Span]] = {}
    bands: dict[str, Band] = {}
    for span in charged:
        for part, band in ground.timetable.walk(span):
            bands[band.name] = band
            parts.setdefault(band.name, []).append(part)
    for name, band in bands.items():
        for together in _priced_together(band, parts[name]):
            yield ground.piece(band, together)


def _priced_together(band: Band, parts: list[Span]) -> list[list[Span]]:
    return [[part] for part in parts] if isinstance(band.method, PerVisit) else [parts]


def _by_entry(charged: Sequence[Span], ground: Ground) -> Iterator[Piece]:
    for span in charged:
        yield ground.piece(ground.timetable.band_at(ground.period_begin), (span,))


def _carry_part_unit(charged: Sequence[Span], ground: Ground) -> Iterator[Piece]:
    for span in charged:
        segments, place, at = ground.timetable.segments(span), 0, span.begin
        while at < span.end:
            part, band = segments[place]
            if isinstance(band.method, Stepped):
                piece, place = _laid(band, band.method, at, place, segments, ground.prices)
            else:
                piece, place = ground.piece(band, (Span(at, part.end),)), place + 1
            yield piece
            at = piece.span.end


def _laid(
    band: Band, method: Stepped, begin: int, place: int, segments: Sequence[Segment], prices: PriceList
) -> tuple[Piece, int]:
    """Units from `begin` for as long as each next one starts in the same band; and the place of the segment reached."""
    end = segments[-1].span.end
    while True:
        laid = method.lay(segments[place].span.end - begin, end - begin)
        reached = begin + laid.end
        while place < len(segments) and segments[place].span.end <= reached:
            place += 1
        if place == len(segments) or segments[place].band is not band:
            return Piece(band, Span(begin, reached), prices.of_runs(band, laid.runs)), place


_POLICIES: Final[Mapping[str, Callable[[Sequence[Span], Ground], Iterator[Piece]]]] = {
    "single_band": _each_segment,
    "round_each_segment": _each_segment,
    "sum_per_band": _sum_per_band,
    "by_entry": _by_entry,
    "carry_part_unit": _carry_part_unit,
}
