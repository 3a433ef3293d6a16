"""How many bays are free for a span: the gaps between what is taken, sorted by begin and by end, and counted."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate, compress
from math import inf
from typing import Any, Final

Busy = tuple[datetime, datetime]
"""A half-open span [begins_at, ends_at) for which a bay is taken or closed."""

EVER: Final = datetime.min.replace(tzinfo=UTC)
NEVER: Final = datetime.max.replace(tzinfo=UTC)


BITS: Final = 16
"""So many bits of a sum hold the count of one kind: no lot has 65,536 bays, nor bays of more than four kinds."""


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The kinds of a lot's bays; lots with the same ones share it. `memo` is for whoever shows sums of them."""

    names: tuple[str, ...]
    memo: dict[int, Any] = field(default_factory=dict)

    def counts(self, free: int) -> Mapping[str, int]:
        """A sum by kind."""
        return {name: free >> BITS * place & ((1 << BITS) - 1) for place, name in enumerate(self.names)}


of_kinds = cache(Kinds)


@dataclass(frozen=True, slots=True)
class Gaps:
    """The free times of a lot's bays, in seconds since 1970; a bay has at most one that holds a given span.

    Bays of all kinds are counted at once: each kind has its bits in every sum, the first one the lowest. A city has
    half a million gaps: hence arrays.
    """

    kinds: Kinds
    begins: "array[float]"
    """Sorted; `ends` and `weights` are in their order, and `begun` are the sums of the weights before each."""
    ends: "array[float]"
    weights: "array[int]"
    begun: "array[int]"
    ends_sorted: "array[float]"
    ended: "array[int]"
    """The sums of the weights before each of `ends_sorted`."""

    @classmethod
    def of(cls, bays: Iterable[tuple[str, Iterable[Busy]]]) -> "Gaps":
        """The gaps of bays, each told by its kind and the spans for which it is taken; they may overlap."""
        told = list(bays)
        kinds = of_kinds(tuple(sorted({kind for kind, _ in told})))
        weight = {kind: 1 << BITS * place for place, kind in enumerate(kinds.names)}
        gaps = sorted((begin, end, weight[kind]) for kind, busy in told for begin, end in _gaps(busy))
        by_end = sorted((end, own) for _, end, own in gaps)
        weights = [own for _, _, own in gaps]
        return cls(
            kinds, array("d", [begin for begin, _, _ in gaps]), array("d", [end for _, end, _ in gaps]),
            array("Q", weights), _sums(weights),
            array("d", [end for end, _ in by_end]), _sums(own for _, own in by_end),
        )  # fmt: skip

    def free(self, begins: float, ends: float) -> int:
        """How many bays of each kind are free for all of [begins, ends), in one sum: see `Kinds.counts`.

        Gaps that have begun, less those that end too early. Of the latter, some begin only within the span: they were
        never counted, and they are the only ones that have to be looked at one by one.
        """
        first = bisect_right(self.begins, begins)
        free = self.begun[first] - self.ended[bisect_left(self.ends_sorted, ends)]
        last = bisect_left(self.begins, ends, first)
        if first < last:
            free += sum(compress(self.weights[first:last], map(ends.__gt__, self.ends[first:last])))
        return free


def _sums(weights: Iterable[int]) -> "array[int]":
    return array("Q", accumulate(weights, initial=0))


def _gaps(busy: Iterable[Busy]) -> Iterable[tuple[float, float]]:
    free_from = -inf
    for begins, ends in sorted((begins_at.timestamp(), ends_at.timestamp()) for begins_at, ends_at in busy):
        if begins > free_from:
            yield free_from, begins
        free_from = max(free_from, ends)
    yield free_from, inf
