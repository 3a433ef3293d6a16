"""A person decides on an appeal."""

import uuid

from sqlalchemy import func, select, update

from app.domain.conduct.models import Appeal, AppealDecision, Measure
from app.domain.conduct.rules import (
    OUTCOMES,
    AppealDecided,
    AppealNotFound,
    OwnIncident,
    decision_notice,
    said,
)
from app.domain.messages.actions import tell
from app.domain.staff.rules import CITY, Actor, permit
from app.domain.tasks.actions import settle_tasks
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction

REFUSALS = {
    "pk_appeal_decision": AppealDecided,
    "who_wrote_an_incident_does_not_decide_on_it": OwnIncident,
}


def decide(by: Actor, appeal_key: uuid.UUID, outcome: str, reason: str) -> AppealDecision:
    """Lift a measure, which ends at once, or uphold it (`rules.OUTCOMES`); the motorist is told with the reason.

    The incidents of a lifted measure count no more. Of two who decide at once the table lets one. Refuses
    `AppealNotFound`, `AppealDecided`, `OwnIncident` when this person wrote one of the incidents, `WordsMissing`.
    """
    with transaction() as session:
        permit(by, "conduct.decide", CITY)
        appeal = session.scalars(select(Appeal).filter_by(key=appeal_key)).one_or_none()
        if appeal is None:
            raise AppealNotFound
        measure = session.get_one(Measure, appeal.measure_id)
        if outcome == "lifted":
            _end_now(measure.id)
        decision = AppealDecision(
            appeal_id=appeal.id, made_at=appeal.made_at, outcome=outcome, reason=said(reason),
            decided_by=by.account_id, decided_at=clock.now(),
        )  # fmt: skip
        with refusing(REFUSALS):
            session.add(decision)
        settle_tasks("appeal_to_decide", "appeal", appeal.id, OUTCOMES[outcome])
        told = decision_notice(measure.kind, outcome, decision.reason)
        tell(measure.motorist_id, "appeal_decided", f"appeal:{appeal.id}", "申诉决定", told)
        audit.record("conduct.decide", "appeal", appeal.id, by.label, {"outcome": outcome})
        return decision


def _end_now(measure_id: int) -> None:
    """What is over already keeps the end that it had."""
    running = update(Measure).where(Measure.id == measure_id, Measure.valid.contains(clock.now()))
    current().execute(running.values(valid=func.tstzrange(Measure.began_at, clock.now())))
