"""What staff see of conduct: incidents within their reach, measures and appeals of the whole city; no plates."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select

from app.domain.conduct.models import Appeal, AppealDecision, ConductRule, Incident, Measure, MeasureIncident
from app.domain.conduct.queries import terms_of
from app.domain.conduct.rules import CITY_DEFAULTS, Terms, words_place
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import within
from app.domain.motorists.models import Motorist
from app.domain.staff.queries import logins
from app.domain.staff.rules import CITY, Actor, permit, reach
from app.kernel import clock
from app.kernel.crypto import unseal
from app.kernel.db import transaction
from app.kernel.spans import bounds

PAGE: Final = 200


@dataclass(frozen=True)
class SeenRule:
    """A rule as it holds now or later; without a beginning it is the city's default."""

    kind: str
    measure: str
    count: int
    within_days: int
    days: int
    begins_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class SeenIncident:
    """An incident; `noted_by` is a login, or empty where the platform saw it itself."""

    key: uuid.UUID
    kind: str
    lot: str
    motorist: uuid.UUID
    at: datetime
    evidence: Mapping[str, Any]
    noted_by: str | None


@dataclass(frozen=True)
class SeenMeasure:
    """A measure with how many incidents it follows from, and what became of an appeal."""

    key: uuid.UUID
    kind: str
    motorist: uuid.UUID
    reason: str
    begins_at: datetime
    ends_at: datetime
    incidents: int
    appeal: uuid.UUID | None
    outcome: str | None


@dataclass(frozen=True)
class SeenAppeal:
    """An appeal as whoever decides reads it."""

    key: uuid.UUID
    measure: str
    measure_key: uuid.UUID
    reason: str
    words: str
    made_at: datetime
    incidents: tuple[uuid.UUID, ...]
    outcome: str | None
    decision: str | None


def rules(by: Actor) -> list[SeenRule]:
    """Every rule that holds now or later, and the defaults that still hold, by kind and measure."""
    with transaction() as session:
        permit(by, "conduct.see_rules", CITY)
        now = clock.now()
        rows = session.scalars(select(ConductRule).where(func.coalesce(func.upper(ConductRule.valid) > now, True)))
        told = [_rule(row.kind, row.measure, terms_of(row), row.valid.lower, row.valid.upper) for row in rows]
        begun = {(rule.kind, rule.measure) for rule in told if rule.begins_at and rule.begins_at <= now}
        told += [_rule(*pair, terms) for pair, terms in CITY_DEFAULTS.items() if pair not in begun]
        return sorted(told, key=lambda rule: (rule.kind, rule.measure, rule.begins_at or now))


def _rule(
    kind: str, measure: str, terms: Terms, begins_at: datetime | None = None, ends_at: datetime | None = None
) -> SeenRule:
    return SeenRule(kind, measure, terms.count, terms.within_days, terms.days, begins_at, ends_at)


def incidents(
    by: Actor, *, kind: str | None = None, lot_key: uuid.UUID | None = None, limit: int = PAGE
) -> list[SeenIncident]:
    """Incidents in lots within this person's reach, the newest first."""
    with transaction() as session:
        wanted = [within(reach(by, "conduct.see_incidents"))]
        if kind is not None:
            wanted.append(Incident.kind == kind)
        if lot_key is not None:
            wanted.append(Lot.key == lot_key)
        rows = session.execute(
            select(Incident, Lot.name, Motorist.key)
            .join(Lot, Lot.id == Incident.lot_id)
            .join(Motorist, Motorist.id == Incident.motorist_id)
            .where(*wanted)
            .order_by(Incident.id.desc())
            .limit(limit)
        ).all()
        people = logins([each.noted_by for each, _, _ in rows if each.noted_by is not None])
        return [
            SeenIncident(each.key, each.kind, lot, who, each.at, each.evidence, people.get(each.noted_by or 0))
            for each, lot, who in rows
        ]


def measures(by: Actor, *, running: bool = False, limit: int = PAGE) -> list[SeenMeasure]:
    """Measures against motorists, the newest first; `running`: only those that hold now."""
    with transaction() as session:
        permit(by, "conduct.see_measures", CITY)
        count = select(func.count()).where(MeasureIncident.measure_id == Measure.id).scalar_subquery()
        wanted = (
            select(Measure, Motorist.key, count, Appeal.key, AppealDecision.outcome)
            .join(Motorist, Motorist.id == Measure.motorist_id)
            .outerjoin(Appeal, Appeal.measure_id == Measure.id)
            .outerjoin(AppealDecision, AppealDecision.appeal_id == Appeal.id)
            .order_by(Measure.id.desc())
            .limit(limit)
        )
        if running:
            wanted = wanted.where(Measure.valid.contains(clock.now()))
        return [
            SeenMeasure(row.key, row.kind, who, row.reason, *bounds(row.valid), incidents, appeal, outcome)
            for row, who, incidents, appeal, outcome in session.execute(wanted)
        ]


def appeals(by: Actor, *, decided: bool = False, limit: int = PAGE) -> list[SeenAppeal]:
    """Appeals that wait for a decision, the oldest first; `decided`: those that have one. Read them by `hear`."""
    with transaction() as session:
        permit(by, "conduct.see_appeals", CITY)
        has_one = AppealDecision.appeal_id.is_not(None)
        rows = session.execute(
            select(Appeal, Measure, AppealDecision)
            .join(Measure, Measure.id == Appeal.measure_id)
            .outerjoin(AppealDecision, AppealDecision.appeal_id == Appeal.id)
            .where(has_one if decided else ~has_one)
            .order_by(Appeal.id)
            .limit(limit)
        ).all()
        behind = _incidents_behind([measure.id for _, measure, _ in rows])
        return [_appeal(*row, behind) for row in rows]


def _incidents_behind(measure_ids: list[int]) -> dict[int, tuple[uuid.UUID, ...]]:
    with transaction() as session:
        rows = session.execute(
            select(MeasureIncident.measure_id, func.array_agg(Incident.key))
            .join(Incident, Incident.id == MeasureIncident.incident_id)
            .where(MeasureIncident.measure_id.in_(measure_ids))
            .group_by(MeasureIncident.measure_id)
        )
        return {measure_id: tuple(keys) for measure_id, keys in rows}


def _appeal(
    appeal: Appeal, measure: Measure, decision: AppealDecision | None, behind: dict[int, tuple[uuid.UUID, ...]]
) -> SeenAppeal:
    return SeenAppeal(
        key=appeal.key, measure=measure.kind, measure_key=measure.key, reason=measure.reason,
        words=unseal(appeal.words_enc, words_place(appeal.key)), made_at=appeal.made_at,
        incidents=behind.get(measure.id, ()), outcome=decision.outcome if decision else None,
        decision=decision.reason if decision else None,
    )  # fmt: skip
