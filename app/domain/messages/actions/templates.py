"""Which of WeChat's templates carries which kind of message."""

from collections.abc import Mapping
from datetime import datetime

from app.domain.messages.models import MessageTemplate
from app.domain.messages.rules import check_fields
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.spans import span
from app.kernel.terms import end_running


def set_template(
    by: Actor, kind: str, template_id: str, page: str, fields: Mapping[str, str], begins_at: datetime | None = None
) -> MessageTemplate:
    """Let messages of a kind go out under one of WeChat's templates from now, or a later moment, on.

    `fields` gives each of its keys one of our words. Refuses `TemplateUnfit`, `NotPermitted`, and `ChangeOutOfOrder`
    when something is set for then or later.
    """
    with transaction() as session:
        permit(by, "messages.set_template", CITY)
        check_fields(kind, fields)
        since = max(begins_at or clock.now(), clock.now())
        end_running(MessageTemplate, [MessageTemplate.kind == kind], since)
        template = MessageTemplate(
            kind=kind, template_id=template_id, page=page, fields=dict(fields), valid=span(since, None)
        )  # fmt: skip
        session.add(template)
        session.flush()
        audit.record("messages.set_template", "message_template", template.id, by.label)
        return template
