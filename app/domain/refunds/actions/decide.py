"""Another person decides on a refund that is too large for one."""

import uuid

from app.domain.refunds.queries import origin_of_refund
from app.domain.staff.rules import Actor, permit
from app.domain.stays.actions import earn_the_rest
from app.domain.tasks.actions import settle_tasks
from app.kernel.db import transaction
from app.kernel.refusals import Invalid
from payments.refunds import actions as refunds
from payments.refunds.models import Refund

TO_DECIDE = "refund_to_decide"


class DecisionReasonMissing(Invalid):
    """Who decides says why, without personal data."""

    code = "refund_decision_unexplained"
    message = "请填写审批意见"


def approve(by: Actor, refund_key: uuid.UUID, because: str) -> Refund:
    """Let a refund go. Refuses `NoSuchRefund`, `OwnRefund`, `DecisionReasonMissing`, `WrongState` after a decision."""
    with transaction():
        origin = origin_of_refund(refund_key)
        permit(by, "refunds.approve", origin.place)
        decided = refunds.approve(refund_key, by.label, _said(because))
        settle_tasks(TO_DECIDE, "refund", decided.id, "已同意")
        earn_the_rest(origin.bill_key)
        return decided


def reject(by: Actor, refund_key: uuid.UUID, because: str) -> Refund:
    """Keep the money where it is; the motorist is told. Refuses as `approve` does."""
    with transaction():
        permit(by, "refunds.reject", origin_of_refund(refund_key).place)
        decided = refunds.reject(refund_key, by.label, _said(because))
        settle_tasks(TO_DECIDE, "refund", decided.id, "未同意")
        return decided


def stop(by: Actor, refund_key: uuid.UUID, because: str) -> Refund:
    """Give up a refund that WeChat does not take. Refuses `NoSuchRefund`, `DecisionReasonMissing`, `WrongState`."""
    with transaction():
        permit(by, "refunds.stop", origin_of_refund(refund_key).place)
        return refunds.stop(refund_key, by.label, _said(because))


def _said(because: str) -> str:
    if not because.strip():
        raise DecisionReasonMissing
    return because.strip()
