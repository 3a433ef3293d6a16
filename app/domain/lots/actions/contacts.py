"""Named persons of a lot (专人专责, N5.4): who is responsible and who stands in, checked at intervals."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from app.domain.lots.actions.steps import lock_lot
from app.domain.lots.models import OpeningPlan, PlanContact
from app.domain.lots.queries.places import place_of
from app.domain.lots.queries.plans import name_place, phone_place, plan_in_force
from app.domain.lots.rules.contacts import good_phone
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.crypto import seal
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict, Invalid, NotFound

ROLES = ("responsible", "deputy")


class ContactWrong(Invalid):
    """A contact is responsible or deputy, and has a name, a phone and duty times."""

    code = "contact_wrong"
    message = "联系人须为责任人或副责任人，并填写姓名、电话和值守时间"


class NoPlanInForce(Conflict):
    """No plan of the lot is approved yet, so nobody is named."""

    code = "no_plan_in_force"
    message = "该停车场尚无经批准的开放方案"


@dataclass(frozen=True)
class NewContact:
    """A person who answers for the lot; name and phone rest sealed."""

    role: str
    name: str
    phone: str
    duty_times: str

    def check(self) -> None:
        """Refuse `ContactWrong` when something is missing."""
        if self.role not in ROLES or not (self.name.strip() and self.duty_times.strip() and good_phone(self.phone)):
            raise ContactWrong(role=self.role)


def write_contacts(plan: OpeningPlan, contacts: Sequence[NewContact]) -> None:
    """Name these persons in a plan, each in place of whom the plan named before. Refuses `ContactWrong`."""
    session, now = current(), clock.now()
    for each in contacts:
        each.check()
    session.execute(
        update(PlanContact)
        .where(
            PlanContact.plan_id == plan.id, PlanContact.role.in_([each.role for each in contacts]),
            PlanContact.ended_at.is_(None),
        )
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    session.add_all(_row(plan.id, each) for each in contacts)
    session.flush()


def _row(plan_id: int, told: NewContact) -> PlanContact:
    key = new_key()
    return PlanContact(
        key=key, plan_id=plan_id, role=told.role, name_enc=seal(told.name.strip(), name_place(key)),
        phone_enc=seal(told.phone.strip(), phone_place(key)), duty_times=told.duty_times.strip(),
        checked_at=clock.now(),
    )  # fmt: skip


def name_contacts(by: Actor, plan_key: uuid.UUID, contacts: Sequence[NewContact]) -> None:
    """Name who answers for a lot in a plan that is drafted or in force; people change oftener than plans.

    Refuses `NotFound`, `ContactWrong`.
    """
    with transaction():
        plan = current().scalar(
            select(OpeningPlan).where(
                OpeningPlan.key == plan_key, OpeningPlan.state.in_(("draft", "submitted", "approved"))
            )
        )
        if plan is None:
            raise NotFound
        permit(by, "lots.plan", place_of(plan.lot_id))
        write_contacts(plan, contacts)
        audit.record("lots.name_contacts", "opening_plan", plan.id, by.label, {"contacts": len(contacts)})


def check_contacts(by: Actor, lot_key: uuid.UUID) -> int:
    """Somebody reached the persons named in the plan in force: they are right today. Returns how many.

    Refuses `NotFound`, `NoPlanInForce`.
    """
    with transaction() as session:
        lot = lock_lot(lot_key)
        permit(by, "lots.check_contacts", place_of(lot.id))
        plan = plan_in_force(lot.id)
        if plan is None:
            raise NoPlanInForce
        named = session.scalars(
            select(PlanContact).where(PlanContact.plan_id == plan.id, PlanContact.ended_at.is_(None))
        ).all()
        for each in named:
            each.checked_at = clock.now()
        session.flush()
        audit.record("lots.check_contacts", "lot", lot.id, by.label, {"contacts": len(named)})
        return len(named)
