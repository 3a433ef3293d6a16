"""Telling applicants what became of their applications."""

from datetime import timedelta

from app.domain.lots.models import Lot
from app.domain.messages.actions import tell
from app.domain.regulars.models import RegularApplication
from app.domain.regulars.rules.words import TITLES, push_of
from app.kernel import clock

WORTH_SHOWING = timedelta(days=2)


def tell_applicant(
    application: RegularApplication, kind: str, body: str, lot: Lot, about: str | None = None
) -> None:  # fmt: skip
    """Put it into the inbox, once for each kind and subject (`about`, else the application), and let WeChat show it."""
    subject, now = about or f"regular_application:{application.id}", clock.now()
    push = push_of(kind, lot.name, now, now + WORTH_SHOWING)
    tell(application.motorist_id, kind, subject, TITLES[kind], body, push)
