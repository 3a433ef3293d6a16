"""What one car does: each story yields the moment at which it goes on, and acts when that moment has come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.motorists.plates import Plate
from app.domain.reservations import actions as reservations
from app.domain.reservations.models import Reservation
from app.jobs.sample_city.motorists import Driver
from app.jobs.sample_city.passages import Gates
from app.jobs.sample_city.sites import Site
from app.jobs.sample_city.till import Till

Story = Iterator[datetime]

PAYS_BEFORE_LEAVING: Final = timedelta(minutes=4)
GIVEN_UP_AFTER: Final = timedelta(minutes=36)
"""A booked bay is free again half an hour after its time."""

SWEPT_EVERY: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Visit:
    """One stay as it is meant: `made_at` is when it was booked, if it was."""

    site: Site
    made_at: datetime | None
    begins_at: datetime
    ends_at: datetime
    arrives_at: datetime
    leaves_at: datetime

    @property
    def first_at(self) -> datetime:
        """When the platform first hears of it."""
        return self.made_at or self.begins_at


@dataclass(frozen=True)
class Stage:
    """What all stories act upon."""

    gates: Gates
    till: Till

    def stays(self, driver: Driver, visit: Visit) -> Story:
        """Come, with or without a booking, park, pay and leave."""
        yield from self._books(driver, visit)
        yield visit.arrives_at
        if self.gates.drive_in(visit.site.entrance, driver.plate, driver.id):
            yield from self._overstays(visit)
            yield visit.leaves_at - PAYS_BEFORE_LEAVING
            self.till.take(driver)
            yield visit.leaves_at
            self.gates.drive_out(visit.site.exit, driver.plate)

    def leaves_unpaid(self, driver: Driver, visit: Visit) -> Story:
        """Park, and be let out by the attendant without having paid."""
        yield visit.arrives_at
        if self.gates.drive_in(visit.site.entrance, driver.plate, driver.id):
            yield visit.leaves_at
            self.gates.drive_out(visit.site.exit, driver.plate)

    def cancels(self, driver: Driver, visit: Visit, cancelled_at: datetime) -> Story:
        """Book, and think better of it."""
        assert visit.made_at is not None
        yield visit.made_at
        made = _reserve(driver, visit)
        yield cancelled_at
        reservations.cancel(driver.id, made.key)

    def never_comes(self, driver: Driver, visit: Visit) -> Story:
        """Book, and let the bay stand empty until it is given up."""
        yield from self._books(driver, visit)
        yield visit.begins_at + GIVEN_UP_AFTER
        reservations.release_missed()

    def is_unknown(self, plate: Plate, visit: Visit) -> Story:
        """A car without an account, in a lot that costs nothing."""
        yield visit.arrives_at
        if self.gates.drive_in(visit.site.entrance, plate):
            yield visit.leaves_at
            self.gates.drive_out(visit.site.exit, plate)

    def _books(self, driver: Driver, visit: Visit) -> Story:
        if visit.made_at is not None:
            yield visit.made_at
            _reserve(driver, visit)

    def _overstays(self, visit: Visit) -> Story:
        """While a car stays beyond its time, its claim is stretched as the sweepers would do it."""
        at = visit.ends_at - SWEPT_EVERY / 2
        while visit.made_at is not None and at < visit.leaves_at - PAYS_BEFORE_LEAVING:
            yield at
            reservations.follow_overstays()
            at += SWEPT_EVERY


def _reserve(driver: Driver, visit: Visit) -> Reservation:
    lot_key = visit.site.entrance.lot_key
    return reservations.reserve(driver.id, driver.vehicle_key, lot_key, visit.begins_at, visit.ends_at)
