"""Which entry seconds stand for all others, and why a few of them suffice.

A fee depends on the entry second t and the exit second x only by comparisons of t, of x, or of x - t with whole
multiples of one grain g: the greatest common divisor of all clock times, unit lengths, limits and edges that a tariff
names. Write t = g*T + a and x = g*X + b with 0 <= a, b < g. Each comparison then asks whether T, X or X - T reaches a
number, and whether a is 0, b is 0, or which of a and b is greater: never how great they are. So all entries with
0 < a < g behave alike, and the one in the middle of its grain has exits on either side of every edge that any of them
has. Two entries for each grain, 0 and the middle one, stand for all; for each of them every exit second is looked at.
Grains of less than four seconds have no room for a middle, so there each second stands for itself.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from math import gcd
from typing import Final

from app.domain.pricing.rules.form import DAY_SECONDS
from app.domain.pricing.rules.methods import FlatThenUnits, Method, PerVisit, Rounding, Stepped, TableOfTotals
from app.domain.pricing.rules.parts import Band
from app.domain.pricing.rules.spans import Span, Window
from app.domain.pricing.rules.tariff import Tariff

HORIZON_S: Final = 48 * 3600
"""Stays up to this length are proved (two days and nights)."""

_LEAST_WITH_A_MIDDLE: Final = 4


def grain(tariffs: Iterable[Tariff], holes: Iterable[Span] = ()) -> int:
    """The greatest number of seconds of which everything that decides a fee is a multiple."""
    edges = [edge for hole in holes for edge in hole]
    lengths = [length for tariff in tariffs for length in _lengths(tariff)]
    return reduce(gcd, [*lengths, *edges], DAY_SECONDS)


def entries(grain_s: int) -> Iterator[int]:
    """The seconds of a day, from its midnight, at which an entry stands for all others."""
    residues = (0, grain_s // 2) if grain_s >= _LEAST_WITH_A_MIDDLE else range(grain_s)
    for begin in range(0, DAY_SECONDS, grain_s):
        yield from (begin + residue for residue in residues)


def _lengths(tariff: Tariff) -> Iterator[int]:
    yield from (tariff.periods.length_s or 0, tariff.longest_stay_s or 0)
    yield from _window(tariff.usable_window)
    if tariff.free is not None:
        yield from (tariff.free.allowance_s, *tariff.free.by_class.values())
    for rule in tariff.vehicle_classes.values():
        for band in tariff.bands_of(rule):
            yield from _band(band)


def _band(band: Band) -> Iterator[int]:
    yield from _window(band.window)
    yield from _method(band.method)


def _window(window: Window | None) -> tuple[int, ...]:
    return () if window is None else (window.begin, window.end)


def _method(method: Method) -> Iterator[int]:
    match method:
        case Stepped(steps):
            for step in steps:
                yield from (step.length_s or 0, step.unit_s, _tail(step.rounding))
        case TableOfTotals(rows):
            yield from (row.up_to_s for row in rows)
        case FlatThenUnits():
            yield from (method.flat_until_s, method.unit_s, _tail(method.rounding), *_window(method.after_window))
        case PerVisit() | _:
            return


def _tail(rounding: Rounding) -> int:
    return rounding.tail_s if rounding.kind == "ignore_tail" else 0
