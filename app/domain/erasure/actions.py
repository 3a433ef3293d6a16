"""A motorist has their account erased (个人信息保护法 第四十七条)."""

from app.domain.conduct.actions import carry_on
from app.domain.erasure.queries import is_needed, refuse_unfinished
from app.domain.messages.actions import silence
from app.domain.motorists import actions as motorists
from app.domain.motorists.queries import openid_of
from app.domain.receipts.actions import drop_mails
from app.kernel import audit
from app.kernel.db import transaction
from app.kernel.idempotency import forget_answers_to
from payments.receipts.actions import empty_titles


def erase(motorist_id: int) -> None:
    """Forget who a motorist is: openid, phone, plates, titles, addresses, sign-ins; nothing more is sent to them.

    Payments, receipts as they were issued, journals and the audit log stay under a number that names nobody. What stops
    reservations is met again by whoever signs in with the same openid before it ends. Refuses `AccountErased`, and as
    `refuse_unfinished` does.
    """
    with transaction():
        motorist, label = motorists.lock_for_erasure(motorist_id), f"motorist:{motorist_id}"
        drop_mails(motorist_id, label)  # before it is asked what is under way: what is not dropped is being sent
        refuse_unfinished(motorist_id)
        carry_on(motorist, openid_of(motorist_id))
        silence(motorist_id, label)
        empty_titles(motorist_id)
        forget_answers_to(label)
        _forget_plates(motorist_id)
        motorists.erase_identity(motorist)
        audit.record("motorists.erase", "motorist", motorist_id, label)


def _forget_plates(motorist_id: int) -> None:
    for plate_id in motorists.own_plates(motorist_id):
        if is_needed(plate_id):
            motorists.leave_plate(motorist_id, plate_id)
        else:
            motorists.erase_plate(plate_id)
