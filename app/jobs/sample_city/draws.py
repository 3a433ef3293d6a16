"""Chance, from a seed: the same moment always brings the same city."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from app.jobs.sample_city.sites import Site
from app.jobs.sample_city.stories import Visit

SEED: Final = "共泊"
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

ENTRY_MARGIN: Final = 5 * MINUTE
"""How long before a lot shuts careful people leave."""


class Draw:
    """Draws moments, lots and visits."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self.sites = sites
        self._random = Random(SEED)  # noqa: S311 - the same city again, not a secret

    def happens(self, chance: float) -> bool:
        """Whether something of this probability happens."""
        return self._random.random() < chance

    def one_of(self, weights: Sequence[float]) -> int:
        """A place in the list, as likely as its weight."""
        return self._random.choices(range(len(weights)), weights=weights)[0]

    def between(self, least: timedelta, most: timedelta) -> timedelta:
        """A span of whole seconds."""
        return timedelta(seconds=self._random.randint(int(least.total_seconds()), int(most.total_seconds())))

    def open_site(self, among: Sequence[Site], at: datetime, long: timedelta) -> Site | None:
        """One of these lots that is open at a moment and for so long afterwards."""
        known = [site for site in among if site.stays_open(at, long)]
        return self._random.choice(known) if known else None

    def shut_site(self, at: datetime) -> Site | None:
        """A lot that is not open to the public at a moment, if there is one."""
        shut = [site for site in self.sites if site.closes_after(at) is None]
        return self._random.choice(shut) if shut else None

    def visit(self, site: Site, begins_at: datetime, long: timedelta, made_at: datetime | None) -> Visit:
        """A stay of about that length, ended by the closing of the lot at the latest."""
        closes_at = site.closes_after(begins_at)
        assert closes_at is not None
        ends_at = min(begins_at + long, closes_at - ENTRY_MARGIN)
        late = timedelta() if made_at is None else self.between(-8 * MINUTE, 20 * MINUTE)
        leaves_at = ends_at - self.between(timedelta(), 15 * MINUTE)
        return Visit(site, made_at, begins_at, ends_at, begins_at + late, leaves_at)
