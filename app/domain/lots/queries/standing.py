"""How a lot and its unit stand against what the notice asks (N2.1-N2.2.5), and how far the city has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from app.domain.lots.models import Bay, FacilityCheck, Lot, LotPayee, OpeningPlan
from app.domain.lots.queries.plans import hours_of_plan, plan_in_force, roles_of
from app.domain.lots.rules.hours import is_shorter, readings_of
from app.domain.lots.rules.shortfalls import Counts, LotFacts, PlanFacts, Shortfall, shortfalls
from app.domain.policies.queries import numbers
from app.domain.units.models import Unit
from app.domain.units.queries import is_excluded, is_run, operators_of
from app.kernel import clock
from app.kernel.db import transaction


@dataclass(frozen=True)
class LotCounts:
    """One lot's share of its unit's bays and chargers."""

    lot: Lot
    counts: Counts


def counts_by_lot(unit_id: int) -> list[LotCounts]:
    """The bays and chargers of a unit's lots that are not withdrawn; what is marked shared is what is shared."""
    marked = select(func.count()).where(Bay.lot_id == Lot.id, Bay.shared).correlate(Lot).scalar_subquery()
    with transaction() as session:
        rows = session.execute(
            select(Lot, marked).where(Lot.unit_id == unit_id, Lot.state != "withdrawn").order_by(Lot.id)
        )
        return [
            LotCounts(lot, Counts(lot.total_bays, shared, lot.total_chargers, lot.shared_chargers))
            for lot, shared in rows
        ]


def in_all(found: list[LotCounts], instead: Mapping[int, tuple[int, int]] | None = None) -> Counts:
    """The sum over lots; `instead` says for a lot how many bays and chargers would be shared."""
    told = instead or {}
    shared = [told.get(each.lot.id, (each.counts.shared_bays, each.counts.shared_chargers)) for each in found]
    return Counts(
        sum(each.counts.total_bays for each in found), sum(bays for bays, _ in shared),
        sum(each.counts.total_chargers for each in found), sum(chargers for _, chargers in shared),
    )  # fmt: skip


def shortfalls_of(lot_id: int) -> list[Shortfall]:
    """What a lot lacks at this moment, the blocking first."""
    with transaction() as session:
        lot = session.get_one(Lot, lot_id)
        return shortfalls(facts_of(lot), numbers(lot_id=lot.id, unit_id=lot.unit_id), clock.now())


def facts_of(lot: Lot) -> LotFacts:
    """What is known of a lot when somebody wants it to be public."""
    with transaction() as session:
        unit, now = session.get_one(Unit, lot.unit_id), clock.now()
        found = counts_by_lot(lot.unit_id)
        own = next((each.counts for each in found if each.lot.id == lot.id), Counts(lot.total_bays, 0, 0, 0))
        payee = select(LotPayee.id).where(LotPayee.lot_id == lot.id, LotPayee.valid.contains(now))
        return LotFacts(
            of_unit=in_all(found), of_lot=own, area=lot.area, plan=_plan_facts(lot), facilities=facilities_of(lot),
            is_excluded=is_excluded(unit.id), has_credit_code=unit.credit_code is not None, operation=_operation(lot),
            has_payee=session.scalar(payee) is not None,
        )  # fmt: skip


def _plan_facts(lot: Lot) -> PlanFacts | None:
    plan = plan_in_force(lot.id)
    if plan is None:
        return None
    return PlanFacts(roles_of(plan.id), is_shorter_than_the_notice(plan), plan.shortfall_reason)


def is_shorter_than_the_notice(plan: OpeningPlan) -> bool:
    """Whether a plan keeps the bays longer than the notice does, as the city reads it for this lot."""
    with transaction() as session:
        lot = session.get_one(Lot, plan.lot_id)
        return is_shorter(hours_of_plan(plan), readings_of(numbers(lot_id=lot.id, unit_id=lot.unit_id)))


def _operation(lot: Lot) -> str:
    now = clock.now()
    if operators_of(lot.id, now):
        return "operator"
    return "unit" if is_run(lot.id, now) else "expired"


def facilities_of(lot: Lot) -> str:
    """`sound`, `unsound`, `old` or `never` checked (N2.2.4)."""
    check = last_check(lot.id)
    if check is None:
        return "never"
    days = numbers(lot_id=lot.id, unit_id=lot.unit_id)["facility_check_days"]
    if not check.is_sound:
        return "unsound"
    return "sound" if check.checked_at > clock.now() - timedelta(days=days) else "old"


def last_check(lot_id: int) -> FacilityCheck | None:
    """The latest facilities check of a lot."""
    with transaction() as session:
        return session.scalar(
            select(FacilityCheck)
            .where(FacilityCheck.lot_id == lot_id)
            .order_by(FacilityCheck.checked_at.desc(), FacilityCheck.id.desc())
            .limit(1)
        )
