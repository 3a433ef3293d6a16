"""A motorist's messages, and nobody else's; what WeChat shows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.domain.messages.models import Message, MessageConsent, MessageDelivery, MessageLine, MessageTemplate
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.refusals import NotFound


class MessageNotFound(NotFound):
    """There is no such message, or it is somebody else's."""

    code = "message_not_found"
    message = "未找到该消息"


def list_for(motorist_id: int, before_id: int | None, limit: int) -> Sequence[Message]:
    """A motorist's messages, newest first; `before_id` is the id of the last one already seen."""
    query = select(Message).where(Message.motorist_id == motorist_id).order_by(Message.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Message.id < before_id)
    with transaction() as session:
        return session.scalars(query).all()


def unread_count(motorist_id: int) -> int:
    """How many messages a motorist has not read."""
    with transaction() as session:
        count = session.scalar(
            select(func.count()).where(Message.motorist_id == motorist_id, Message.read_at.is_(None))
        )
    return count or 0


def templates_in_force() -> Sequence[MessageTemplate]:
    """The template of each kind that has one now."""
    with transaction() as session:
        holding = select(MessageTemplate).where(MessageTemplate.valid.contains(clock.now()))
        return session.scalars(holding.order_by(MessageTemplate.kind)).all()


def template_for(kind: str) -> MessageTemplate | None:
    """The template under which messages of a kind go out now."""
    return next((template for template in templates_in_force() if template.kind == kind), None)


@dataclass(frozen=True)
class Subscription:
    """A template that a motorist may accept, and for how many more messages they have."""

    kind: str
    template_id: str
    left: int


def subscriptions(motorist_id: int) -> list[Subscription]:
    """What a motorist may allow us to send, and what they have allowed."""
    with transaction() as session:
        counted = (
            select(MessageConsent.template_id, func.count())
            .where(MessageConsent.motorist_id == motorist_id, MessageConsent.ended_at.is_(None))
            .group_by(MessageConsent.template_id)
        )
        left = dict(session.execute(counted).all())
        return [
            Subscription(template.kind, template.template_id, left.get(template.template_id, 0))
            for template in templates_in_force()
        ]


def line() -> MessageLine | None:
    """The line to WeChat's messages; nothing before it failed for the first time."""
    return current().get(MessageLine, 1)


def due(limit: int) -> Sequence[int]:
    """The deliveries that are due, the longest first."""
    with transaction() as session:
        return session.scalars(
            select(MessageDelivery.id)
            .where(MessageDelivery.state == "due", MessageDelivery.next_check_at <= clock.now())
            .order_by(MessageDelivery.next_check_at, MessageDelivery.id)
            .limit(limit)
        ).all()


def silent(limit: int) -> Sequence[MessageDelivery]:
    """Deliveries for whose answer nobody waits any more, locked."""
    return current().scalars(
        select(MessageDelivery)
        .where(MessageDelivery.state == "sending", MessageDelivery.next_check_at <= clock.now())
        .order_by(MessageDelivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip


def templates(by: Actor) -> list[dict[str, Any]]:
    """Every template that holds or will hold. Refuses `NotPermitted`."""
    with transaction() as session:
        permit(by, "messages.see", CITY)
        rows = session.scalars(
            select(MessageTemplate)
            .where(func.upper_inf(MessageTemplate.valid))
            .order_by(MessageTemplate.kind, MessageTemplate.id)
        )
        return [
            {
                "kind": row.kind, "template_id": row.template_id, "page": row.page, "fields": row.fields,
                "begins_at": row.valid.lower,
            }
            for row in rows
        ]  # fmt: skip


@dataclass(frozen=True)
class DeliveryView:
    """What became of one message on its way through WeChat; to whom it went is not told."""

    id: int
    kind: str
    state: str
    errcode: int | None
    attempts: int
    made_at: datetime
    ended_at: datetime | None


def deliveries(by: Actor, state: str | None = None, limit: int = 200) -> list[DeliveryView]:
    """The newest deliveries, in any state or one. Refuses `NotPermitted`."""
    with transaction() as session:
        permit(by, "messages.see", CITY)
        wanted = select(MessageDelivery, Message.kind).join(Message, Message.id == MessageDelivery.message_id)
        if state is not None:
            wanted = wanted.where(MessageDelivery.state == state)
        return [
            DeliveryView(row.id, kind, row.state, row.errcode, row.attempts, row.made_at, row.ended_at)
            for row, kind in session.execute(wanted.order_by(MessageDelivery.id.desc()).limit(limit))
        ]
