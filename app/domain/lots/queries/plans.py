"""A lot's plans and the people named in them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.domain.lots.models import OpeningPlan, PlanContact
from app.domain.lots.rules.hours import PlanHours
from app.kernel.crypto import unseal
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


@dataclass(frozen=True)
class Contact:
    """A named person (专人, N5.4), readable: only for those who may see the plan."""

    role: str
    name: str
    phone: str
    duty_times: str
    checked_at: datetime


def plan_id_of(key: uuid.UUID) -> int:
    """The row of a plan by its public key. Refuses `NotFound`."""
    with transaction() as session:
        plan_id = session.scalar(select(OpeningPlan.id).where(OpeningPlan.key == key))
    if plan_id is None:
        raise NotFound
    return plan_id


def plan_in_force(lot_id: int) -> OpeningPlan | None:
    """The approved plan of a lot, if there is one."""
    with transaction() as session:
        return session.scalar(select(OpeningPlan).where(OpeningPlan.lot_id == lot_id, OpeningPlan.state == "approved"))


def plan_in_the_making(lot_id: int) -> OpeningPlan | None:
    """The drafted or submitted plan of a lot, if there is one."""
    with transaction() as session:
        making = OpeningPlan.state.in_(("draft", "submitted"))
        return session.scalar(select(OpeningPlan).where(OpeningPlan.lot_id == lot_id, making))


def plans_of(lot_id: int) -> Sequence[OpeningPlan]:
    """All versions of a lot's plan, newest first."""
    with transaction() as session:
        return session.scalars(
            select(OpeningPlan).where(OpeningPlan.lot_id == lot_id).order_by(OpeningPlan.version.desc())
        ).all()


def hours_of_plan(plan: OpeningPlan) -> PlanHours:
    """What a plan says about hours."""
    return PlanHours(plan.closes_before_minutes, plan.opens_after_minutes, plan.duty_days, plan.exceptions)


def roles_of(plan_id: int) -> frozenset[str]:
    """Which persons a plan names now."""
    with transaction() as session:
        return frozenset(
            session.scalars(
                select(PlanContact.role).where(PlanContact.plan_id == plan_id, PlanContact.ended_at.is_(None))
            )
        )


def contacts_of(plan_id: int) -> list[Contact]:
    """The persons whom a plan names now, readable; who may see them is asked before."""
    with transaction() as session:
        rows = session.scalars(
            select(PlanContact)
            .where(PlanContact.plan_id == plan_id, PlanContact.ended_at.is_(None))
            .order_by(PlanContact.role.desc())
        ).all()
    return [
        Contact(
            row.role, unseal(row.name_enc, name_place(row.key)), unseal(row.phone_enc, phone_place(row.key)),
            row.duty_times, row.checked_at,
        )
        for row in rows
    ]  # fmt: skip


def name_place(key: uuid.UUID) -> str:
    """Where a contact's name lies sealed."""
    return f"plan_contact.name:{key}"


def phone_place(key: uuid.UUID) -> str:
    """Where a contact's phone lies sealed."""
    return f"plan_contact.phone:{key}"
