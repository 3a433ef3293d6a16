"""By which rule the fees of several references become one cap, for the city, a unit or a lot."""

from datetime import datetime

from app.domain.lots.queries import place_of
from app.domain.policies.actions import ChangeInThePast
from app.domain.pricing.actions.register import said
from app.domain.pricing.models import CapRule
from app.domain.pricing.rules.proofs.combining import RULES
from app.domain.staff.rules import CITY, Actor, Place, permit
from app.domain.units.models import Unit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.queue import enqueue
from app.kernel.refusals import Invalid
from app.kernel.spans import span
from app.kernel.terms import ChangeOutOfOrder, end_running


class UnknownCapRule(Invalid):
    """A rule is `lowest`, `highest` or `average`."""

    code = "cap_rule_unknown"
    message = "组合规则须为最低、最高或平均之一"


def set_cap_rule(
    by: Actor, rule: str, legal_note: str, begins_at: datetime | None = None, *, scope: str = "city", scope_id: int = 0
) -> CapRule:
    """Let a rule hold for stays that begin from `begins_at` (else from now) on; `legal_note` says on what it rests.

    The narrowest of lot, unit and city counts; without any the lowest reference does. Lots are proved again by a job.
    Refuses `UnknownCapRule`, `WhyMissing`, `ChangeInThePast`, `ChangeOutOfOrder`, `NotFound`, `NotPermitted`.
    """
    with transaction() as session:
        permit(by, "pricing.set_cap_rule", _place(scope, scope_id))
        now = clock.now()
        since = begins_at or now
        if rule not in RULES:
            raise UnknownCapRule(rule=rule)
        if since < now:
            raise ChangeInThePast
        end_running(CapRule, [CapRule.scope == scope, CapRule.scope_id == scope_id], since)
        row = CapRule(
            scope=scope, scope_id=scope_id, rule=rule, legal_note=said(legal_note), valid=span(since, None),
            set_by=by.account_id, set_at=now,
        )  # fmt: skip
        with refusing({"a_place_has_one_cap_rule_at_a_time": ChangeOutOfOrder}):
            session.add(row)
        audit.record("pricing.set_cap_rule", "cap_rule", row.id, by.label, {"rule": rule})
        enqueue("pricing.prove_outdated")
        return row


def _place(scope: str, scope_id: int) -> Place:
    match scope:
        case "lot":
            return place_of(scope_id)
        case "unit":
            return current().get_one(Unit, scope_id).place
        case _:
            return CITY
