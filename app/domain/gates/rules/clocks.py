"""A gate's clock is its own; what it says is corrected by what we measured."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median_low

FUTURE = timedelta(hours=24)
SUSPECT = timedelta(minutes=5)
"""A clock that stands this far off is named in every event: somebody must look at it."""

CORRECT_FROM = timedelta(seconds=2)
"""From here on a gate is told to set its clock."""


def clock_offset(samples: Sequence[timedelta]) -> timedelta:
    """How much to add to a gate's clock: the median of its last five samples, newest first.

    So one slow delivery changes nothing. Zero when the gate has never reported.
    """
    return median_low(samples[:5]) if samples else timedelta()


def corrected(device_time: datetime, offset: timedelta, received_at: datetime) -> datetime:
    """When it happened by our clock; never later than we heard of it."""
    return min(device_time + offset, received_at)


def is_too_far_ahead(device_time: datetime, offset: timedelta, received_at: datetime) -> bool:
    """An event more than a day in the future is a broken clock, not an event."""
    return device_time + offset > received_at + FUTURE
