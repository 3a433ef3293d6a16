"""What a motorist sees of their own conduct."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, select

from app.domain.conduct.models import Appeal, AppealDecision, Incident, Measure
from app.domain.conduct.rules import APPEAL_WITHIN, STOP_RESERVATIONS, words_place
from app.domain.lots.models import Lot
from app.kernel import clock
from app.kernel.crypto import unseal
from app.kernel.db import transaction
from app.kernel.spans import bounds

SHOWN_FOR: Final = timedelta(days=365)
"""What is older counts for nothing and is shown to nobody but by audit."""

MOST: Final = 100


@dataclass(frozen=True)
class OwnIncident:
    """What happened, where and when, and what it rests on."""

    key: uuid.UUID
    kind: str
    lot: Lot
    at: datetime
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class OwnAppeal:
    """An appeal with the motorist's own words; `outcome` is empty until somebody has decided."""

    key: uuid.UUID
    words: str
    made_at: datetime
    outcome: str | None
    reason: str | None
    decided_at: datetime | None


@dataclass(frozen=True)
class OwnMeasure:
    """A measure, and until when an appeal can be made."""

    key: uuid.UUID
    kind: str
    reason: str
    begins_at: datetime
    ends_at: datetime
    stops_reservations: bool
    appeal_until: datetime
    appeal: OwnAppeal | None


def own_incidents(motorist_id: int) -> Sequence[OwnIncident]:
    """A motorist's incidents of the last year, the newest first, a hundred at most."""
    with transaction() as session:
        rows = session.execute(
            select(Incident, Lot)
            .join(Lot, Lot.id == Incident.lot_id)
            .where(Incident.motorist_id == motorist_id, Incident.at > clock.now() - SHOWN_FOR)
            .order_by(Incident.at.desc(), Incident.id.desc())
            .limit(MOST)
        )
        return [OwnIncident(each.key, each.kind, lot, each.at, each.evidence) for each, lot in rows]


def own_measures(motorist_id: int) -> Sequence[OwnMeasure]:
    """A motorist's measures of the last year, the newest first, a hundred at most."""
    since = clock.now() - SHOWN_FOR
    with transaction() as session:
        wanted = _measures(motorist_id).where(Measure.began_at > since).order_by(Measure.id.desc()).limit(MOST)
        return [_own(*row) for row in session.execute(wanted)]


def own_measure(motorist_id: int, measure_id: int) -> OwnMeasure:
    """One of this motorist's measures."""
    with transaction() as session:
        return _own(*session.execute(_measures(motorist_id).where(Measure.id == measure_id)).one())


def _measures(motorist_id: int) -> Select[Measure, Appeal, AppealDecision]:
    return (
        select(Measure, Appeal, AppealDecision)
        .outerjoin(Appeal, Appeal.measure_id == Measure.id)
        .outerjoin(AppealDecision, AppealDecision.appeal_id == Appeal.id)
        .where(Measure.motorist_id == motorist_id)
    )


def _own(measure: Measure, appeal: Appeal | None, decision: AppealDecision | None) -> OwnMeasure:
    begins_at, ends_at = bounds(measure.valid)
    return OwnMeasure(
        key=measure.key, kind=measure.kind, reason=measure.reason, begins_at=begins_at, ends_at=ends_at,
        stops_reservations=measure.kind in STOP_RESERVATIONS, appeal_until=begins_at + APPEAL_WITHIN,
        appeal=_appeal(appeal, decision) if appeal else None,
    )  # fmt: skip


def _appeal(appeal: Appeal, decision: AppealDecision | None) -> OwnAppeal:
    words = unseal(appeal.words_enc, words_place(appeal.key))
    if decision is None:
        return OwnAppeal(appeal.key, words, appeal.made_at, None, None, None)
    return OwnAppeal(
        appeal.key, words, appeal.made_at, decision.outcome, decision.reason, decision.decided_at
    )  # fmt: skip
