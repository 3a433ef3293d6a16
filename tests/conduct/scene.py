"""Motorists with incidents behind them, as the platform notes them."""

from collections.abc import Sequence

from sqlalchemy import select

from app.domain.conduct.actions import assess_forgotten, note
from app.domain.conduct.models import Incident, Measure
from app.domain.lots.models import Lot
from app.kernel import clock
from app.kernel.db import transaction
from tests.world import Driver

EVIDENCE = {"begins_at": "2026-06-10T20:00:00+08:00"}


def noted(who: Driver, lot: Lot, *subjects: int, kind: str = "no_show") -> None:
    """Incidents of a kind about these reservations, of which the rules have not been asked."""
    for each in subjects:
        assert note(kind, who.id, lot.id, "reservation", each, EVIDENCE, clock.now())


def missed_often(who: Driver, lot: Lot, times: int = 3) -> Measure:
    """So many no-shows, assessed; the newest measure that followed."""
    noted(who, lot, *range(1, times + 1))
    assess_forgotten()
    return measures(who)[-1]


def measures(who: Driver) -> Sequence[Measure]:
    """All measures against a motorist, the oldest first."""
    with transaction() as session:
        return session.scalars(select(Measure).filter_by(motorist_id=who.id).order_by(Measure.id)).all()


def kinds(who: Driver) -> list[str]:
    """The kinds of the measures against a motorist, the oldest first."""
    return [each.kind for each in measures(who)]


def incidents(who: Driver) -> Sequence[Incident]:
    """All incidents of a motorist, the oldest first."""
    with transaction() as session:
        return session.scalars(select(Incident).filter_by(motorist_id=who.id).order_by(Incident.id)).all()
