"""Plays stories in the order of their moments, under the command's own clock."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from flask import current_app

from app.jobs.sample_city.own_clock import OwnClock
from app.jobs.sample_city.stories import Story
from app.kernel.clock import shanghai
from app.kernel.refusals import Refusal

WEEK = timedelta(days=7)


def play(stories: Sequence[Story], since: datetime, until: datetime, own: OwnClock, tell: Callable[[str], None]) -> int:
    """Play [since, until) and say how far it is; returns how many stories the platform refused to go on with.

    Each step has an app context, and so a database session, of its own, like a request.
    """
    begun = ((next(story), number, story) for number, story in enumerate(stories))
    waiting = [each for each in begun if each[0] >= since]
    heapq.heapify(waiting)
    refused: Counter[str] = Counter()
    week_ends = since + WEEK
    while waiting:
        moment, number, story = heapq.heappop(waiting)
        if moment >= until:
            break
        if moment >= week_ends:
            tell(f"  {shanghai(week_ends):%Y-%m-%d}")
            week_ends += WEEK
        next_moment = _step(moment, story, own, refused)
        if next_moment is not None:
            heapq.heappush(waiting, (max(next_moment, moment), number, story))
    return sum(refused.values())


def _step(moment: datetime, story: Story, own: OwnClock, refused: Counter[str]) -> datetime | None:
    """When the story goes on; none when it has ended, or was refused, as a full lot refuses a car."""
    with current_app.app_context():
        own.move_to(moment)
        try:
            return next(story, None)
        except Refusal as refusal:
            refused[refusal.code] += 1
            return None
