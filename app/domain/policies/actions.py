"""Changing a number from a date on; the old one stays readable."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app.domain.policies.models import PolicyNumber
from app.domain.policies.rules import CITY_DEFAULTS
from app.kernel import audit
from app.kernel.db import transaction
from app.kernel.refusals import Invalid
from app.kernel.terms import end_running


class UnknownPolicy(Invalid):
    """There is no number of this name."""

    code = "policy_unknown"
    message = "没有这一项规则参数"


def set_number(
    name: str, value: int, begins_at: datetime, actor: str, *, scope: str = "city", scope_id: int = 0
) -> None:
    """Let `value` hold from `begins_at` on for the city, a unit or a lot.

    Refuses `UnknownPolicy`, and `ChangeOutOfOrder` when the number is set for then or later.
    """
    if name not in CITY_DEFAULTS:
        raise UnknownPolicy(name=name)
    with transaction() as session:
        same = (PolicyNumber.name == name, PolicyNumber.scope == scope, PolicyNumber.scope_id == scope_id)
        end_running(PolicyNumber, same, begins_at)
        row = PolicyNumber(name=name, scope=scope, scope_id=scope_id, value=value, valid=Range(begins_at, None))
        session.add(row)
        session.flush()
        audit.record("policies.set_number", "policy_number", row.id, actor, {"name": name, "value": value})
