"""The city as a whole: built once, lived in, and left as it is from then on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from app.domain.lots.actions import extend_windows
from app.domain.units.actions import know_districts
from app.domain.units.models import Unit
from app.jobs.sample_city.agreements import publish_sample_agreement
from app.jobs.sample_city.calendars import know_calendars
from app.jobs.sample_city.draws import Draw
from app.jobs.sample_city.gates import hand_over_keys, install_gates
from app.jobs.sample_city.history import History
from app.jobs.sample_city.lots import open_city
from app.jobs.sample_city.motorists import strangers, welcome
from app.jobs.sample_city.own_clock import OwnClock, own_clock
from app.jobs.sample_city.passages import Gates
from app.jobs.sample_city.payees import Payees
from app.jobs.sample_city.people import People
from app.jobs.sample_city.play import play
from app.jobs.sample_city.present import Present
from app.jobs.sample_city.prices import name_all_around
from app.jobs.sample_city.sites import sites
from app.jobs.sample_city.stories import Stage, Story
from app.jobs.sample_city.table import lots
from app.jobs.sample_city.tariffs import Tariffs
from app.jobs.sample_city.till import Till
from app.kernel import clock
from app.kernel.clock import shanghai
from app.kernel.db import transaction
from app.settings import Settings

WEEK = timedelta(days=7)
REACH = timedelta(days=8)
"""How far ahead of now lots must be known to be open, for bookings."""

Tell = Callable[[str], None]


class SampleRefused(Exception):
    """Production has no room for samples."""


@dataclass(frozen=True)
class Told:
    """What loading did: whether the city was new, how many stories were refused, whether gates got new keys."""

    is_new: bool
    refused: int
    keys_written: bool


def load(settings: Settings, *, weeks: int, gates_file: Path, tell: Tell) -> Told:
    """Build the city and play its last `weeks`; a city that is there stays as it is.

    The gates' keys lie in `gates_file` afterwards. Refuses `SampleRefused` in production.
    """
    if settings.is_production:
        raise SampleRefused("the sample city is not for production")
    is_new = not is_there()
    refused = _found(settings, weeks, tell) if is_new else 0
    return Told(is_new, refused, hand_over_keys(gates_file))


def is_there() -> bool:
    """Whether the city was built; it was in one transaction, so one unit stands for all."""
    with transaction() as session:
        return session.scalar(select(Unit.id).where(Unit.name == lots()[0].unit)) is not None


def _found(settings: Settings, weeks: int, tell: Tell) -> int:
    now = clock.now()
    begins_at = shanghai(now).replace(hour=0, minute=0, second=0, microsecond=0) - weeks * WEEK
    with own_clock(settings.clock_file) as own:
        if weeks:
            own.move_to(begins_at)
        tell(f"building {len(lots())} lots")
        build(settings.wechat.sp_mchid)
        refused = _live(settings, begins_at, now, own, tell) if weeks else 0
    while extend_windows():
        continue
    return refused


def build(sp_mchid: str) -> None:
    """The city without anybody in it, all or nothing, at the moment at which the clock stands.

    A moment later all references around bound the lots.
    """
    with transaction():
        people = People()
        know_districts()
        know_calendars()
        publish_sample_agreement()
        opened = open_city(people, Tariffs(), Payees(sp_mchid), clock.now())
        install_gates(opened)
    with transaction():
        name_all_around(people, opened)


def _live(settings: Settings, begins_at: datetime, now: datetime, own: OwnClock, tell: Tell) -> int:
    stories = _stories(settings, begins_at, now)
    tell(f"living through {(now - begins_at).days} days, {len(stories)} cars' stories")
    return play(stories, begins_at, now, own, tell)


def _stories(settings: Settings, begins_at: datetime, now: datetime) -> list[Story]:
    drivers, others = welcome(settings.wechat.app_id), strangers()
    stage = Stage(Gates(), Till(settings.wechat))
    draw = Draw(sites(begins_at, now + REACH))
    history = History(stage, draw, begins_at, now)
    told = [story for place, driver in enumerate(drivers) for story in history.of_driver(place, driver)]
    told += [story for plate in others for story in history.of_stranger(plate)]
    told += [story for plate in others for story in history.of_one_too_early(plate)]
    return told + list(Present(stage, draw, now).stories(drivers, others))
