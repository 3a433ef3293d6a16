"""What follows from an incident: the rules that held when it happened are asked, once."""

from datetime import timedelta

from sqlalchemy import select

from app.domain.conduct.models import Incident, Measure, MeasureIncident
from app.domain.conduct.queries import countable, is_running, terms_at, unassessed
from app.domain.conduct.rules import Terms, notice_of, push_of, title_of
from app.domain.messages.actions import tell
from app.domain.motorists.models import Motorist
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.rounds import each_alone
from app.kernel.spans import span


def assess_forgotten(limit: int = 200) -> int:
    """Assess incidents whose job was lost; returns how many."""
    return each_alone(unassessed(limit), assess)


def assess(incident_id: int) -> bool:
    """Ask the rules about an incident; whether it had not been done. Several may run at once and for one motorist.

    Incidents of one motorist queue at the motorist's row, so that each sees what the one before it led to.
    """
    with transaction():
        motorist = select(Incident.motorist_id).where(Incident.id == incident_id).scalar_subquery()
        current().execute(select(Motorist.id).where(Motorist.id == motorist).with_for_update(key_share=True))
        incident = current().scalars(select(Incident).where(Incident.id == incident_id).with_for_update()).one()
        if incident.assessed_at is not None:
            return False
        for measure, terms in terms_at(incident.kind, incident.at).items():
            _impose_if_due(incident, measure, terms)
        incident.assessed_at = clock.now()
        return True


def _impose_if_due(incident: Incident, measure: str, terms: Terms) -> None:
    """While a measure of a kind runs no second one begins; what happens meanwhile counts towards the next."""
    if is_running(incident.motorist_id, measure, clock.now()):
        return
    since = clock.now() - timedelta(days=terms.within_days)
    counted = countable(incident.motorist_id, incident.kind, measure, since)
    if len(counted) >= terms.count:
        _impose(incident, measure, terms, counted)


def _impose(incident: Incident, kind: str, terms: Terms, counted: list[int]) -> None:
    now = clock.now()
    ends_at, reason = now + timedelta(days=terms.days), terms.reason(incident.kind)
    measure = Measure(
        kind=kind, motorist_id=incident.motorist_id, began_at=now, valid=span(now, ends_at), reason=reason,
        rule_id=terms.rule_id,
    )  # fmt: skip
    current().add(measure)
    current().flush()
    used = [
        MeasureIncident(measure_id=measure.id, incident_id=each, kind=kind, motorist_id=measure.motorist_id)
        for each in counted
    ]
    current().add_all(used)
    told = notice_of(kind, reason, now, ends_at)
    tell(measure.motorist_id, "conduct", f"measure:{measure.id}", title_of(kind), told, push_of(kind, ends_at))
