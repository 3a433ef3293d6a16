"""Cars that left unpaid, and motorists who were told, reminded and held to it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain.arrears.actions import approve_deferral, chase, record_deferral
from app.domain.arrears.models import Arrear, PayLater
from app.domain.lots.models import Lot
from app.domain.messages.models import Message
from app.domain.stays.models import Stay
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.spans import span
from tests.world import Driver, drive, gate, paper, parked_stay, staff

At = Callable[[datetime], None]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def left_unpaid(who: Driver, lot: Lot, at: At) -> Stay:
    """Half an hour's stay of 300 fen whose car was let out by hand just now."""
    stay = parked_stay(who, gate(lot))
    at(clock.now() + HOUR / 2)
    drive(gate(lot, "out"), who.plate)
    return stay


def held(who: Driver, lot: Lot, at: At) -> Stay:
    """A stay that its motorist was told of, reminded of, and held to, each by its own time."""
    stay = left_unpaid(who, lot, at)
    for wait in (HOUR, 2 * DAY, DAY):
        at(clock.now() + wait + timedelta(minutes=1))
        assert chase() == 1
    return stay


def deferral(lot: Lot, days: float = 30) -> PayLater:
    """An approved basis for leaving before paying, from now on."""
    during = span(clock.now(), clock.now() + days * DAY)
    row = record_deferral(staff("finance_maker"), lot.key, "示例批复〔2026〕2号", "示例试点", during, paper())
    return approve_deferral(staff("finance_checker"), row.key)


def arrear(stay: Stay) -> Arrear:
    """What is owed for a stay, as the table has it."""
    with transaction() as session:
        return session.scalars(select(Arrear).filter_by(stay_key=stay.key)).one()


def told_of(who: Driver) -> list[str]:
    """The steps of which a motorist was told, the oldest first."""
    with transaction() as session:
        kinds = session.scalars(select(Message.kind).filter_by(motorist_id=who.id).order_by(Message.id))
        return [kind.removeprefix("arrears_") for kind in kinds if kind.startswith("arrears_")]
