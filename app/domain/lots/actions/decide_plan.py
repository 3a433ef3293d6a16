"""Deciding on an opening plan: approved from a moment on, sent back, or in force at once where it only gives more."""

import uuid
from datetime import datetime

from sqlalchemy import select

from app.domain.lots.actions.plan import check_finished, lock_plan
from app.domain.lots.actions.steps import said
from app.domain.lots.actions.windows import keep_promises, write_windows
from app.domain.lots.models import Bay, Lot, OpeningPlan
from app.domain.lots.queries.places import place_of
from app.domain.lots.queries.plans import hours_of_plan, plan_in_force
from app.domain.lots.rules import PLAN
from app.domain.lots.rules.hours import is_nowhere_shorter
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed


class PlanDoesNotMatch(Conflict):
    """The plan states another number of shared bays than are marked in the lot."""

    code = "plan_does_not_match"
    message = "方案的共享泊位数与已标注的共享泊位不一致"


class BayHasClaims(Conflict):
    """A bay that should be withheld is promised or occupied."""

    code = "bay_has_claims"
    message = "拟收回的泊位已有预约或正在使用"


class OwnPlan(NotAllowed):
    """Who made or submitted a plan does not decide on it."""

    code = "own_plan"
    message = "方案须由编制人、提交人以外的人员审批"


class NotWider(Conflict):
    """The plan takes something away that the plan in force gives; somebody else must approve it."""

    code = "plan_not_wider"
    message = "该方案比现行方案有所收窄，须提交审批"


class HoldsFromThePast(Invalid):
    """A plan takes effect now or later."""

    code = "holds_from_the_past"
    message = "方案生效时间不能早于现在"


REFUSED_BY = {
    "a_plan_matches_the_bays_it_shares": PlanDoesNotMatch,
    "a_bay_with_live_claims_stays_shared": BayHasClaims,
    "a_widening_plan_takes_nothing_away": NotWider,
}


def approve_plan(
    by: Actor, plan_key: uuid.UUID, because: str = "", valid_from: datetime | None = None
) -> OpeningPlan:  # fmt: skip
    """Put a submitted plan in force, its hours from `valid_from` on, in place of the plan before.

    Refuses `NotFound`, `WrongState`, `OwnPlan`, `HoldsFromThePast`, `PlanDoesNotMatch`, `BayHasClaims`, and
    `PromisesStand` when reservations lie in what would be closed from then on: choose a later moment.
    """
    with transaction():
        plan = lock_plan(plan_key)
        permit(by, "lots.decide_plan", place_of(plan.lot_id))
        if by.account_id in {plan.made_by, plan.submitted_by}:
            raise OwnPlan
        since = valid_from or clock.now()
        if since < clock.now():
            raise HoldsFromThePast
        decided = {"decided_by": by.account_id, "decided_at": clock.now(), "decided_because": because.strip() or None}
        _take_effect(plan, "approve", by, since, decided)
        return plan


def return_plan(by: Actor, plan_key: uuid.UUID, because: str) -> OpeningPlan:
    """Send a submitted plan back with a reason; the next version may do better.

    Refuses `NotFound`, `WrongState`, `OwnPlan`, `ReasonMissing`.
    """
    with transaction():
        plan = lock_plan(plan_key)
        permit(by, "lots.decide_plan", place_of(plan.lot_id))
        if by.account_id in {plan.made_by, plan.submitted_by}:
            raise OwnPlan
        PLAN.move(
            plan, "return", by.label, decided_by=by.account_id, decided_at=clock.now(), decided_because=said(because)
        )
        audit.record("lots.return_plan", "opening_plan", plan.id, by.label)
        return plan


def widen(by: Actor, plan_key: uuid.UUID) -> OpeningPlan:
    """Let a drafted plan that only gives more than the one in force take effect at once: nobody need approve that.

    More hours, more bays, or less of a curfew; every other word of the plan in force stays as strict as it was.
    Refuses `NotFound`, `WrongState`, `PlanUnfinished`, `NotWider`, `PlanDoesNotMatch`.
    """
    with transaction():
        plan = lock_plan(plan_key)
        permit(by, "lots.plan", place_of(plan.lot_id))
        check_finished(plan)
        former = plan_in_force(plan.lot_id)
        if former is None or not is_nowhere_shorter(hours_of_plan(plan), hours_of_plan(former)):
            raise NotWider
        _take_effect(plan, "widen", by, clock.now(), {"submitted_by": by.account_id, "widens": True})
        return plan


def _take_effect(
    plan: OpeningPlan, event: str, by: Actor, since: datetime, decided: dict[str, object]
) -> None:  # fmt: skip
    """The former plan is superseded first, then bays are withheld, so that the new one fits what is marked."""
    session = current()
    former = plan_in_force(plan.lot_id)
    if former is not None:
        PLAN.move(former, "supersede", by.label)
    with refusing(REFUSED_BY):
        _withhold(plan)
        PLAN.move(plan, event, by.label, valid_from=since, **decided)
    lot = session.get_one(Lot, plan.lot_id)
    lot.shared_chargers = plan.shared_chargers
    session.flush()
    audit.record(f"lots.{event}_plan", "opening_plan", plan.id, by.label, {"lot_id": lot.id, "version": plan.version})
    if lot.state in {"open", "suspended"}:
        write_windows(lot.id)
        keep_promises()


def _withhold(plan: OpeningPlan) -> None:
    if plan.withholds:
        for bay in current().scalars(
            select(Bay).where(Bay.lot_id == plan.lot_id, Bay.number.in_(plan.withholds)).with_for_update()
        ):
            bay.shared = False
        current().flush()
