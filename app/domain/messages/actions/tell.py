"""Telling a motorist something: into the inbox, and through WeChat where they allowed it."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.messages.models import Message, MessageConsent, MessageDelivery, MessageTemplate
from app.domain.messages.queries import template_for
from app.domain.messages.rules import DELIVERY, Push
from app.kernel import clock
from app.kernel.db import affected, current, transaction
from app.kernel.ids import new_key
from app.kernel.queue import enqueue


def tell(motorist_id: int, kind: str, subject: str, title: str, body: str, push: Push | None = None) -> Message:
    """Put a message into a motorist's inbox; a second one of the same kind about the same subject is the first.

    `subject` names a row, such as `reservation:17`; title and body are Chinese and hold no personal data. With `push`
    WeChat shows it too, if the motorist has a consent left for such messages: it is spent now, and the sending is a
    job of its own.
    """
    with transaction() as session:
        same = {"motorist_id": motorist_id, "kind": kind, "subject": subject}
        is_new = affected(
            insert(Message)
            .values(**same, key=new_key(), title=title, body=body, told_at=clock.now())
            .on_conflict_do_nothing(constraint="a_motorist_is_told_once_of_a_subject")
        )
        message = session.scalars(select(Message).filter_by(**same)).one()
        if is_new and push is not None and push.until > clock.now():
            _hand_over(message, push)
        return message


def _hand_over(message: Message, push: Push) -> None:
    template = template_for(push.kind)
    consent_id = template and _spent(message.motorist_id, template)
    if template is None or consent_id is None:
        return
    delivery = MessageDelivery(
        message_id=message.id, motorist_id=message.motorist_id, consent_id=consent_id, template_row=template.id,
        told=dict(push.told), made_at=clock.now(), give_up_at=push.until, state="due", next_check_at=clock.now(),
    )  # fmt: skip
    current().add(delivery)
    DELIVERY.born(delivery, "platform")
    enqueue("messages.deliver", delivery_id=delivery.id)


def _spent(motorist_id: int, template: MessageTemplate) -> int | None:
    """The oldest unspent consent, spent; whoever tells the same motorist at this moment takes another."""
    oldest = (
        select(MessageConsent.id)
        .filter_by(motorist_id=motorist_id, template_id=template.template_id, ended_at=None)
        .order_by(MessageConsent.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    consent_id = current().scalar(oldest)
    if consent_id is not None:
        spent = update(MessageConsent).where(MessageConsent.id == consent_id)
        current().execute(spent.values(ended_at=clock.now(), ended_as="spent"))
    return consent_id
