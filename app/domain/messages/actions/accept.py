"""What motorists allow: each acceptance of a template is good for one message."""

from collections.abc import Iterable

from sqlalchemy import func, select

from app.domain.messages.models import MessageConsent
from app.domain.messages.queries import templates_in_force
from app.domain.messages.rules import MOST_KEPT
from app.domain.motorists.models import Motorist
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.refusals import Invalid


class UnknownTemplate(Invalid):
    """None of our templates has this number."""

    code = "template_unknown"
    message = "没有这一消息模板"


def accept(motorist_id: int, template_ids: Iterable[str]) -> None:
    """Note that the motorist accepted these templates once more in `wx.requestSubscribeMessage`.

    What lies beyond the most that is kept is not noted. Refuses `UnknownTemplate`, and notes nothing then.
    """
    with transaction() as session:
        session.execute(select(Motorist.id).where(Motorist.id == motorist_id).with_for_update(key_share=True))
        known = {template.template_id for template in templates_in_force()}
        for template_id in dict.fromkeys(template_ids):
            if template_id not in known:
                raise UnknownTemplate
            if _kept(motorist_id, template_id) < MOST_KEPT:
                session.add(MessageConsent(motorist_id=motorist_id, template_id=template_id, given_at=clock.now()))


def _kept(motorist_id: int, template_id: str) -> int:
    same = {"motorist_id": motorist_id, "template_id": template_id, "ended_at": None}
    return current().scalar(select(func.count()).select_from(MessageConsent).filter_by(**same)) or 0
