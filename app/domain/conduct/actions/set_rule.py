"""The city changes a rule from a date on."""

from datetime import datetime

from app.domain.conduct.models import ConductRule
from app.domain.conduct.rules import MOST_DAYS, MOST_TIMES, RuleInThePast, RuleOutOfRange, Terms
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.spans import span
from app.kernel.terms import end_running


def set_rule(by: Actor, kind: str, measure: str, terms: Terms, begins_at: datetime | None = None) -> ConductRule:
    """Let so many incidents of a kind lead to a measure, for what happens from `begins_at` (else from now) on.

    Refuses `RuleOutOfRange`, `RuleInThePast`, and `ChangeOutOfOrder` when a rule is set for then or later.
    """
    with transaction() as session:
        permit(by, "conduct.set_rule", CITY)
        now = clock.now()
        if begins_at is not None and begins_at < now:
            raise RuleInThePast
        _check(terms)
        since = begins_at or now
        end_running(ConductRule, (ConductRule.kind == kind, ConductRule.measure == measure), since)
        row = ConductRule(
            kind=kind, measure=measure, count=terms.count, within_days=terms.within_days, days=terms.days,
            valid=span(since, None),
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record("conduct.set_rule", "conduct_rule", row.id, by.label, {"kind": kind, "measure": measure})
        return row


def _check(terms: Terms) -> None:
    days = (terms.within_days, terms.days)
    if not 1 <= terms.count <= MOST_TIMES or not all(1 <= each <= MOST_DAYS for each in days):
        raise RuleOutOfRange(count=terms.count, within_days=terms.within_days, days=terms.days)
