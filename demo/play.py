"""The player: stories that go on at moments of their own, told in the order of these moments."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from demo.patience import DemoFailed

Story = Iterator[datetime]
"""What happens to one car; it yields the moment at which it goes on."""


def play(stories: Mapping[str, Story], begins_at: datetime, move_to: Callable[[datetime], None]) -> None:
    """Let all stories happen: the one that goes on earliest is next, and the clock moves to where it goes on.

    Raises `DemoFailed` with the name of the story in which something did not hold.
    """
    waiting = [(begins_at, place, name) for place, name in enumerate(stories)]
    while waiting:
        moment, place, name = heapq.heappop(waiting)
        move_to(moment)
        goes_on_at = _told(name, stories[name])
        if goes_on_at is not None:
            heapq.heappush(waiting, (goes_on_at, place, name))


def _told(name: str, story: Story) -> datetime | None:
    """The story up to its next pause; none when it is at its end."""
    try:
        return next(story, None)
    except DemoFailed as failure:
        raise DemoFailed(f"{name}: {failure}") from failure
