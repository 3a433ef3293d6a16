"""The fee of one entry as a step function of the exit second."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise


class Curve:
    """From `starts[i]` on, an exit costs `fens[i]`; None is no price. The first start is one second after the entry."""

    __slots__ = ("fens", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.fens: list[int | None] = []

    def add(self, start: int, fen: int | None) -> None:
        """Let the curve go on with `fen` from `start`, which is not before the last start."""
        if self.starts and self.starts[-1] == start:
            self.starts.pop()
            self.fens.pop()
        if not self.fens or self.fens[-1] != fen:
            self.starts.append(start)
            self.fens.append(fen)

    def steps(self) -> Iterator[tuple[int, int | None]]:
        return zip(self.starts, self.fens, strict=True)

    def fen_at(self, exit_: int) -> int | None:
        return self.fens[bisect_right(self.starts, exit_) - 1]

    def free_until(self, last: int, end: int) -> "Curve":
        """This curve, which reaches to `end`, without a fee for exits up to `last`."""
        if last < self.starts[0]:
            return self
        curve = Curve()
        curve.add(self.starts[0], 0)
        if last < end:
            curve.add(last + 1, self.fen_at(last + 1))
        for start, later in self.steps():
            if start > last + 1:
                curve.add(start, later)
        return curve

    def until(self, last: int) -> "Curve":
        """This curve without a price for exits after `last`."""
        curve = Curve()
        curve.add(self.starts[0], self.fens[0])
        for start, fen in self.steps():
            if start <= last:
                curve.add(start, fen)
        curve.add(max(last + 1, self.starts[0]), None)
        return curve
