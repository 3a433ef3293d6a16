"""The fee of one entry over the length of the stay, with the second of each change."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from app.domain.pricing.rules.proofs.steps import Curve


class Step(NamedTuple):
    """From `second` of the stay on, until the next step, it costs `fen`; None is no price."""

    second: int
    fen: int | None


def steps_of(curve: Curve, seconds: int) -> list[Step]:
    """Every change of a curve, which counts from the entry, up to a length; a stay of no length costs nothing."""
    steps = [Step(0, 0)]
    for second, fen in dict(zip(curve.starts, curve.fens, strict=True)).items():
        if second <= seconds and fen != steps[-1].fen:
            steps.append(Step(second, fen))
    return steps


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
