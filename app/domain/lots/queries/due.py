"""Lots whose facilities or named persons must be checked again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from app.domain.lots.models import FacilityCheck, Lot, OpeningPlan, PlanContact
from app.domain.policies.queries import numbers
from app.kernel import clock
from app.kernel.db import transaction

LIVE = Lot.state.in_(("approved", "open", "suspended"))
PERSONS = 2
"""A responsible person and a deputy."""


def contacts_due() -> Sequence[int]:
    """Ids of lots whose plan in force lacks a person, or names one whom nobody reached for too long (N5.4)."""
    with transaction() as session:
        checked = func.coalesce(func.min(PlanContact.checked_at), func.to_timestamp(0))
        current_contact = (PlanContact.plan_id == OpeningPlan.id) & PlanContact.ended_at.is_(None)
        return session.scalars(
            select(Lot.id)
            .outerjoin(OpeningPlan, (OpeningPlan.lot_id == Lot.id) & (OpeningPlan.state == "approved"))
            .outerjoin(PlanContact, current_contact)
            .where(LIVE)
            .group_by(Lot.id)
            .having((func.count(PlanContact.id) < PERSONS) | (checked < _since("contact_check_days")))
            .order_by(Lot.id)
        ).all()


def facilities_due() -> Sequence[int]:
    """Ids of lots whose facilities were not checked for too long, or were not in order (N2.2.4)."""
    sound: ColumnElement[bool] = FacilityCheck.security & FacilityCheck.lighting & FacilityCheck.fire
    latest = (
        select(sound & (FacilityCheck.checked_at > _since("facility_check_days")))
        .where(FacilityCheck.lot_id == Lot.id)
        .order_by(FacilityCheck.checked_at.desc(), FacilityCheck.id.desc())
        .limit(1)
        .correlate(Lot)
        .scalar_subquery()
    )
    with transaction() as session:
        return session.scalars(select(Lot.id).where(LIVE, latest.is_not(True)).order_by(Lot.id)).all()


def _since(name: str) -> datetime:
    return clock.now() - timedelta(days=numbers()[name])
