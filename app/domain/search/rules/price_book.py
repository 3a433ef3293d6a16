"""Which tariffs decide what a stay in a lot costs, looked up by when the stay begins."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from app.domain.pricing.rules.proofs.combining import LOWEST
from app.domain.search.rules.bays import EVER, NEVER

MOST_KEPT: Final = 50_000


class Dated(NamedTuple):
    """A tariff that holds from a moment until another; `splits`: it takes over the stays that run when it begins."""

    begins_at: datetime
    ends_at: datetime
    tariff_id: int
    splits: bool = False


class DatedRule(NamedTuple):
    """A rule of combining references; of those that hold at a moment the one with the lowest `rank` counts."""

    rank: int
    begins_at: datetime
    ends_at: datetime
    rule: str


@dataclass(frozen=True, slots=True, eq=False)
class PriceSet:
    """Which tariffs decide what a stay costs: the lot's own with the moments from which they do, and those that cap it.

    Lots that charge alike share one, whenever their first tariff began.
    """

    own: tuple[tuple[datetime, int], ...]
    references: tuple[int, ...]
    rule: str = LOWEST


price_set = lru_cache(MOST_KEPT)(PriceSet)


@dataclass(frozen=True, slots=True, eq=False)
class PriceBook:
    """A lot's own tariffs, those that cap it and how; `sets` are what they come to before each of the `turns`."""

    own: tuple[Dated, ...]
    references: tuple[Dated, ...]
    rules: tuple[DatedRule, ...]
    turns: Sequence[datetime]
    sets: Sequence[PriceSet | None]

    def for_stay(self, begins_at: datetime, ends_at: datetime) -> PriceSet | None:
        """The tariffs that count for a stay [begins_at, ends_at); `None` when the lot has none of its own."""
        place = bisect_right(self.turns, begins_at)
        if ends_at <= self.turns[place]:
            return self.sets[place]
        return _set_for(self.own, self.references, self.rules, begins_at, ends_at)


@lru_cache(MOST_KEPT)
def price_book(
    own: tuple[Dated, ...], references: tuple[Dated, ...] = (), rules: tuple[DatedRule, ...] = ()
) -> PriceBook:
    """One book for all lots of which the same is told."""
    spans = (each for dated in (own, references, rules) for each in dated)
    turns = sorted({EVER, NEVER, *(turn for each in spans for turn in (each.begins_at, each.ends_at))})
    sets = [None, *(_set_for(own, references, rules, first, last) for first, last in pairwise(turns))]
    return PriceBook(own, references, rules, turns, sets)


def _set_for(
    own: tuple[Dated, ...], references: tuple[Dated, ...], rules: tuple[DatedRule, ...],
    begins_at: datetime, ends_at: datetime,
) -> PriceSet | None:  # fmt: skip
    first = next((each.tariff_id for each in own if each.begins_at <= begins_at < each.ends_at), None)
    if first is None:
        return None
    later = (each for each in own if each.splits and begins_at < each.begins_at < ends_at)
    around = (each.tariff_id for each in references if each.begins_at <= begins_at < each.ends_at)
    holding = [each for each in rules if each.begins_at <= begins_at < each.ends_at]
    return price_set(
        ((EVER, first), *((each.begins_at, each.tariff_id) for each in later)), tuple(around),
        min(holding).rule if holding else LOWEST,
    )  # fmt: skip
