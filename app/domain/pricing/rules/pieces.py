"""How the time of one period becomes priced pieces: the five named boundary policies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.pricing.rules.methods import PerVisit, Run, Stepped
from app.domain.pricing.rules.parts import Band
from app.domain.pricing.rules.spans import Span, Timetable


@dataclass(frozen=True)
class Piece:
    """Time that is priced at once by one band."""

    band: Band
    span: Span
    runs: tuple[Run, ...]


Charged = Sequence[Span]
"""The parts of a period that are charged, in order."""


def pieces_of(policy: str, period_begin: int, charged: Charged, timetable: Timetable) -> list[Piece]:
    """The pieces of one period under a boundary policy; the parts of a stay between free spans are pieces apart."""
    return list(_POLICIES[policy](period_begin, charged, timetable))


def _each_segment(period_begin: int, charged: Charged, timetable: Timetable) -> Iterator[Piece]:
    for span in charged:
        for part, band in timetable.segments(span):
            yield Piece(band, part, band.method.price([part], period_begin))


def _sum_per_band(period_begin: int, charged: Charged, timetable: Timetable) -> Iterator[Piece]:
    parts: dict[str, list[Span]] = {}
    bands: dict[str, Band] = {}
    for span in charged:
        for part, band in timetable.segments(span):
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
        at = span.begin
        while at < span.end:
            part, band = timetable.segment_from(at, span.end)
            if isinstance(band.method, Stepped):
                piece = _laid(band, band.method, part, span.end, timetable)
            else:
                piece = Piece(band, part, band.method.price([part], period_begin))
            yield piece
            at = piece.span.end


def _laid(band: Band, method: Stepped, part: Span, end: int, timetable: Timetable) -> Piece:
    """Units from the part's begin for as long as each next one starts in the same band."""
    begin, start_before = part
    laid = method.lay(start_before - begin, end - begin)
    while begin + laid.end < end and timetable.band_at(begin + laid.end) is band:
        start_before = timetable.segment_from(begin + laid.end, end).span.end
        laid = method.lay(start_before - begin, end - begin)
    return Piece(band, Span(begin, begin + laid.end), laid.runs)


_POLICIES: Final[Mapping[str, Callable[[int, Charged, Timetable], Iterator[Piece]]]] = {
    "single_band": _each_segment,
    "round_each_segment": _each_segment,
    "sum_per_band": _sum_per_band,
    "by_entry": _by_entry,
    "carry_part_unit": _carry_part_unit,
}
