"""What a piece of time costs as it grows: the band's own price at each length where it may change."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.methods import FlatThenUnits
from app.domain.pricing.rules.parts import Band, VehicleClass, by_permille
from app.domain.pricing.rules.spans import NoPrice, Span


class Ladder(NamedTuple):
    """From `lengths[i]` seconds on the piece costs `fens[i]`; None is no price. The first length is 1."""

    lengths: list[int]
    fens: list[int | None]

    def fen_at(self, length: int) -> int | None:
        """What a piece of a length costs that is at least one second."""
        return self.fens[bisect_right(self.lengths, length) - 1]

    def after(self, seconds: int) -> "Ladder":
        """The ladder of a piece whose first `seconds` are behind it."""
        if not seconds:
            return self
        rung = max(bisect_right(self.lengths, seconds + 1) - 1, 0)
        later = [length - seconds for length in self.lengths[rung + 1 :]]
        return Ladder([1, *later], self.fens[rung:])


NO_PRICE: Final = Ladder([1], [None])


class Ladders:
    """The ladders of one class of vehicle, each built once."""

    def __init__(self, rule: VehicleClass, grain_s: int, horizon_s: int) -> None:
        self._rule = rule
        self._grain_s = grain_s
        self._horizon_s = horizon_s
        self._built: dict[object, Ladder] = {}

    def of(self, band: Band, begin: int, period_begin: int, before: tuple[Span, ...] = ()) -> Ladder:
        """The ladder of a piece that begins at `begin`; `before` are spans that are priced together with it."""
        if isinstance(band.method, FlatThenUnits):
            return self._flat(band, begin, period_begin, before)
        key = band.name
        if key not in self._built:
            self._built[key] = self._build(band, 0, 0, ())
        return self._built[key].after(sum(span.seconds for span in before))

    def _flat(self, band: Band, begin: int, period_begin: int, before: tuple[Span, ...]) -> Ladder:
        parts = tuple((span.begin - begin, span.end - begin) for span in before)
        key = (band.name, begin - period_begin, begin % DAY_SECONDS, parts)
        if key not in self._built:
            self._built[key] = self._build(band, begin, period_begin, before)
        return self._built[key]

    def _build(self, band: Band, begin: int, period_begin: int, before: tuple[Span, ...]) -> Ladder:
        lengths: list[int] = []
        fens: list[int | None] = []
        for length in sorted(self._lengths(begin, period_begin)):
            fen = self._price(band, begin + length, begin, period_begin, before)
            if not fens or fens[-1] != fen:
                lengths.append(length)
                fens.append(fen)
        return Ladder(lengths, fens)

    def _lengths(self, begin: int, period_begin: int) -> Iterable[int]:
        """Every length at which the price may change: on a multiple of the grain, or one second later."""
        origins = {0, -begin % self._grain_s, (period_begin - begin) % self._grain_s}
        grains = range(-self._grain_s, self._horizon_s + 1, self._grain_s)
        reached = {grain + origin + second for grain in grains for origin in origins for second in (0, 1)}
        return {1} | {length for length in reached if 1 <= length <= self._horizon_s}

    def _price(
        self, band: Band, end: int, begin: int, period_begin: int, before: tuple[Span, ...]
    ) -> int | None:  # fmt: skip
        try:
            runs = band.method.price([*before, Span(begin, end)], period_begin)
        except NoPrice:
            return None
        fen = sum(run.fen for run in runs) if band.cap is None else band.cap.of(runs)
        return by_permille(fen, self._rule.permille_of(band))
