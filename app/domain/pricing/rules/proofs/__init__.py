"""Proof that a lot is never dearer than the government-priced car-parks around it (N3.3), or the stay that shows it is.

Nothing is sampled. `grid` says which entries stand for all others and why, `dates` which days may follow each other,
`curves` draws the fee of an entry for every exit to the second, `search` compares, `remedies` looks for the smallest
change that would pass. docs/cap-proof.md tells the whole argument.
"""

from collections.abc import Sequence
from datetime import timedelta

from app.domain.pricing.rules.proofs.combining import LOWEST, RULES, UnknownCombination, combined
from app.domain.pricing.rules.proofs.dates import Readings, Setting, every_date, readings, settings
from app.domain.pricing.rules.proofs.grid import HORIZON_S, grain
from app.domain.pricing.rules.proofs.remedies import Remedy, smallest_remedy
from app.domain.pricing.rules.proofs.search import OWN, Excess, Pen, Search, quoted
from app.domain.pricing.rules.proofs.verdicts import Counterexample, Proof, quote_as_dict
from app.domain.pricing.rules.tariff import Tariff

__all__ = [
    "HORIZON_S",
    "LOWEST",
    "RULES",
    "Counterexample",
    "Proof",
    "Readings",
    "Remedy",
    "UnknownCombination",
    "combined",
    "every_date",
    "prove",
    "quote_as_dict",
    "readings",
]


class CurveAndEngineDisagree(AssertionError):
    """The curves of the proof and the engine price one stay differently: a defect, never a verdict."""


def prove(
    own: Tariff, references: Sequence[Tariff], dates: Readings, combine: str = LOWEST, horizon_s: int = HORIZON_S
) -> Proof:
    """Whether the own fee is never above the cap.

    That is: for any entry second, any sequence of days that `dates` can produce, any class of vehicle, the least
    favourable earlier stays and any duration up to `horizon_s` (at most 48 h), without waivers and discounts. A class
    that a tariff does not name is priced as its default class. A stay for which no reference has a price is not bounded
    by any, which the proof tells. Refuses `UnknownCombination`.
    """
    if combine not in RULES:
        raise UnknownCombination(combine=combine)
    ways = settings([own, *references], dates)
    search = _search(own, references, combine, horizon_s, equals_too=True)
    excesses = list(search.excesses(ways))
    excesses += search.named(excesses)
    case = None
    if excesses:
        case = _counterexample(search, max(excesses, key=_badness), _to_lower(search, excesses, ways))
    return Proof(combine, case, search.unbounded, grain([own, *references]), len(ways), search.entries)


def _search(
    own: Tariff, references: Sequence[Tariff], combine: str, horizon_s: int, *, equals_too: bool
) -> Search:  # fmt: skip
    """`equals_too`: whether a reference that is equal to the own tariff is left the same by the same earlier stays."""
    pens = [
        Pen(each, place, horizon_s, is_own=equals_too and each == own) for place, each in enumerate(references, OWN + 1)
    ]
    return Search(Pen(own, OWN, horizon_s, is_own=True), pens, combine)


def _badness(excess: Excess) -> tuple[bool, int, int]:
    """What is told first: stays that can be named, the dearest, the shortest."""
    return not excess.entry.used_up, excess.fen, excess.entry.at - excess.exit


def _to_lower(search: Search, excesses: Sequence[Excess], ways: Sequence[Setting]) -> Remedy:
    """The smallest remedy. Once an amount is changed no reference is equal to the own tariff any more."""
    if not any(pen.is_own and pen.tariff.plate_cap for pen in search.references):
        return smallest_remedy(search, excesses)
    references = [pen.tariff for pen in search.references]
    apart = _search(search.own.tariff, references, search.combine, search.own.horizon_s, equals_too=False)
    return smallest_remedy(apart, list(apart.excesses(ways)))


def _counterexample(search: Search, worst: Excess, remedy: Remedy) -> Counterexample:
    own, *references = (quoted(pen, worst) for pen in (search.own, *search.references))
    limits = [pen.left(worst.entry) for pen in search.references]
    fees = [
        each.total_fen if left is None else min(each.total_fen, left)
        for each, left in zip(references, limits, strict=True)
        if each is not None
    ]
    if own is None or not fees or own.total_fen - combined(search.combine, fees) != worst.fen:
        raise CurveAndEngineDisagree(worst)
    entry, setting = worst.entry, worst.entry.scene.setting
    return Counterexample(
        entry=setting.moment(entry.at),
        exit=setting.moment(worst.exit),
        vehicle_class=entry.scene.vehicle_class,
        day_classes={
            str(setting.first + timedelta(days=place)): sorted(frozenset[str]().union(*names))
            for place, names in enumerate(setting.names)
        },
        prior_stays=[(setting.moment(stay.begin), setting.moment(stay.end)) for stay in entry.history],
        assumes_used_up=entry.used_up,
        own=own,
        references=references,
        cap_fen=combined(search.combine, fees),
        remedy=remedy,
    )
