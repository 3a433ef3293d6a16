"""What open windows are derived from: office hours, plans, policy numbers, calendars, closures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import Row, select

from app.domain.calendars.models import CalendarVersion
from app.domain.lots.models import Lot, LotClosure, OpeningPlan
from app.domain.lots.rules import Curfew, Span
from app.domain.lots.rules.hours import PlanHours
from app.domain.policies.models import PolicyNumber
from app.domain.policies.rules import narrowest
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.spans import span

READINGS = (
    "closes_before_minutes", "opens_after_minutes", "morning_after_a_day_off_is_open",
    "evening_before_a_day_off_is_open", "makeup_days_are_worked",
)  # fmt: skip
"""The policy numbers on which open hours hang (notice N2.2.1, what it leaves open)."""


@dataclass(frozen=True)
class PlanTurn:
    """A plan and the moment from which it counts."""

    plan_id: int
    since: datetime
    hours: PlanHours


@dataclass(frozen=True)
class HoursOf:
    """Everything from which one lot's windows follow; `is_public` is false for a lot that takes nobody."""

    lot_id: int
    is_public: bool
    has_windows: bool
    office: tuple[time, time]
    turns: Sequence[PlanTurn]
    numbers: tuple[int, ...]
    """In the order of READINGS."""


def hours_of(lot_ids: Sequence[int]) -> list[HoursOf]:
    """The hours of these lots, in four questions however many they are."""
    with transaction() as session:
        rows = session.execute(
            select(Lot.id, Lot.unit_id, Lot.state, Lot.windows_until, Unit.office_begins, Unit.office_ends)
            .join(Unit, Unit.id == Lot.unit_id)
            .where(Lot.id.in_(lot_ids))
        ).all()
        turns, numbers = _turns(lot_ids), _Numbers()
        return [
            HoursOf(
                row.id, row.state in {"open", "suspended"}, row.windows_until is not None,
                (row.office_begins, row.office_ends),
                turns.get(row.id, ()), numbers.of(row.id, row.unit_id),
            )
            for row in rows
        ]  # fmt: skip


def _turns(lot_ids: Sequence[int]) -> Mapping[int, Sequence[PlanTurn]]:
    """For each lot its plans by the moment from which they count; a later decision puts aside what it overtakes."""
    found: defaultdict[int, list[PlanTurn]] = defaultdict(list)
    with transaction() as session:
        decided = session.execute(
            select(
                OpeningPlan.id, OpeningPlan.lot_id, OpeningPlan.valid_from, OpeningPlan.closes_before_minutes,
                OpeningPlan.opens_after_minutes, OpeningPlan.duty_days, OpeningPlan.exceptions,
            )
            .where(OpeningPlan.lot_id.in_(lot_ids), OpeningPlan.state.in_(("approved", "superseded")))
            .order_by(OpeningPlan.lot_id, OpeningPlan.version)
        )  # fmt: skip
        for row in decided:
            turns = found[row.lot_id]
            while turns and turns[-1].since >= row.valid_from:
                turns.pop()
            turns.append(PlanTurn(row.id, row.valid_from, _plan_hours(row)))
    return found


def _plan_hours(row: Row[int, int, datetime | None, int, int, list[object], list[object]]) -> PlanHours:
    return PlanHours(row.closes_before_minutes, row.opens_after_minutes, row.duty_days, row.exceptions)


class _Numbers:
    """The policy numbers of READINGS as they hold now, for any lot, in one question."""

    def __init__(self) -> None:
        self._set: defaultdict[tuple[str, int], dict[str, int]] = defaultdict(dict)
        with transaction() as session:
            rows = session.execute(
                select(PolicyNumber.scope, PolicyNumber.scope_id, PolicyNumber.name, PolicyNumber.value).where(
                    PolicyNumber.name.in_(READINGS), PolicyNumber.valid.contains(clock.now())
                )
            )
            for scope, scope_id, name, value in rows:
                self._set[scope, scope_id][name] = value
        self._usual = self._narrowest([("city", 0)])

    def of(self, lot_id: int, unit_id: int) -> tuple[int, ...]:
        own = [place for place in (("lot", lot_id), ("unit", unit_id)) if place in self._set]
        return self._narrowest([*own, ("city", 0)]) if own else self._usual

    def _narrowest(self, places: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        return tuple(
            narrowest(name, [(place[0], self._set[place][name]) for place in places if name in self._set[place]])
            for name in READINGS
        )


def closures_of(lot_ids: Sequence[int], since: datetime) -> Mapping[int, list[Span]]:
    """The closures of these lots that reach beyond a moment; one without an end reaches as far as windows do."""
    found: defaultdict[int, list[Span]] = defaultdict(list)
    with transaction() as session:
        rows = session.execute(
            select(LotClosure.lot_id, LotClosure.during).where(
                LotClosure.lot_id.in_(lot_ids), LotClosure.during.overlaps(span(since, None))
            )
        )
        for lot_id, during in rows:
            assert during.lower is not None
            found[lot_id].append(Span(during.lower, during.upper or datetime.max.replace(tzinfo=since.tzinfo)))
    return found


def calendars_in_force() -> Mapping[int, int]:
    """The calendar versions in force by their year."""
    with transaction() as session:
        return dict(
            session.execute(select(CalendarVersion.year, CalendarVersion.id).where(CalendarVersion.in_force)).all()
        )


def curfews_of(lot_ids: Sequence[int]) -> Mapping[int, Curfew]:
    """The movement curfews of those lots whose plan in force has one."""
    with transaction() as session:
        rows = session.execute(
            select(OpeningPlan.lot_id, OpeningPlan.curfew_begins, OpeningPlan.curfew_ends).where(
                OpeningPlan.lot_id.in_(lot_ids), OpeningPlan.state == "approved", OpeningPlan.curfew_begins.is_not(None)
            )
        )
        return {
            lot_id: Curfew(begins, ends) for lot_id, begins, ends in rows if begins is not None and ends is not None
        }
