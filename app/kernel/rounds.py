"""Rounds of sweepers: of the rows that are due, one that fails keeps none of those behind it waiting."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from app.kernel.db import is_away

Row = TypeVar("Row")


def each_alone(rows: Iterable[Row], do: Callable[[Row], int | None]) -> int:
    """Do it for each row, outside any transaction; returns the sum of what it says, of which nothing counts as one.

    A failure is kept until all had their turn, and all are raised together: a sweep that met any has failed. Only when
    the database itself is away the round ends at once, since nobody behind could be helped.
    """
    done, failures = 0, list[Exception]()
    for row in rows:
        try:
            said = do(row)
        except Exception as failure:
            if is_away(failure):
                raise
            failures.append(failure)
        else:
            done += 1 if said is None else said
    if failures:
        raise ExceptionGroup("some rows of a round failed", failures)
    return done


def each_step(*steps: Callable[[], int]) -> int:
    """The same for the parts of a sweep: one that fails keeps none behind it from its turn."""
    return each_alone(steps, lambda step: step())
