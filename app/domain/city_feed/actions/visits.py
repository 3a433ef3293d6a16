"""Entries and exits of which the city has not heard: found by looking, like lots.

Looking again finds nothing new. Whoever looks holds the line's row, so that two never make the same upload.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import insert

from app.domain.city_feed.actions.find import make_due
from app.domain.city_feed.actions.line import locked_line
from app.domain.city_feed.models import CityVisit
from app.domain.city_feed.queries.visits import Unheard, ended_visits, unheard_partner_visits, unheard_stays
from app.domain.city_feed.rules import visit_uid
from app.kernel.db import current, transaction

MILLISECOND: Final = timedelta(milliseconds=1)
News = tuple[datetime, str, int, int]
"""When, what, in which lot, in which visit; of one moment, `entry` sorts before `exit`."""


def find_visits(limit: int = 500) -> int:
    """Make an upload for each entry and each exit the city has not heard of, as they happened; returns how many.

    Of lots that the city is told of, and of visits that were not over before the feed began.
    """
    with transaction():
        since = locked_line().began_at
        unheard = (*unheard_stays(since, limit), *unheard_partner_visits(since, limit))
        news = sorted([*_entries(unheard), *_exits(limit)])
        for _, kind, lot_id, visit_id in news:
            make_due(kind, lot_id, visit_id)
        return len(news)


def _entries(unheard: Iterable[Unheard]) -> list[News]:
    return [(each.entered_at, "entry", each.lot_id, _number(each)) for each in unheard]


def _number(unheard: Unheard) -> int:
    """Give the visit its number for ever; two cars of the same lane and millisecond are told apart by the next one."""
    moment = unheard.entered_at
    while (visit_id := _take_number(unheard, moment)) is None:
        moment += MILLISECOND
    return visit_id


def _take_number(unheard: Unheard, moment: datetime) -> int | None:
    row = insert(CityVisit).values(
        stay_id=unheard.stay_id, partner_visit_id=unheard.partner_visit_id, lot_id=unheard.lot_id,
        entry_number=unheard.entry_number, uid=visit_uid(unheard.parking_code, unheard.entry_number, moment),
    )  # fmt: skip
    free = row.on_conflict_do_nothing(constraint="a_visit_number_is_given_once").returning(CityVisit.id)
    return current().scalar(free)


def _exits(limit: int) -> list[News]:
    """A visit that its partner voided is over too, with nothing to tell."""
    ended = ended_visits(limit)
    for visit, _ in ended:
        visit.has_ended = True
    return [(left_at, "exit", visit.lot_id, visit.id) for visit, left_at in ended if left_at is not None]
