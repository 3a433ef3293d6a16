"""Changing a number from a date on; the old one stays readable."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app.domain.policies.models import PolicyNumber
from app.domain.policies.rules import CITY_DEFAULTS, MOST
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.refusals import Invalid
from app.kernel.terms import end_running


class UnknownPolicy(Invalid):
    """There is no number of this name."""

    code = "policy_unknown"
    message = "没有这一项规则参数"


class PolicyOutOfRange(Invalid):
    """A policy's number is at least 0 and at most a year of minutes."""

    code = "policy_out_of_range"
    message = "规则参数须为0至525600之间的整数"


class ChangeInThePast(Invalid):
    """What held yesterday is not changed today."""

    code = "change_in_the_past"
    message = "生效时间不能早于现在"


def set_number(
    by: Actor, name: str, value: int, begins_at: datetime | None = None, *, scope: str = "city", scope_id: int = 0
) -> None:
    """Let `value` hold from `begins_at` (else from now) on for the city, a unit or a lot; the city's people do that.

    Refuses `UnknownPolicy`, `PolicyOutOfRange`, `ChangeInThePast`, and `ChangeOutOfOrder` when the number is set for
    then or later.
    """
    with transaction():
        permit(by, "policies.set_number", CITY)
        now = clock.now()
        if begins_at is not None and begins_at < now:
            raise ChangeInThePast
        lay_down(name, value, begins_at or now, by.label, scope=scope, scope_id=scope_id)


def lay_down(name: str, value: int, begins_at: datetime, actor: str, *, scope: str = "city", scope_id: int = 0) -> None:
    """Let `value` hold from any moment on; for the platform itself.

    Refuses `UnknownPolicy`, `PolicyOutOfRange` and `ChangeOutOfOrder`.
    """
    if name not in CITY_DEFAULTS:
        raise UnknownPolicy(name=name)
    if not 0 <= value <= MOST:
        raise PolicyOutOfRange(name=name)
    with transaction() as session:
        same = (PolicyNumber.name == name, PolicyNumber.scope == scope, PolicyNumber.scope_id == scope_id)
        end_running(PolicyNumber, same, begins_at)
        row = PolicyNumber(name=name, scope=scope, scope_id=scope_id, value=value, valid=Range(begins_at, None))
        session.add(row)
        session.flush()
        audit.record("policies.set_number", "policy_number", row.id, actor, {"name": name, "value": value})
