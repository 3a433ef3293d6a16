"""The fee of one entry over the length of the stay, with the second of each change."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

MINUTE: Final = 60


class Step(NamedTuple):
    """From `second` of the stay on, until the next step, it costs `fen`; None is no price."""

    second: int
    fen: int | None


Fee = Callable[[int], int | None]
"""What a stay of so many seconds costs."""


def curve(fee: Fee, seconds: int) -> list[Step]:
    """Every change up to a length, exact to the second.

    The fee is asked for at each whole minute, and wherever two neighbours differ at the seconds between; a fee that
    went up and came down again within one minute would not be seen.
    """
    steps = [Step(0, fee(0))]
    for begin in range(0, seconds, MINUTE):
        end = min(begin + MINUTE, seconds)
        steps += _changes(fee, Step(begin, steps[-1].fen), Step(end, fee(end)))
    return steps


def _changes(fee: Fee, first: Step, last: Step) -> Iterator[Step]:
    """The steps after `first`, up to and with `last`."""
    if first.fen == last.fen:
        return
    if last.second - first.second == 1:
        yield last
        return
    second = (first.second + last.second) // 2
    middle = Step(second, fee(second))
    yield from _changes(fee, first, middle)
    yield from _changes(fee, middle, last)


def excesses(own: Sequence[Step], cap: Sequence[Step], end: int) -> list[tuple[int, int]]:
    """The spans of length, in seconds, in which the own fee is above the cap."""
    spans: list[tuple[int, int]] = []
    for begin, until in pairwise(sorted({step.second for step in (*own, *cap)} | {end})):
        fen, bound = fen_at(own, begin), fen_at(cap, begin)
        if fen is not None and bound is not None and fen > bound:
            first = spans.pop()[0] if spans and spans[-1][1] == begin else begin
            spans.append((first, until))
    return spans


def fen_at(steps: Sequence[Step], second: int) -> int | None:
    """What a stay of this length costs."""
    return next(step.fen for step in reversed(steps) if step.second <= second)
