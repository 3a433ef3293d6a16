"""Opening plans (开放方案, N4.7): drafted, told anew and submitted by the unit or its operator."""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select

from app.domain.lots.actions.contacts import NewContact, write_contacts
from app.domain.lots.actions.steps import lock_lot, lock_lot_by_id
from app.domain.lots.models import Lot, OpeningPlan
from app.domain.lots.queries.places import place_of
from app.domain.lots.queries.plans import plan_id_of, roles_of
from app.domain.lots.queries.standing import counts_by_lot, in_all, is_shorter_than_the_notice
from app.domain.lots.rules import PLAN
from app.domain.lots.rules.plans import NewPlan, PlanWrong
from app.domain.lots.rules.shortfalls import falls_below
from app.domain.policies.queries import numbers
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid
from app.kernel.states import WrongState


class PlanInTheMaking(Conflict):
    """Another version of the lot's plan is drafted or submitted; it is finished first."""

    code = "plan_in_the_making"
    message = "该停车场已有正在编制或待批的开放方案"


class PlanUnfinished(Invalid):
    """A plan names a responsible person and a deputy, safety rules and an emergency plan before it is submitted."""

    code = "plan_unfinished"
    message = "提交前须填写安全管理制度、应急预案、责任人和副责任人"


class ShorterNeedsReason(Invalid):
    """Hours shorter than the notice's, or fewer bays or chargers than it asks for, need a reason (N2.2.1, N2.2.2)."""

    code = "shorter_needs_reason"
    message = "共享时段短于通知规定或共享比例不足的，须在方案中说明理由"


def draft_plan(by: Actor, lot_key: uuid.UUID, told: NewPlan, contacts: Sequence[NewContact] = ()) -> OpeningPlan:
    """Begin the next version of a lot's plan.

    Refuses `NotFound`, `PlanInTheMaking`, `ContactWrong` and what `NewPlan.checked` refuses.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.plan", place_of(lot.id))
        return enter_plan(by, lot, told, contacts)


def enter_plan(by: Actor, lot: Lot, told: NewPlan, contacts: Sequence[NewContact]) -> OpeningPlan:
    """The same for a lot that is locked by somebody who asked for permission already: bulk import."""
    with transaction() as session:
        last = session.scalar(select(func.max(OpeningPlan.version)).where(OpeningPlan.lot_id == lot.id)) or 0
        plan = OpeningPlan(
            lot_id=lot.id, version=last + 1, state="draft", made_by=by.account_id, made_at=clock.now(),
            **vars(told.checked()),
        )  # fmt: skip
        with refusing({"a_lot_has_one_plan_in_the_making": PlanInTheMaking}):
            session.add(plan)
            PLAN.born(plan, by.label, "draft")
        write_contacts(plan, contacts)
        audit.record("lots.draft_plan", "opening_plan", plan.id, by.label, {"lot_id": lot.id, "version": plan.version})
        return plan


def change_plan(by: Actor, plan_key: uuid.UUID, told: NewPlan) -> OpeningPlan:
    """Tell a draft anew. Refuses `NotFound`, `WrongState` once it was submitted, what `NewPlan.checked` refuses."""
    with transaction() as session:
        plan = lock_plan(plan_key)
        permit(by, "lots.plan", place_of(plan.lot_id))
        if plan.state != "draft":
            raise WrongState(machine=PLAN.name, state=plan.state, event="change")
        for name, value in vars(told.checked()).items():
            setattr(plan, name, value)
        session.flush()
        audit.record("lots.change_plan", "opening_plan", plan.id, by.label)
        return plan


def submit_plan(by: Actor, plan_key: uuid.UUID) -> OpeningPlan:
    """Ask for a decision; from here on the plan stays as it is.

    Refuses `NotFound`, `WrongState`, `PlanUnfinished`, `ShorterNeedsReason`.
    """
    with transaction():
        plan = lock_plan(plan_key)
        permit(by, "lots.plan", place_of(plan.lot_id))
        check_finished(plan)
        PLAN.move(plan, "submit", by.label, submitted_by=by.account_id)
        audit.record("lots.submit_plan", "opening_plan", plan.id, by.label)
        return plan


def lock_plan(plan_key: uuid.UUID) -> OpeningPlan:
    """A plan with its lot before it, ours until the transaction ends. Refuses `NotFound`."""
    session = current()
    plan_id = plan_id_of(plan_key)
    lot_id = session.scalar(select(OpeningPlan.lot_id).where(OpeningPlan.id == plan_id))
    assert lot_id is not None
    lock_lot_by_id(lot_id)
    return session.scalars(select(OpeningPlan).where(OpeningPlan.id == plan_id).with_for_update(key_share=True)).one()


def check_finished(plan: OpeningPlan) -> None:
    """Refuse `PlanUnfinished`, `PlanWrong` or `ShorterNeedsReason` when nobody could decide on the plan as it is."""
    if not (plan.safety_rules and plan.emergency_plan and roles_of(plan.id) >= {"responsible", "deputy"}):
        raise PlanUnfinished
    lot = current().get_one(Lot, plan.lot_id)
    if plan.shared_bays > lot.total_bays or plan.shared_chargers > lot.total_chargers:
        raise PlanWrong(total_bays=lot.total_bays, total_chargers=lot.total_chargers)
    if not plan.shortfall_reason and (is_shorter_than_the_notice(plan) or _shares_too_little(plan)):
        raise ShorterNeedsReason


def _shares_too_little(plan: OpeningPlan) -> bool:
    """Whether the unit as a whole would stay below the notice's shares with this plan (N2.2.2)."""
    lot = current().get_one(Lot, plan.lot_id)
    counted = in_all(counts_by_lot(lot.unit_id), {lot.id: (plan.shared_bays, plan.shared_chargers)})
    return falls_below(counted, numbers(lot_id=lot.id, unit_id=lot.unit_id), clock.now())
