"""The smallest change of a rate with which a price would hold under the cap.

A fee never grows when one of its amounts shrinks, so that the highest amount that passes can be searched for, and only
the entries that exceeded the cap have to be looked at again.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from app.domain.pricing.rules.form import InvalidTariff
from app.domain.pricing.rules.parts import FULL_PERMILLE
from app.domain.pricing.rules.proofs.search import OWN, Excess, Pen, Search, greatest_excess, quoted
from app.domain.pricing.rules.proofs.steps import Curve
from app.domain.pricing.rules.tariff import Tariff
from app.domain.pricing.rules.wording import yuan


class Change(NamedTuple):
    """An amount in fen, by the place where the tariff names it, before and after."""

    path: str
    before_fen: int
    after_fen: int

    def explain(self) -> str:
        return f"{self.path} 由{yuan(self.before_fen)}调至{yuan(self.after_fen)}"


@dataclass(frozen=True)
class Remedy:
    """Amounts to lower. One alone where one will do; else several, none of which need be as low as it is for itself."""

    changes: tuple[Change, ...]

    @property
    def reduction_fen(self) -> int:
        return sum(change.before_fen - change.after_fen for change in self.changes)

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
    """The single amount that has to be lowered by the fewest fen, else several of them."""
    trial = _Trial(search, sorted(excesses, key=lambda excess: -excess.fen))
    draft = _Draft.of(search.own.tariff.parameters)
    alone = [
        draft.put(place, after) for place in range(len(draft.fens)) if (after := trial.one(draft, place)) is not None
    ]
    if alone:
        return min((each.against(draft) for each in alone), key=lambda remedy: remedy.reduction_fen)
    return _several(trial, draft).against(draft)


def _several(trial: "_Trial", draft: "_Draft") -> "_Draft":
    """All amounts in proportion, then each by itself as high as the others let it be."""
    lowered = draft.scaled(trial.highest(FULL_PERMILLE, draft.scaled, passing=0) or 0)
    for place, before_fen in enumerate(draft.fens):
        highest = trial.highest(before_fen, partial(lowered.put, place), passing=lowered.fens[place])
        lowered = lowered if highest is None else lowered.put(place, highest)
    return lowered


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
    """Tries amounts on the stays that exceeded the cap; those that refuted one are asked first for the next."""

    def __init__(self, search: Search, excesses: Sequence[Excess]) -> None:
        self._search = search
        self._excesses = excesses
        self._caps: dict[int, Curve] = {}
        self._cases = [self._case(excesses[0])]

    def one(self, draft: _Draft, place: int) -> int | None:
        """How high one amount may be beside the others as they are; None if not even 0 will do."""
        return self.highest(draft.fens[place] - 1, partial(draft.put, place))

    def highest(self, most: int, change: Callable[[int], _Draft], passing: int | None = None) -> int | None:
        """The highest number up to `most` with which no stay exceeds the cap, given one that is known to pass."""
        while (left := self._highest_for_cases(passing or 0, most, change)) is not None and left != passing:
            refuted = self._refuted(change(left).tariff())
            if refuted is None:
                return left
            self._cases.append(refuted)
        return left

    def _highest_for_cases(self, low: int, high: int, change: Callable[[int], _Draft]) -> int | None:
        if not self._passes_cases(change(low)):
            return None
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._passes_cases(change(middle)) else (low, middle - 1)
        return low

    def _passes_cases(self, draft: _Draft) -> bool:
        try:
            tariff = draft.tariff()
        except InvalidTariff:
            return False
        return all(self._fen(tariff, case.excess) <= case.cap_fen for case in reversed(self._cases))

    def _fen(self, tariff: Tariff, excess: Excess) -> int:
        quote = quoted(Pen(tariff, OWN), excess)
        return 0 if quote is None else quote.total_fen

    def _refuted(self, tariff: Tariff) -> Case | None:
        pen = Pen(tariff, OWN, self._search.own.horizon_s)
        for place, excess in enumerate(self._excesses):
            fen, exit_ = greatest_excess(pen.curve(excess.entry), self._cap(place))
            if fen > 0:
                return self._case(Excess(excess.entry, exit_, fen))
        return None

    def _cap(self, place: int) -> Curve:
        """Caps do not change with the own amounts: each is drawn once."""
        if place not in self._caps:
            self._caps[place] = self._search.cap(self._excesses[place].entry)
        return self._caps[place]

    def _case(self, excess: Excess) -> Case:
        cap = self._search.cap(excess.entry).fen_at(excess.exit)
        assert cap is not None
        return Case(excess, cap)
