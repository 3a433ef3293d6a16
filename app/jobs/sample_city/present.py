"""How the city stands now: cars that drove in during the last hours, and bookings for the days to come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.domain.motorists.plates import Plate
from app.jobs.sample_city.draws import HOUR, MINUTE, Draw
from app.jobs.sample_city.motorists import Driver
from app.jobs.sample_city.sites import Site
from app.jobs.sample_city.stories import Stage, Story, Visit

PARKED: Final = 24
COMING: Final = 14
PARKED_STRANGERS: Final = 4
BOOKED: Final = 0.5
TRIES: Final = 8
"""By day only some units rest: several lots and moments are looked at before a driver stays at home."""


@dataclass(frozen=True)
class Present:
    """Draws stories that are not over at `now`."""

    stage: Stage
    draw: Draw
    now: datetime

    def stories(self, drivers: Sequence[Driver], strangers: Sequence[Plate]) -> Iterator[Story]:
        """The first drivers are parked now, the next ones have booked; what the others do is over."""
        for driver in drivers[:PARKED]:
            visit = self._begun(self.draw.sites)
            if visit is not None:
                yield self.stage.stays(driver, visit)
        for plate in strangers[:PARKED_STRANGERS]:
            visit = self._begun([site for site in self.draw.sites if site.is_free])
            if visit is not None:
                yield self.stage.is_unknown(plate, replace(visit, arrives_at=visit.begins_at))
        for driver in drivers[PARKED : PARKED + COMING]:
            visit = self._booked()
            if visit is not None:
                yield self.stage.stays(driver, visit)

    def _begun(self, among: Sequence[Site]) -> Visit | None:
        """A stay that began up to four hours ago and will go on for half an hour at least."""
        for _ in range(TRIES):
            begins_at = self.now - self.draw.between(25 * MINUTE, 4 * HOUR)
            site = self.draw.open_site(among, begins_at, self.now - begins_at + 40 * MINUTE)
            if site is not None:
                long = self.now - begins_at + self.draw.between(45 * MINUTE, 5 * HOUR)
                made_at = begins_at - HOUR if self.draw.happens(BOOKED) else None
                return _not_over(self.draw.visit(site, begins_at, long, made_at), self.now)
        return None

    def _booked(self) -> Visit | None:
        """A booking made within the last hours, for one of the next three days."""
        for _ in range(TRIES):
            begins_at = self.now + self.draw.between(HOUR, 60 * HOUR)
            site = self.draw.open_site(self.draw.sites, begins_at, HOUR)
            if site is not None:
                long = self.draw.between(HOUR, 10 * HOUR)
                return self.draw.visit(site, begins_at, long, self.now - self.draw.between(3 * MINUTE, 5 * HOUR))
        return None


def _not_over(visit: Visit, now: datetime) -> Visit:
    """Nobody of these pays before now."""
    return replace(visit, leaves_at=max(visit.leaves_at, now + 10 * MINUTE))
