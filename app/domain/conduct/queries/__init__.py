"""What the rules ask of incidents and measures, and whether somebody may reserve."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, func, select

from app.domain.conduct.models import Appeal, AppealDecision, ConductRule, Incident, Measure, MeasureIncident
from app.domain.conduct.rules import APPEAL_WITHIN, CITY_DEFAULTS, STOP_RESERVATIONS, ReservationsSuspended, Terms
from app.kernel import clock
from app.kernel.clock import shanghai
from app.kernel.db import transaction
from app.kernel.spans import bounds


def must_wait(motorist_id: SQLColumnExpression[int], at: SQLColumnExpression[datetime]) -> ColumnElement[bool]:
    """Whether a measure keeps the motorist of each row from reserving: then `refuse_suspended` tells all about it."""
    return (
        select(Measure.id)
        .where(Measure.motorist_id == motorist_id, Measure.kind.in_(STOP_RESERVATIONS), Measure.valid.contains(at))
        .correlate_except(Measure)
        .exists()
    )


def refuse_suspended(motorist_id: int) -> None:
    """Refuse `ReservationsSuspended` while a measure keeps this motorist from reserving.

    With the motorist's row locked by the caller the answer holds until the transaction ends.
    """
    with transaction() as session:
        measure = session.scalars(
            select(Measure)
            .where(
                Measure.motorist_id == motorist_id, Measure.kind.in_(STOP_RESERVATIONS),
                Measure.valid.contains(clock.now()),
            )
            .order_by(func.upper(Measure.valid).desc())
            .limit(1)
        ).one_or_none()  # fmt: skip
    if measure is not None:
        raise ReservationsSuspended(
            reason=measure.reason, until=_told(bounds(measure.valid)[1]), measure_key=str(measure.key),
            appeal_until=_told(measure.began_at + APPEAL_WITHIN),
            appeal_at=f"/mp/v1/conduct/measures/{measure.key}/appeals",
        )  # fmt: skip


def terms_at(kind: str, at: datetime) -> dict[str, Terms]:
    """What incidents of a kind led to at a moment, by measure: the city's rules, else its defaults."""
    terms = {measure: each for (about, measure), each in CITY_DEFAULTS.items() if about == kind}
    with transaction() as session:
        rows = session.scalars(select(ConductRule).filter_by(kind=kind).where(ConductRule.valid.contains(at)))
        return terms | {row.measure: terms_of(row) for row in rows}


def terms_of(row: ConductRule) -> Terms:
    """What a rule says."""
    return Terms(row.count, row.within_days, row.days, row.id)


def is_running(motorist_id: int, kind: str, at: datetime) -> bool:
    """Whether a measure of a kind holds against a motorist."""
    with transaction() as session:
        running = select(Measure.id).filter_by(motorist_id=motorist_id, kind=kind).where(Measure.valid.contains(at))
        return session.scalar(running) is not None


def countable(motorist_id: int, kind: str, measure: str, since: datetime) -> list[int]:
    """Ids of a motorist's incidents of a kind since a moment that led to no such measure yet.

    Those of a measure that was lifted on appeal count no more.
    """
    used = select(MeasureIncident.incident_id).where(
        MeasureIncident.incident_id == Incident.id, MeasureIncident.kind == measure
    )
    lifted = (
        select(MeasureIncident.incident_id)
        .join(Appeal, Appeal.measure_id == MeasureIncident.measure_id)
        .join(AppealDecision, AppealDecision.appeal_id == Appeal.id)
        .where(MeasureIncident.incident_id == Incident.id, AppealDecision.outcome == "lifted")
    )
    with transaction() as session:
        return list(
            session.scalars(
                select(Incident.id)
                .where(Incident.motorist_id == motorist_id, Incident.kind == kind, Incident.at > since)
                .where(~used.exists(), ~lifted.exists())
                .order_by(Incident.id)
            )
        )


def unassessed(limit: int) -> Sequence[int]:
    """Ids of incidents about which the rules have not been asked."""
    with transaction() as session:
        waiting = select(Incident.id).where(Incident.assessed_at.is_(None)).order_by(Incident.id).limit(limit)
        return session.scalars(waiting).all()


def _told(at: datetime) -> str:
    return shanghai(at).isoformat(timespec="seconds")
