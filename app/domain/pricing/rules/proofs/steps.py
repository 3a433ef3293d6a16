"""The fee of one entry as a step function of the exit second."""

from bisect import bisect_right
from collections.abc import Sequence

Fen = int | None
"""An amount, or no price."""


class Curve:
    """From `starts[i]` on, an exit costs `fens[i]`. The first start is one second after the entry.

    Where a second is named twice, the last one counts. Once there is no price, there is none for later exits.
    """

    __slots__ = ("fens", "starts")

    def __init__(self, starts: Sequence[int] = (), fens: Sequence[Fen] = ()) -> None:
        self.starts: list[int] = list(starts)
        self.fens: list[Fen] = list(fens)

    def fen_at(self, exit_: int) -> Fen:
        return self.fens[bisect_right(self.starts, exit_) - 1]

    def extend(self, later: "Curve") -> None:
        """Go on with another curve, which does not begin before the last start."""
        self.starts += later.starts
        self.fens += later.fens

    def raised(self, fen: int) -> "Curve":
        """This curve with an amount added everywhere."""
        return Curve(self.starts, [None if each is None else each + fen for each in self.fens]) if fen else self

    def limited(self, cap: Fen) -> "Curve":
        """This curve, nowhere above a cap."""
        if cap is None:
            return self
        return Curve(self.starts, [None if each is None else min(each, cap) for each in self.fens])

    def free_until(self, last: int, end: int) -> "Curve":
        """This curve, which reaches to `end`, without a fee for exits up to `last`."""
        if last < self.starts[0]:
            return self
        later = self._from(last + 1) if last < end else Curve()
        return Curve([self.starts[0], *later.starts], [0, *later.fens])

    def until(self, last: int) -> "Curve":
        """This curve without a price for exits after `last`."""
        kept = bisect_right(self.starts, last)
        return Curve([*self.starts[:kept], last + 1], [*self.fens[:kept], None])

    def _from(self, first: int) -> "Curve":
        later = bisect_right(self.starts, first)
        return Curve([first, *self.starts[later:]], [self.fens[later - 1], *self.fens[later:]])
