"""Sending through WeChat: the try is written down, then made, then its answer is written down.

Killed between the first two steps nothing was sent, between the others perhaps something: neither is sent again,
because WeChat cannot be asked, and a message twice is worse than one that stands in the inbox only.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import takewhile
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.adapters.messages import Notice, NotNow, Outcome, Refused, Sent, SubscribeMessages, Unknown
from app.domain.messages.models import MessageConsent, MessageDelivery, MessageLine, MessageTemplate
from app.domain.messages.queries import due, line, silent
from app.domain.messages.rules import DELIVERY, LEASE, pause, values_of
from app.domain.motorists.queries import openid_of
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from app.kernel.rounds import each_alone

CAUSE: Final = "wechat"
PASSING: Final = frozenset({-1, 45009, 45011})
"""What goes by without us: WeChat is busy, or has had enough of us for a while."""
REFUSES_US: Final = "wechat_refuses_messages"


def _never() -> bool:
    return False


def deliver_due(wechat: SubscribeMessages, limit: int = 100, enough: Callable[[], bool] = _never) -> int:
    """Send what is due, the oldest first, until `enough()`; returns how many were looked at.

    Outside any transaction. Several may run at once.
    """
    try:
        _give_up_silent(limit)
    finally:
        sent = each_alone(takewhile(lambda _: not enough(), due(limit)), lambda each: deliver(wechat, each))
    return sent


def deliver(wechat: SubscribeMessages, delivery_id: int) -> None:
    """Send one delivery if it is due and nobody else does. Outside any transaction."""
    notice = _take_up(delivery_id)
    if notice is None:
        return
    fault_point("messages.before_call")
    outcome = wechat.send(notice)
    fault_point("messages.after_call")
    _write_down(delivery_id, outcome)


def _take_up(delivery_id: int) -> Notice | None:
    """What to send, the try written down; what would come too late is given up."""
    with transaction() as session:
        waiting = select(MessageDelivery).filter_by(id=delivery_id, state="due").with_for_update(skip_locked=True)
        delivery = session.scalars(waiting).one_or_none()
        now = clock.now()
        if delivery is None or delivery.next_check_at > now:
            return None
        if delivery.give_up_at <= now:
            DELIVERY.move(delivery, "expire", "sweeper", ended_at=now)
            return None
        resting = line()
        if resting is not None and resting.paused_until is not None and resting.paused_until > now:
            delivery.next_check_at = resting.paused_until
            return None
        DELIVERY.move(delivery, "send", CAUSE, attempts=delivery.attempts + 1, next_check_at=now + LEASE)
        template = session.get_one(MessageTemplate, delivery.template_row)
        values = values_of(template.fields, delivery.told)
        return Notice(openid_of(delivery.motorist_id), template.template_id, template.page, values)


def _write_down(delivery_id: int, outcome: Outcome) -> None:
    with transaction() as session:
        delivery = session.scalars(select(MessageDelivery).filter_by(id=delivery_id).with_for_update()).one()
        if delivery.state != "sending":
            return
        match outcome:
            case Sent(message_id):
                _end(delivery, "accept", wechat_id=message_id, errcode=None)
                _note_well()
            case Refused(errcode):
                _end(delivery, "refuse", errcode=errcode)
                _note_well()
                _draw_consequences(delivery, outcome)
            case NotNow(errcode, for_all):
                _postpone(delivery, errcode, for_all=for_all)
            case Unknown():
                _end(delivery, "lose")


def _end(delivery: MessageDelivery, event: str, **told: object) -> None:
    DELIVERY.move(delivery, event, CAUSE, ended_at=clock.now(), **told)


def _draw_consequences(delivery: MessageDelivery, refused: Refused) -> None:
    """Without consent, those that we still thought to have are void; whatever else is wrong, a person must mend."""
    template = current().get_one(MessageTemplate, delivery.template_row)
    if not refused.has_no_consent:
        open_task("message_refused", "message_template", template.id, {"errcode": refused.errcode})
        return
    current().execute(
        update(MessageConsent)
        .filter_by(motorist_id=delivery.motorist_id, template_id=template.template_id, ended_at=None)
        .where(MessageConsent.given_at <= delivery.made_at)
        .values(ended_at=clock.now(), ended_as="void")
    )


def _postpone(delivery: MessageDelivery, errcode: int | None, *, for_all: bool) -> None:
    until = _rest(errcode) if for_all else clock.now() + pause(delivery.attempts)
    DELIVERY.move(delivery, "postpone", CAUSE, next_check_at=until, errcode=errcode)


def _rest(errcode: int | None) -> datetime:
    """Let the line rest, longer each time; returns until when."""
    session = current()
    session.execute(insert(MessageLine).values(id=1).on_conflict_do_nothing())
    resting = session.scalars(select(MessageLine).with_for_update()).one()
    now = clock.now()
    if resting.paused_until is None or resting.paused_until <= now:
        resting.failures += 1
        resting.paused_until = now + pause(resting.failures)
    resting.errcode = errcode
    if errcode is not None and errcode not in PASSING:
        open_task(REFUSES_US, "message_line", 1, {"errcode": errcode})
    return resting.paused_until


def _note_well() -> None:
    """WeChat answered as it should: the line rests no longer."""
    resting = line()
    if resting is None or resting.failures == 0:
        return
    resting = current().scalars(select(MessageLine).with_for_update()).one()
    resting.failures, resting.paused_until, resting.errcode = 0, None, None
    settle_tasks(REFUSES_US, "message_line", 1, "微信已恢复受理")


def _give_up_silent(limit: int) -> None:
    """A try whose process died or whose answer never came."""
    with transaction():
        for delivery in silent(limit):
            DELIVERY.move(delivery, "lose", "sweeper", ended_at=clock.now())
