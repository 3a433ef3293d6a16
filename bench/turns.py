"""Measuring several sides in turns, A B A B, so that whatever else the machine does meets all of them."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

Side = Callable[[], float]
Rates = Mapping[str, Sequence[float]]


def in_turns(sides: Mapping[str, Side], rounds: int) -> Rates:
    """The rates of each side, one for each round; a first round only warms up."""
    for side in sides.values():
        side()
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            rates[name].append(side())
    return rates


def ratio(measured: Sequence[float], yardstick: Sequence[float]) -> float:
    """The median over rounds: both sides of one round saw the same noise."""
    return median(ours / theirs for ours, theirs in zip(measured, yardstick, strict=True))
