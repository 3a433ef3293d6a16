"""How the time of one period becomes priced pieces: the five named boundary policies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from app.domain.pricing.rules.methods import PerVisit, Run, Stepped
from app.domain.pricing.rules.parts import Band
from app.domain.pricing.rules.spans import Span, Timetable


class Piece(NamedTuple):
    """Time that is priced at once by one band."""

    band: Band
    span: Span
    runs: tuple[Run, ...]


Charged = Sequence[Span]
"""The parts of a period that are charged, in order."""


def pieces_of(policy: str, period_begin: int, charged: Charged, timetable: Timetable) -> Iterator[Piece]:
    """The pieces of one period under a boundary policy; the parts of a stay between free spans are pieces apart."""
    return _POLICIES[policy](period_begin, charged, timetable)


def _each_segment(period_begin: int, charged: Charged, timetable: Timetable) -> Iterator[Piece]:
    for span in charged:
        for part, band in timetable.walk(span):
            yield Piece(band, part, band.method.price([part], period_begin))


def _sum_per_band(period_begin: int, charged: Charged, timetable: Timetable) -> Iterator[Piece]:
    parts: dict[str, list[Span]] = {}
    bands: dict[str, Band] = {}
    for span in charged:
        for part, band in timetable.walk(span):
            bands[band.name] = band
            parts.setdefault(band.name, []).append(part)
    for name, band in bands.items():
        for together in _priced_together(band, parts[name]):
            whole = Span(together[0].begin, together[-1].end)
            yield Piece(band, whole, band.method.price(together, period_begin))


def _priced_together(band: Band, parts: list[Span]) -> list[list[Span]]:
    return [[part] for part in parts] if isinstance(band.method, PerVisit) else [parts]


def _by_entry(period_begin: int, charged: Charged, timetable: Timetable) -> Iterator[Piece]:
    for span in charged:
        band = timetable.band_at(period_begin)
        yield Piece(band, span, band.method.price([span], period_begin))


def _carry_part_unit(period_begin: int, charged: Charged, timetable: Timetable) -> Iterator[Piece]:
    for span in charged:
        yield from _carried(period_begin, span, timetable.segments(span))


def _carried(period_begin: int, span: Span, segments: Sequence[tuple[Span, Band]]) -> Iterator[Piece]:
    place, at = 0, span.begin
    while at < span.end:
        (_, end), band = segments[place]
        if isinstance(band.method, Stepped):
            place, at, piece = _laid(band, band.method, at, place, segments)
            yield piece
        else:
            yield Piece(band, Span(at, end), band.method.price([Span(at, end)], period_begin))
            place, at = place + 1, end


def _laid(
    band: Band, method: Stepped, begin: int, place: int, segments: Sequence[tuple[Span, Band]]
) -> tuple[int, int, Piece]:  # fmt: skip
    """Units from `begin` for as long as each next one starts in the same band; then the segment and second reached."""
    end = segments[-1][0].end
    while True:
        laid = method.lay(segments[place][0].end - begin, end - begin)
        reached = begin + laid.end
        while place < len(segments) and segments[place][0].end <= reached:
            place += 1
        if place == len(segments) or segments[place][1] is not band:
            return place, reached, Piece(band, Span(begin, reached), laid.runs)


_POLICIES: Final[Mapping[str, Callable[[int, Charged, Timetable], Iterator[Piece]]]] = {
    "single_band": _each_segment,
    "round_each_segment": _each_segment,
    "sum_per_band": _sum_per_band,
    "by_entry": _by_entry,
    "carry_part_unit": _carry_part_unit,
}
