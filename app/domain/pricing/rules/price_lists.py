"""What a piece of a stay costs one class of vehicle, band cap and factor included."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.pricing.rules.methods import FlatThenUnits, Run
from app.domain.pricing.rules.parts import Band, VehicleClass, by_permille
from app.domain.pricing.rules.spans import Span

MOST_REMEMBERED: Final = 4096


class Priced(NamedTuple):
    """The runs of a piece, its price before and after the band's cap, and with the vehicle's factor."""

    runs: tuple[Run, ...]
    full_fen: int
    capped_fen: int
    fen: int
    permille: int


class PriceList:
    """The prices of one class of vehicle; what depends on a band and a length alone is reckoned once and kept."""

    def __init__(self, rule: VehicleClass) -> None:
        self._rule = rule
        self._kept: dict[tuple[str, int], Priced] = {}

    def of(self, band: Band, parts: Sequence[Span], period_begin: int) -> Priced:
        """The price of a piece that consists of these parts."""
        if len(parts) > 1 or isinstance(band.method, FlatThenUnits):
            return self.of_runs(band, band.method.price(parts, period_begin))
        begin, end = parts[0]
        place = band.name, end - begin
        known = self._kept.get(place)
        if known is None:
            if len(self._kept) >= MOST_REMEMBERED:
                self._kept.clear()
            known = self._kept[place] = self.of_runs(band, band.method.price(parts, period_begin))
        return known

    def of_runs(self, band: Band, runs: tuple[Run, ...]) -> Priced:
        """The price of a piece whose units are known."""
        full = sum(run.fen for run in runs)
        capped = full if band.cap is None else band.cap.of(runs)
        permille = self._rule.permille_of(band)
        return Priced(runs, full, capped, by_permille(capped, permille), permille)
