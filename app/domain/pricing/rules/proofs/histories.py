"""Earlier stays of a vehicle that may leave it less free time, or less under the cap of one plate."""

from collections.abc import Iterator
from typing import Final

from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.spans import Span

History = tuple[Span, ...]
_COUNTS: Final = (1, 2, 3, 4, 6, 8, 12, 24, 48)


def histories(at: int, *, are_capped: bool) -> Iterator[History]:
    """Earlier stays before an entry: none; one a moment, a day or two days ago; and days full of stays of one length.

    The short ones cost nothing and tell every kind of free time apart. The full days are tried where caps of one plate
    add up what stays have cost.
    """
    yield ()
    for begin in (at - 1, at - DAY_SECONDS + 1, at - 2 * DAY_SECONDS):
        yield (Span(begin, begin),)
    if are_capped:
        yield from (_filled(at, window, count) for window in (at, DAY_SECONDS) for count in _COUNTS if window >= count)


def _filled(at: int, window: int, count: int) -> History:
    length = window // count
    begins = range(at - count * length, at, length)
    return tuple(Span(begin, begin + length) for begin in begins)
