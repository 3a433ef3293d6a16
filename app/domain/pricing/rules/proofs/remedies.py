"""The smallest change of a rate with which a price would hold under the cap.

A fee never grows when one of its amounts shrinks, so that the highest amount that passes can be searched for, and only the
entries that exceeded the cap have to be looked at again.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from app.domain.pricing.rules.form import InvalidTariff
from app.domain.pricing.rules.parts import FULL_PERMILLE
from app.domain.pricing.rules.proofs.search import OWN, Excess, Pen, Search, greatest_excess
from app.domain.pricing.rules.tariff import Tariff
from app.domain.pricing.rules.wording import yuan

ALL_RATES: Final = "all"


class Remedy(NamedTuple):
    """One amount to lower, by the place where the tariff names it; or a factor in permille for all of them."""

    path: str
    before: int
    after: int

    def as_dict(self) -> dict[str, Any]:
        unit = "permille" if self.path == ALL_RATES else "fen"
        return {"path": self.path, f"from_{unit}": self.before, f"to_{unit}": self.after}

    def explain(self) -> str:
        if self.path == ALL_RATES:
            return f"将全部费率调至原来的{self.after / 10:g}%（各项舍去不足1分的部分），即可通过。"
        return f"将 {self.path} 由{yuan(self.before)}调至{yuan(self.after)}，即可通过。"


@dataclass(frozen=True)
class Amount:
    """A place in the parameters where an amount in fen stands."""

    keys: tuple[str | int, ...]
    fen: int

    @property
    def path(self) -> str:
        return "parameters" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.keys)

    def put(self, parameters: dict[str, Any], fen: int) -> None:
        holder: Any = parameters
        for key in self.keys[:-1]:
            holder = holder[key]
        holder[self.keys[-1]] = fen


def amounts(parameters: Mapping[str, Any]) -> Iterator[Amount]:
    """Every amount above 0 that a stay may be charged by or capped at."""
    yield from _bands(parameters["bands"], ("bands",))
    for name, rule in parameters["vehicle_classes"].items():
        yield from _bands(rule.get("own_bands") or (), ("vehicle_classes", name, "own_bands"))
    yield from _listed(parameters["period"].get("cap_fen"), ("period", "cap_fen"))


def _bands(bands: Sequence[Mapping[str, Any]], at: tuple[str | int, ...]) -> Iterator[Amount]:
    for place, band in enumerate(bands):
        here = (*at, place)
        for key in ("fen", "flat_fen"):
            yield from _listed(band.get(key), (*here, key))
        yield from _listed((band.get("band_cap") or {}).get("fen"), (*here, "band_cap", "fen"))
        for rows in ("steps", "table"):
            for row, each in enumerate(band.get(rows, ())):
                yield from _listed(each["fen"], (*here, rows, row, "fen"))


def _listed(value: object, at: tuple[str | int, ...]) -> Iterator[Amount]:
    if isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _listed(each, (*at, place))
    elif isinstance(value, int) and value > 0:
        yield Amount(at, value)


class Case(NamedTuple):
    """A stay and what it may cost at most."""

    excess: Excess
    cap_fen: int


def smallest_remedy(search: Search, excesses: Sequence[Excess]) -> Remedy | None:
    """The single amount that has to be lowered by the fewest fen, else the factor for all; None if nothing passes."""
    trial = _Trial(search, sorted(excesses, key=lambda excess: -excess.fen))
    parameters = search.own.tariff.parameters
    found = [
        Remedy(amount.path, amount.fen, after)
        for amount in amounts(parameters)
        if (after := trial.highest(amount.fen - 1, _lowering(parameters, [amount]))) is not None
    ]
    if found:
        return min(found, key=lambda remedy: remedy.before - remedy.after)
    after = trial.highest(FULL_PERMILLE - 1, _scaling(parameters))
    return None if after is None else Remedy(ALL_RATES, FULL_PERMILLE, after)


Change = Callable[[int], Tariff]
"""The own tariff with an amount in fen, or a factor in permille, instead of its own."""


def _lowering(parameters: Mapping[str, Any], places: Sequence[Amount]) -> Change:
    def lowered(fen: int) -> Tariff:
        changed = copy.deepcopy(dict(parameters))
        for place in places:
            place.put(changed, fen)
        return Tariff.load(changed)

    return lowered


def _scaling(parameters: Mapping[str, Any]) -> Change:
    def scaled(permille: int) -> Tariff:
        changed = copy.deepcopy(dict(parameters))
        for place in amounts(parameters):
            place.put(changed, place.fen * permille // FULL_PERMILLE)
        return Tariff.load(changed)

    return scaled


class _Trial:
    """Tries changes on the stays that exceeded the cap; those that refuted one change are asked first for the next."""

    def __init__(self, search: Search, excesses: Sequence[Excess]) -> None:
        self._search = search
        self._excesses = excesses
        self._cases = [self._case(excesses[0])]

    def highest(self, most: int, change: Change) -> int | None:
        """The highest number up to `most` with which no stay exceeds the cap; None if not even 0 will do."""
        while (most_left := self._highest_for_cases(most, change)) is not None:
            refuted = self._refuted(change(most_left))
            if refuted is None:
                return most_left
            self._cases.append(refuted)
            most = most_left - 1
        return None

    def _highest_for_cases(self, most: int, change: Change) -> int | None:
        if most < 0 or not self._passes_cases(change, 0):
            return None
        low, high = 0, most
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._passes_cases(change, middle) else (low, middle - 1)
        return low

    def _passes_cases(self, change: Change, number: int) -> bool:
        try:
            pen = Pen(change(number), OWN)
        except InvalidTariff:
            return False
        return all(_fen(pen, case.excess) <= case.cap_fen for case in self._cases)

    def _refuted(self, tariff: Tariff) -> Case | None:
        pen = Pen(tariff, OWN)
        for excess in self._excesses:
            fen, exit_ = greatest_excess(pen.curve(excess.entry), self._search.cap(excess.entry))
            if fen > 0:
                return self._case(Excess(excess.entry, exit_, fen))
        return None

    def _case(self, excess: Excess) -> Case:
        cap = self._search.cap(excess.entry).fen_at(excess.exit)
        assert cap is not None
        return Case(excess, cap)


def _fen(pen: Pen, excess: Excess) -> int:
    return pen.curve(excess.entry).fen_at(excess.exit) or 0
