"""What happens to each payment, drawn from the seed: who hears of it, how often, from whom, and when."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

DUPLICATED, THRICE, REISSUED = 0.36, 0.15, 0.11
WRONG_AMOUNT, FORGED, STRANGE, LATE, SILENT, REFUNDED = 0.02, 0.02, 0.01, 0.02, 0.05, 0.10
LATE_KINDS: Final = ("closed", "twice", "grown")
"""Paid after its order was closed; after another order of the same debt; after a larger bill took its place."""
FORGERIES: Final = ("signature", "serial", "signtest", "skew")
"""What must be turned away at the door."""
LONGEST_DELAY_SECONDS: Final = 4.0


@dataclass(frozen=True)
class Fate:
    """One payment. `at_once` copies come at the same moment, `again` more of them later under the same id."""

    number: int
    seed: int
    at_once: int = 1
    again: int = 0
    anew: bool = False
    delay_seconds: float = 0.0
    wrong_amount: bool = False
    forged: str = ""
    strange: bool = False
    early: bool = False
    """What is false of it comes before the payment."""
    late: str = ""
    silent: bool = False
    refund_permille: int = 0

    @property
    def is_duplicated(self) -> bool:
        return self.at_once + self.again > 1


def fates(payments: int, seed: int) -> Sequence[Fate]:
    """As many as wanted, each share rounded up, in random order."""
    chance = random.Random(seed)  # noqa: S311 - the same run for the same seed
    drawn = [Fate(number, chance.randrange(2**32)) for number in range(payments)]
    chance.shuffle(drawn)
    late, silent = _count(LATE, payments), _count(SILENT, payments)
    for place in range(late):
        drawn[place] = replace(drawn[place], late=LATE_KINDS[place % len(LATE_KINDS)])
    for place in range(late, late + silent):
        drawn[place] = replace(drawn[place], silent=True)
    _make_loud(chance, drawn, range(late + silent, payments))
    for place in chance.sample(range(late, payments), min(_count(REFUNDED, payments), payments - late)):
        drawn[place] = replace(drawn[place], refund_permille=chance.randrange(50, 950))
    chance.shuffle(drawn)
    return drawn


def _make_loud(chance: random.Random, drawn: list[Fate], loud: range) -> None:
    payments = len(drawn)
    for place in loud:
        drawn[place] = replace(drawn[place], delay_seconds=chance.uniform(0, LONGEST_DELAY_SECONDS))
    for place in _some(chance, loud, DUPLICATED, payments):
        more = 2 if chance.random() < THRICE / DUPLICATED else 1
        at_once = chance.random() < 0.5  # noqa: PLR2004 - as often as not
        drawn[place] = replace(drawn[place], at_once=1 + more * at_once, again=more * (not at_once))
    for place in _some(chance, loud, REISSUED, payments):
        drawn[place] = replace(drawn[place], anew=True)
    for place in _some(chance, loud, WRONG_AMOUNT, payments):
        drawn[place] = replace(drawn[place], wrong_amount=True, early=chance.random() < 0.5)  # noqa: PLR2004
    for place in _some(chance, loud, FORGED, payments):
        drawn[place] = replace(drawn[place], forged=chance.choice(FORGERIES), early=chance.random() < 0.5)  # noqa: PLR2004
    for place in _some(chance, loud, STRANGE, payments):
        drawn[place] = replace(drawn[place], strange=True)


def _some(chance: random.Random, of: range, share: float, payments: int) -> list[int]:
    return chance.sample(of, min(_count(share, payments), len(of)))


def _count(share: float, payments: int) -> int:
    return ceil(share * payments)
