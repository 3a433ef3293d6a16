"""What happened in the weeks before now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.domain.motorists.plates import Plate
from app.jobs.sample_city.draws import DAY, HOUR, MINUTE, Draw
from app.jobs.sample_city.motorists import MOTORISTS, Driver
from app.jobs.sample_city.sites import Site
from app.jobs.sample_city.stories import Stage, Story, Visit

GOES_OUT: Final = 0.065
"""How likely a motorist parks on a day."""

BOOKS: Final = 0.66
LEAVES_UNPAID: Final = 0.08
FATES: Final = {"cancels": 0.12, "never_comes": 0.08, "overstays": 0.06, "comes": 0.74}
"""How bookings end."""

DAYS_LOOKED_AT: Final = 7
LEAST: Final = 50 * MINUTE
"""Nobody drives to a lot that shuts sooner."""

QUIET_BEFORE_NOW: Final = 6 * HOUR
"""Stays of the history are over by then; what happens later belongs to the present."""


@dataclass(frozen=True)
class Habit:
    """A kind of stay: how often, from which clock hours on, and for how long, in minutes."""

    weight: int
    hours: tuple[float, float]
    minutes: tuple[int, int]


HABITS: Final = (
    Habit(40, (18.7, 21.5), (540, 720)),  # residents park over night
    Habit(35, (18.6, 20.5), (60, 180)),  # an evening out
    Habit(25, (9.0, 16.0), (60, 240)),  # weekends, and lots of units that rest by day
)


@dataclass(frozen=True)
class History:
    """Draws the stories of [begins_at, now); `begins_at` is a midnight of Hangzhou."""

    stage: Stage
    draw: Draw
    begins_at: datetime
    now: datetime

    def of_driver(self, place: int, driver: Driver) -> Iterator[Story]:
        """One motorist's stays."""
        for visit in self._visits(self._favourites(place)):
            yield self._story(driver, visit)

    def of_stranger(self, plate: Plate) -> Iterator[Story]:
        """A car without an account parks where it costs nothing, since nobody could pay for it."""
        for visit in self._visits([site for site in self.draw.sites if site.is_free], elsewhere=False):
            yield self.stage.is_unknown(plate, replace(visit, made_at=None, arrives_at=visit.begins_at))

    def of_one_too_early(self, plate: Plate) -> Iterator[Story]:
        """A car comes while the unit itself needs its bays, and is turned away (N2.2.3)."""
        for day in range(DAYS_LOOKED_AT):
            at = self.begins_at + day * DAY + self.draw.between(9 * HOUR, 16 * HOUR)
            shut = self.draw.shut_site(at)
            if shut is not None and at < self.now:
                yield self.stage.is_unknown(plate, Visit(shut, None, at, at + HOUR, at, at + HOUR))
                return

    def _favourites(self, place: int) -> Sequence[Site]:
        """Most people park near home."""
        sites = self.draw.sites
        first = place * len(sites) // MOTORISTS
        return [sites[(first + step) % len(sites)] for step in range(3)]

    def _visits(self, favourites: Sequence[Site], *, elsewhere: bool = True) -> Iterator[Visit]:
        """One after the other; nobody books the next stay before the last one is over."""
        free_from, day = self.begins_at, self.begins_at
        while day < self.now:
            visit = self._drawn(day, favourites, elsewhere=elsewhere) if self.draw.happens(GOES_OUT) else None
            if visit is not None and visit.first_at > free_from and visit.ends_at < self.now - QUIET_BEFORE_NOW:
                free_from = visit.ends_at + 2 * HOUR
                yield visit
            day += DAY

    def _drawn(self, day: datetime, favourites: Sequence[Site], *, elsewhere: bool) -> Visit | None:
        habit = HABITS[self.draw.one_of([each.weight for each in HABITS])]
        begins_at = day + self.draw.between(HOUR * habit.hours[0], HOUR * habit.hours[1])
        long = self.draw.between(habit.minutes[0] * MINUTE, habit.minutes[1] * MINUTE)
        site = self.draw.open_site(favourites, begins_at, LEAST)
        if site is None and elsewhere:
            site = self.draw.open_site(self.draw.sites, begins_at, LEAST)
        return None if site is None else self.draw.visit(site, begins_at, long, self._booked(begins_at))

    def _booked(self, begins_at: datetime) -> datetime | None:
        made_at = begins_at - self.draw.between(40 * MINUTE, 20 * HOUR)
        return made_at if self.draw.happens(BOOKS) else None

    def _story(self, driver: Driver, visit: Visit) -> Story:
        if visit.made_at is None:
            unpaid = self.draw.happens(LEAVES_UNPAID)
            return self.stage.leaves_unpaid(driver, visit) if unpaid else self.stage.stays(driver, visit)
        match list(FATES)[self.draw.one_of(list(FATES.values()))]:
            case "cancels":
                return self.stage.cancels(driver, visit, visit.made_at + (visit.begins_at - visit.made_at) * 0.6)
            case "never_comes":
                return self.stage.never_comes(driver, visit)
            case "overstays":
                late = visit.ends_at + self.draw.between(20 * MINUTE, 50 * MINUTE)
                return self.stage.stays(driver, replace(visit, leaves_at=late))
            case _:
                return self.stage.stays(driver, visit)
