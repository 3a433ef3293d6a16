"""The player: stories that go on at moments of their own, told in the order of these moments."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

Story = Iterator[datetime]
"""What happens to one car; it yields the moment at which it goes on."""


def play(stories: Sequence[Story], begins_at: datetime, move_to: Callable[[datetime], None]) -> None:
    """Let all stories happen: the one that goes on earliest is next, and the clock moves to where it goes on."""
    waiting = [(begins_at, place, story) for place, story in enumerate(stories)]
    while waiting:
        moment, place, story = heapq.heappop(waiting)
        move_to(moment)
        goes_on_at = next(story, None)
        if goes_on_at is not None:
            heapq.heappush(waiting, (goes_on_at, place, story))
