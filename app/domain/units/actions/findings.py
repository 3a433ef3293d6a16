"""Finding that a unit is excepted from opening, and lifting that."""

import uuid

from sqlalchemy import select

from app.domain.staff.rules import Actor, permit
from app.domain.units.actions.register import lock
from app.domain.units.models import Unit, UnitFinding
from app.domain.units.rules import GROUNDS, NoSuchGround, said
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.files import Paper, keep
from app.kernel.refusals import Conflict, NotAllowed, NotFound


class AlreadyFound(Conflict):
    """The unit is excepted on this ground already."""

    code = "already_found"
    message = "该单位已有同一情形的例外认定"


class AlreadyLifted(Conflict):
    """The finding was lifted before."""

    code = "already_lifted"
    message = "该例外认定已解除"


class OwnFinding(NotAllowed):
    """Who found that a unit is excepted does not lift it: another person does."""

    code = "own_finding"
    message = "例外认定须由认定人以外的人员解除"


def find(
    by: Actor, unit_key: uuid.UUID, ground: str, reason: str, evidence: str, paper: Paper | None = None
) -> UnitFinding:  # fmt: skip
    """A unit is excepted from opening (N2.1) on one of the six grounds, from now until another person lifts it.

    Its lots may not be open at the commit: who calls this suspends them in the same transaction, else the table
    refuses. Refuses `NotFound`, `NoSuchGround`, `WordsMissing`, `AlreadyFound`, `FileRefused`.
    """
    with transaction():
        unit = lock(unit_key)
        permit(by, "units.find", unit.place)
        if ground not in GROUNDS:
            raise NoSuchGround
        file_id = keep(paper, by.account_id).id if paper else None
        with refusing({"a_unit_has_one_live_finding_of_a_ground": AlreadyFound}) as session:
            row = UnitFinding(
                unit_id=unit.id, ground=ground, reason=said(reason), evidence=said(evidence), file_id=file_id,
                found_by=by.account_id, found_at=clock.now(),
            )  # fmt: skip
            session.add(row)
        audit.record("units.find", "unit", unit.id, by.label, {"finding_id": row.id, "ground": ground})
        return row


def lift_finding(by: Actor, finding_key: uuid.UUID, because: str) -> UnitFinding:
    """A unit is no longer excepted on that ground; its lots stay suspended until they are reopened.

    Refuses `NotFound`, `AlreadyLifted`, `OwnFinding`, `WordsMissing`.
    """
    with transaction() as session:
        row, unit = _lock_finding(finding_key)
        permit(by, "units.lift_finding", unit.place)
        if row.lifted_at is not None:
            raise AlreadyLifted
        if row.found_by == by.account_id:
            raise OwnFinding
        row.lifted_by, row.lifted_at, row.lifted_because = by.account_id, clock.now(), said(because)
        session.flush()
        audit.record("units.lift_finding", "unit", unit.id, by.label, {"finding_id": row.id})
        return row


def _lock_finding(finding_key: uuid.UUID) -> tuple[UnitFinding, Unit]:
    row = current().scalar(select(UnitFinding).filter_by(key=finding_key).with_for_update())
    if row is None:
        raise NotFound
    return row, current().get_one(Unit, row.unit_id)
