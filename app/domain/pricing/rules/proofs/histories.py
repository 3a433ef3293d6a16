"""Earlier stays of a vehicle that may leave it less free time, or less under the cap of one plate.

Where free time alone depends on them, stays of no length tell every kind of it apart. Under a cap of one plate they
leave the own price all of its cap, and so bound what it may cost after any others; what they may leave of another's
cap is assumed to be nothing. Days of many stays are tried afterwards, so that a case is told by stays with names.
"""

from collections.abc import Iterator
from typing import Final

from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.spans import Span

History = tuple[Span, ...]
_COUNTS: Final = (1, 2, 3, 4, 6, 8, 12, 24, 48)


def histories(at: int) -> Iterator[History]:
    """Earlier stays before an entry that cost nothing: none; one a moment, a day or two days ago."""
    yield ()
    for begin in (at - 1, at - DAY_SECONDS + 1, at - 2 * DAY_SECONDS):
        yield (Span(begin, begin),)


def busy_days(at: int) -> Iterator[History]:
    """Stays of one length up to an entry: short ones, or so long that they fill a day or what is over of its date."""
    for count in _COUNTS:
        for length in {1, at // count, DAY_SECONDS // count}:
            if length:
                begins = range(at - count * length, at, length)
                yield tuple(Span(begin, begin + length) for begin in begins)
