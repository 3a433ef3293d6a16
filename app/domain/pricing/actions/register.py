"""The register of references: one price officer proposes what a document says, another approves it (N3.3)."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select

from app.domain.pricing.models import ReferenceLot, ReferenceVersion
from app.domain.pricing.rules.flow import REFERENCE
from app.domain.pricing.rules.references import NewReference
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.files import Paper, keep
from app.kernel.queue import enqueue
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound
from app.kernel.spans import span
from app.kernel.terms import ChangeOutOfOrder


class ReferenceNameTaken(Conflict):
    """The register holds a reference of this name; propose a change or a correction of it."""

    code = "reference_name_taken"
    message = "名录中已有同名参照，请办理变更或更正"


class ReferenceInTheMaking(Conflict):
    """Another version of this reference waits for a decision."""

    code = "reference_in_the_making"
    message = "该参照已有待审批的版本"


class OwnReference(NotAllowed):
    """Who proposed a reference does not approve it."""

    code = "own_reference"
    message = "参照须由提出人以外的价格管理人员审批"


class NothingToCorrect(Conflict):
    """Only the version that is approved can be corrected."""

    code = "nothing_to_correct"
    message = "只能更正已批准的版本"


class WhyMissing(Invalid):
    """Such a step is explained in words, which stay with it."""

    code = "reason_missing"
    message = "请说明理由"


def propose_reference(by: Actor, told: NewReference, paper: Paper) -> ReferenceVersion:
    """Propose a reference that the register does not hold yet, on its document.

    It bounds nothing until another price officer approves it. Refuses `ReferenceWrong`, `ReferenceNameTaken`,
    `FileRefused`, `NotPermitted`.
    """
    with transaction():
        permit(by, "pricing.propose_reference", CITY)
        checked = told.checked()
        return _propose(by, _entered(checked), checked, keep(paper, by.account_id).id)


def change_reference(by: Actor, reference_key: uuid.UUID, told: NewReference, paper: Paper) -> ReferenceVersion:
    """Propose what holds of a known reference from the beginning of `told.valid` on, as another document says.

    The version that runs then ends with the approval. The name stays. Refuses `NotFound`, `ReferenceWrong`,
    `ReferenceInTheMaking`, `FileRefused`, `NotPermitted`.
    """
    with transaction():
        permit(by, "pricing.propose_reference", CITY)
        row = _reference(reference_key)
        return _propose(by, row, replace(told, name=row.name).checked(), keep(paper, by.account_id).id)


def propose_references_told(by: Actor, told: Sequence[NewReference], paper: Paper) -> list[ReferenceVersion]:
    """Propose many at once on one document: new references, and changes of those whose names are known.

    Refuses as `propose_reference` and `change_reference`.
    """
    with transaction() as session:
        permit(by, "pricing.propose_reference", CITY)
        known = {row.name: row for row in session.scalars(select(ReferenceLot))}
        file_id = keep(paper, by.account_id).id
        return [_propose(by, known.get(each.name) or _entered(each), each, file_id) for each in _checked(told)]


def correct_reference(
    by: Actor, version_key: uuid.UUID, told: NewReference, why: str, paper: Paper | None = None
) -> ReferenceVersion:
    """Propose an approved version anew because it was written down wrongly, or ends: it stands in the other's place.

    Without a new document it rests on the same one. Refuses `NotFound`, `NothingToCorrect`, `WhyMissing` and as
    `change_reference`.
    """
    with transaction() as session:
        permit(by, "pricing.propose_reference", CITY)
        wrong = _locked(version_key)
        if wrong.state != "approved":
            raise NothingToCorrect
        row = session.get_one(ReferenceLot, wrong.reference_id)
        file_id = wrong.file_id if paper is None else keep(paper, by.account_id).id
        return _propose(by, row, replace(told, name=row.name).checked(), file_id, said(why), wrong.id)


def approve_reference(by: Actor, version_key: uuid.UUID, because: str = "") -> ReferenceVersion:
    """Let a proposed version count; the lots that it bounds are proved again by a job.

    Of two who approve at once one has an effect. Refuses `NotFound`, `WrongState`, `OwnReference`,
    `NothingToCorrect` when the version to be corrected is not approved any more, and `ChangeOutOfOrder` when another
    version holds for then or later.
    """
    with transaction():
        permit(by, "pricing.approve_reference", CITY)
        row = _locked(version_key)
        if row.state == "proposed" and row.proposed_by == by.account_id:
            raise OwnReference
        _make_room(by, row)
        with refusing({"a_reference_has_one_tariff_at_a_time": ChangeOutOfOrder}):
            REFERENCE.move(row, "approve", by.label, **_decided(by, because))
        audit.record("pricing.approve_reference", "reference_version", row.id, by.label)
        enqueue("pricing.prove_outdated")
        return row


def decline_reference(by: Actor, version_key: uuid.UUID, because: str) -> ReferenceVersion:
    """Turn a proposed version down, with a reason; its proposer may so take it back.

    Refuses `NotFound`, `WrongState`, `WhyMissing`, `NotPermitted`.
    """
    with transaction():
        permit(by, "pricing.approve_reference", CITY)
        row = _locked(version_key)
        REFERENCE.move(row, "decline", by.label, **_decided(by, said(because)))
        audit.record("pricing.decline_reference", "reference_version", row.id, by.label)
        return row


def said(why: str) -> str:
    """A reason without blanks around it. Refuses `WhyMissing` when none is left."""
    plain = why.strip()
    if not plain:
        raise WhyMissing
    return plain


def _checked(told: Sequence[NewReference]) -> list[NewReference]:
    return [each.checked() for each in told]


def _entered(told: NewReference) -> ReferenceLot:
    row = ReferenceLot(name=told.name, kind=told.kind)
    with refusing({"uq_reference_lot_name": ReferenceNameTaken}) as session:
        session.add(row)
    return row


def _propose(
    by: Actor, row: ReferenceLot, told: NewReference, file_id: int | None, why: str = "", corrects_id: int | None = None
) -> ReferenceVersion:
    session = current()
    last = session.scalar(select(func.max(ReferenceVersion.version)).filter_by(reference_id=row.id)) or 0
    north, east = told.point or (None, None)
    version = ReferenceVersion(
        reference_id=row.id, version=last + 1, approval=told.approval, latitude=north, longitude=east,
        outline=[list(corner) for corner in told.outline] or None, tariff_id=told.tariff_id, valid=told.valid,
        file_id=file_id, corrects_id=corrects_id, why=why, state="proposed", proposed_by=by.account_id,
        proposed_at=clock.now(),
    )  # fmt: skip
    with refusing({"a_reference_has_one_proposal": ReferenceInTheMaking}):
        session.add(version)
        REFERENCE.born(version, by.label, "propose")
    audit.record("pricing.propose_reference", "reference_version", version.id, by.label)
    return version


def _make_room(by: Actor, row: ReferenceVersion) -> None:
    """The version that is corrected stands aside; one that runs when this begins ends then."""
    session = current()
    if row.corrects_id is not None:
        wrong = session.get_one(ReferenceVersion, row.corrects_id, with_for_update=True)
        if wrong.state != "approved":
            raise NothingToCorrect
        REFERENCE.move(wrong, "supersede", by.label)
        return
    running = session.scalar(
        select(ReferenceVersion)
        .where(
            ReferenceVersion.reference_id == row.reference_id, ReferenceVersion.state == "approved",
            ReferenceVersion.valid.contains(row.valid.lower), func.lower(ReferenceVersion.valid) < row.valid.lower,
        )
        .with_for_update()
    )  # fmt: skip
    if running is not None and running.valid.lower is not None:
        running.valid = span(running.valid.lower, row.valid.lower)
        session.flush()


def _decided(by: Actor, because: str) -> dict[str, object]:
    return {"decided_by": by.account_id, "decided_at": clock.now(), "decided_because": because.strip()}


def _reference(key: uuid.UUID) -> ReferenceLot:
    row = current().scalar(select(ReferenceLot).filter_by(key=key))
    if row is None:
        raise NotFound
    return row


def _locked(key: uuid.UUID) -> ReferenceVersion:
    row = current().scalar(select(ReferenceVersion).filter_by(key=key).with_for_update())
    if row is None:
        raise NotFound
    return row
