"""A car that does not leave becomes a task of the lot's people, then a more urgent one."""

from functools import partial

from sqlalchemy import exists, select

from app.domain.departures.models import Tow
from app.domain.departures.queries.overstays import Overstay, to_be_raised
from app.domain.departures.rules import ESCALATION, TOW
from app.domain.lots.queries import place_of
from app.domain.stays.models import Stay
from app.domain.tasks.actions import open_task, settle_tasks
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.rounds import each_alone, each_step

GATE = "gate"
UNDER_WAY = ("ordered", "approved")


def escalate(limit: int = 200) -> int:
    """Raise the tasks that are due for cars past their time, and end what is over once a car has left.

    Each kind comes once a stay (`ESCALATION`); an open tow order is called off when the car drives out. Returns how
    much was done. Several may run at once.
    """
    raising = [partial(_raise_due, kind, policy, limit) for kind, policy in ESCALATION.items()]
    return each_step(*raising, lambda: _end_over(limit))


def _raise_due(kind: str, policy: str, limit: int) -> int:
    return each_alone(to_be_raised(kind, clock.now(), policy, limit), lambda overstay: _raise(kind, overstay))


def _raise(kind: str, overstay: Overstay) -> bool:
    with transaction():
        if _was_raised(kind, overstay.stay_id):
            return False
        detail = {"until": overstay.until.isoformat()}
        open_task(kind, "stay", overstay.stay_id, detail, place=place_of(overstay.lot_id))
        return True


def _was_raised(kind: str, stay_id: int) -> bool:
    return current().query(exists().where(Task.kind == kind, Task.subject_id == stay_id)).scalar() or False


def _end_over(limit: int) -> int:
    with transaction() as session:
        gone = Stay.state != "parked"
        open_ones = (
            select(Task.subject_id)
            .join(Stay, Stay.id == Task.subject_id)
            .where(Task.kind.in_(ESCALATION), Task.closed_at.is_(None), gone)
        )
        towed = select(Tow.stay_id).join(Stay, Stay.id == Tow.stay_id).where(Tow.state.in_(UNDER_WAY), gone)
        over = set(session.scalars(open_ones.limit(limit))) | set(session.scalars(towed.limit(limit)))
    return each_alone(sorted(over), _end)


def _end(stay_id: int) -> int:
    with transaction() as session:
        settled = sum(settle_tasks(kind, "stay", stay_id, "car_left") for kind in ESCALATION)
        ongoing = select(Tow).where(Tow.stay_id == stay_id, Tow.state.in_(UNDER_WAY)).with_for_update()
        for tow in session.scalars(ongoing):
            TOW.move(tow, "call_off", GATE, ended_because="车辆已驶离")
            settled += 1
        return settled
