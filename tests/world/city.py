"""When and where: the city, its districts, its calendar, its agreement."""

import random
from datetime import UTC, datetime

from app.domain.calendars.queries import version_in_force
from app.domain.calendars.seeds import seed
from app.domain.motorists import actions as motorists
from app.domain.motorists.models import AgreementVersion
from app.domain.units import actions as units
from app.domain.units.models import District
from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from tests import moulds

ACTOR = "test"
CHECKER = "test-checker"
EVER = datetime(2020, 1, 1, tzinfo=UTC)
"""Since when what tests open is there."""
EVENING = "2026-06-10 20:00"
"""A Wednesday, a work day: offices ended at 17:30, lots are open from 18:30 to 08:00."""
ANYWHERE = random.SystemRandom()
"""Not the numbers that begin anew with each test: lots out of several moulds would lie on one another."""


def shanghai(text: str) -> datetime:
    """`2026-06-10 20:00` on the clocks of Hangzhou."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def the_city() -> None:
    """Districts, the calendar of 2026, and an agreement to sign."""
    if all(map(moulds.is_here, ("districts", "calendar", "agreement"))):
        return
    know_districts()
    if version_in_force(2026) is None:
        moulds.ready("calendar", _seed)
    if not _agreement_is_published():
        moulds.ready("agreement", _publish)


def know_districts() -> None:
    """The city's districts."""
    if moulds.is_here("districts"):
        return
    with transaction() as session:
        known = session.query(District.code).count()
    if not known:
        moulds.ready("districts", units.know_districts)
    else:
        units.know_districts()


def _seed() -> None:
    seed(2026)


def _agreement_is_published() -> bool:
    with transaction() as session:
        return session.query(AgreementVersion.id).filter_by(version="test-1").count() > 0


def _publish() -> None:
    motorists.publish_agreement("test-1", "车主服务协议（示例）", "示例文本", shanghai("2026-03-31 00:00"))
