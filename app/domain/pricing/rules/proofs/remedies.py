"""The smallest change of a rate with which a price would hold under the cap.

A fee never grows when one of its amounts shrinks, so that the highest amount that passes can be searched for, and only
the entries that exceeded the cap have to be looked at again.

Smallest is what loses the least part of itself: 3 yuan an hour to 2.7 is a smaller change than a visit's 5 yuan to 4,
and than a cap of 30 to 20. Of equal parts the one of fewer fen is taken, and then the one that is written first.
"""

import copy
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from app.domain.pricing.rules.form import InvalidTariff
from app.domain.pricing.rules.parts import FULL_PERMILLE
from app.domain.pricing.rules.proofs.search import OWN, Excess, Pen, Search, greatest_excess, quoted
from app.domain.pricing.rules.tariff import Tariff
from app.domain.pricing.rules.wording import yuan


class Change(NamedTuple):
    """An amount in fen, by the place where the tariff names it, before and after."""

    path: str
    before_fen: int
    after_fen: int

    @property
    def size(self) -> tuple[Fraction, int]:
        """Which part of the amount is lost, and how many fen."""
        lost = self.before_fen - self.after_fen
        return Fraction(lost, self.before_fen), lost

    def explain(self) -> str:
        return f"{self.path} 由{yuan(self.before_fen)}调至{yuan(self.after_fen)}"


@dataclass(frozen=True)
class Remedy:
    """Amounts to lower. One alone where one will do; else several, none of which need be as low as it is for itself."""

    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "changes": [
                {"path": change.path, "from_fen": change.before_fen, "to_fen": change.after_fen}
                for change in self.changes
            ]
        }

    def explain(self) -> str:
        return f"将{'，'.join(change.explain() for change in self.changes)}，即可通过。"


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
    yield from _listed((parameters.get("plate_cap") or {}).get("fen"), ("plate_cap", "fen"))


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


def smallest_remedy(search: Search, excesses: Sequence[Excess]) -> Remedy:
    """The single amount that has to be lowered by the smallest part of itself, else several of them.

    What is best for a few stays is tried on all; the one that it leaves the worst joins the few.
    """
    before = _Draft.of(search.own.tariff.parameters)
    trial = _Trial(search, sorted(excesses, key=lambda excess: -excess.fen), before)
    while True:
        best = trial.alone(before) or trial.together(before)
        if not trial.is_refuted(best):
            return best.against(before)


@dataclass(frozen=True)
class _Draft:
    """The own parameters with other amounts."""

    parameters: Mapping[str, Any]
    places: tuple[Amount, ...]
    fens: tuple[int, ...]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "_Draft":
        places = tuple(amounts(parameters))
        return cls(parameters, places, tuple(place.fen for place in places))

    def put(self, place: int, fen: int) -> "_Draft":
        return replace(self, fens=(*self.fens[:place], fen, *self.fens[place + 1 :]))

    def least(self, place: int) -> int:
        """The lowest amount that makes sense at a place beside the others: a cap is not below the first unit."""
        return bisect_left(range(self.fens[place]), True, key=lambda fen: self.put(place, fen).makes_sense)

    @property
    def makes_sense(self) -> bool:
        try:
            self.tariff()
        except InvalidTariff:
            return False
        return True

    def scaled(self, permille: int) -> "_Draft":
        return replace(self, fens=tuple(fen * permille // FULL_PERMILLE for fen in self.fens))

    def tariff(self) -> Tariff:
        """Refuses `InvalidTariff` where the amounts make no sense beside each other."""
        changed = copy.deepcopy(dict(self.parameters))
        for place, fen in zip(self.places, self.fens, strict=True):
            place.put(changed, fen)
        return Tariff.load(changed)

    def against(self, before: "_Draft") -> Remedy:
        rows = zip(self.places, before.fens, self.fens, strict=True)
        return Remedy(tuple(Change(place.path, old, new) for place, old, new in rows if new < old))


class _Trial:
    """Tries amounts on the stays that exceeded the cap; `_cases` are those that have refuted one so far."""

    def __init__(self, search: Search, excesses: Sequence[Excess], before: _Draft) -> None:
        self._search = search
        self._alone = {place: fen - 1 for place, fen in enumerate(before.fens)}
        self._least = {place: before.least(place) for place in self._alone}
        self._permille = FULL_PERMILLE
        self._excesses = [(excess.entry, search.cap(excess.entry)) for excess in excesses]
        self._cases = [self._case(excesses[0])]

    def alone(self, before: _Draft) -> _Draft | None:
        """The draft in which one amount is lowered by the least; None if no single one helps the cases.

        More cases never let an amount be higher, so each is looked for below where it was found the last time, where
        all but the newest case pass.
        """
        found = {
            place: self._highest(self._least[place], most, partial(before.put, place), self._cases[-1:])
            for place, most in self._alone.items()
            if self._least[place] <= most
        }
        self._alone = {place: number for place, number in found.items() if number is not None}
        drafts = [before.put(place, number) for place, number in self._alone.items()]
        return min(drafts, key=lambda draft: draft.against(before).changes[0].size, default=None)

    def together(self, before: _Draft) -> _Draft:
        """All amounts in proportion, then each by itself as high as the others let it be.

        An amount may have to wait for a cap behind it, below which it would make no sense; so all are gone over again.
        """
        self._permille = self._highest(0, self._permille, before.scaled, self._cases) or 0
        lowered = before.scaled(self._permille)
        while (raised := self._raised(lowered, before)) != lowered:
            lowered = raised
        return lowered

    def _raised(self, lowered: _Draft, before: _Draft) -> _Draft:
        for place, fen in enumerate(before.fens):
            highest = self._highest(lowered.fens[place], fen, partial(lowered.put, place), self._cases)
            lowered = lowered if highest is None else lowered.put(place, highest)
        return lowered

    def is_refuted(self, draft: _Draft) -> bool:
        """Whether some stay still exceeds the cap; the one that does so by the most is a case from then on."""
        pen = Pen(draft.tariff(), OWN, self._search.own.horizon_s, is_own=True)
        still = [Excess(entry, *greatest_excess(pen.curve(entry), cap)[::-1]) for entry, cap in self._excesses]
        worst = max(still, key=lambda excess: excess.fen)
        if worst.fen > 0:
            self._cases.append(self._case(worst))
        return worst.fen > 0

    def _highest(self, low: int, high: int, change: Callable[[int], _Draft], cases: Sequence[Case]) -> int | None:
        """The highest number with which none of the cases exceeds its cap; None if not even the lowest will do."""
        if self._passes(change(high), cases):
            return high
        if not self._passes(change(low), cases):
            return None
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._passes(change(middle), cases) else (low, middle - 1)
        return low

    def _passes(self, draft: _Draft, cases: Sequence[Case]) -> bool:
        try:
            pen = Pen(draft.tariff(), OWN, is_own=True)
        except InvalidTariff:
            return False
        quotes = (quoted(pen, case.excess) for case in reversed(cases))
        limits = (case.cap_fen for case in reversed(cases))
        return all(quote is None or quote.total_fen <= limit for quote, limit in zip(quotes, limits, strict=True))

    def _case(self, excess: Excess) -> Case:
        cap = self._search.cap(excess.entry).fen_at(excess.exit)
        assert cap is not None
        return Case(excess, cap)
