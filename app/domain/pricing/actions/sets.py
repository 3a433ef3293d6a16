"""Which references bound a lot's fees: proposed by the radius or a person, approved by another price officer (N3.3)."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, select

from app.domain.lots.models import Lot
from app.domain.lots.queries import place_of
from app.domain.lots.queries.places import lot_id_of
from app.domain.policies.queries import numbers
from app.domain.pricing.actions.register import said
from app.domain.pricing.models import ReferenceLot, ReferenceSet, ReferenceSetMember
from app.domain.pricing.queries.register import known_references
from app.domain.pricing.rules.flow import REFERENCE_SET
from app.domain.pricing.rules.surroundings import Known, Near, metres, surrounding
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.queue import enqueue
from app.kernel.refusals import Conflict, NotAllowed, NotFound
from app.kernel.spans import span


class NothingAround(Conflict):
    """No reference lies within the radius and no zone holds the lot; the register comes first."""

    code = "no_reference_around"
    message = "周围没有已登记的政府定价停车场，也不在已登记的价区内，请先完善参照名录"


class SetInTheMaking(Conflict):
    """Another set of this lot waits for a decision."""

    code = "reference_set_in_the_making"
    message = "该停车场已有待审批的参照组合"


class OwnSet(NotAllowed):
    """Who proposed a set does not approve it."""

    code = "own_reference_set"
    message = "参照组合须由提出人以外的价格管理人员审批"


def propose_references(
    by: Actor, lot_key: uuid.UUID, reference_keys: Sequence[uuid.UUID] = (), why: str = ""
) -> ReferenceSet:
    """Propose which references bound a lot: those within `reference_radius_m`, else the zone's standard tariff.

    A person may name others; a set that leaves out one within the radius, or names one beyond, needs a reason.
    Refuses `NotFound`, `NothingAround`, `SetInTheMaking`, `WhyMissing`, `NotPermitted`.
    """
    with transaction():
        lot = _locked_lot(lot_id_of(lot_key))
        permit(by, "pricing.propose_references", place_of(lot.id))
        radius_m = numbers(lot_id=lot.id, unit_id=lot.unit_id)["reference_radius_m"]
        known = {each.id: each for each in known_references(clock.now())}
        usual = surrounding((lot.latitude, lot.longitude), known.values(), radius_m)
        members = _named(lot, known, reference_keys) if reference_keys else usual
        if not members:
            raise NothingAround
        differs = {each.id for each in members} != {each.id for each in usual}
        return _propose(by, lot.id, radius_m, members, said(why) if differs else why.strip())


def approve_references(by: Actor, set_key: uuid.UUID, because: str = "") -> ReferenceSet:
    """Let a proposed set bound the fees of stays that begin from now on; the lot's price is proved again by a job.

    Of two who approve at once one has an effect. Refuses `NotFound`, `WrongState`, `OwnSet`, `NotPermitted`.
    """
    with transaction():
        row = _decidable(by, set_key)
        now = clock.now()
        former = current().scalar(select(ReferenceSet).filter_by(lot_id=row.lot_id, state="approved").with_for_update())
        if former is not None:
            assert former.valid is not None
            assert former.valid.lower is not None
            REFERENCE_SET.move(former, "supersede", by.label, valid=span(former.valid.lower, now))
        decided = {"decided_by": by.account_id, "decided_at": now, "decided_because": because.strip()}
        REFERENCE_SET.move(row, "approve", by.label, valid=span(now, None), **decided)
        audit.record("pricing.approve_references", "reference_set", row.id, by.label, {"lot_id": row.lot_id})
        enqueue("pricing.prove_outdated")
        return row


def decline_references(by: Actor, set_key: uuid.UUID, because: str) -> ReferenceSet:
    """Turn a proposed set down, with a reason; its proposer may so take it back.

    Refuses `NotFound`, `WrongState`, `WhyMissing`, `NotPermitted`.
    """
    with transaction():
        row = _locked(set_key)
        permit(by, "pricing.approve_references", place_of(row.lot_id))
        decided = {"decided_by": by.account_id, "decided_at": clock.now(), "decided_because": said(because)}
        REFERENCE_SET.move(row, "decline", by.label, **decided)
        audit.record("pricing.decline_references", "reference_set", row.id, by.label, {"lot_id": row.lot_id})
        return row


def _named(lot: Lot, known: Mapping[int, Known], keys: Sequence[uuid.UUID]) -> list[Near]:
    ids = current().scalars(select(ReferenceLot.id).where(ReferenceLot.key.in_(keys))).all()
    if len(ids) < len(set(keys)) or not set(ids) <= known.keys():
        raise NotFound
    here = (lot.latitude, lot.longitude)
    chosen = [known[each] for each in sorted(ids)]
    return [Near(each.id, each.name, None if each.point is None else metres(here, each.point)) for each in chosen]


def _propose(by: Actor, lot_id: int, radius_m: int, members: Sequence[Near], why: str) -> ReferenceSet:
    session = current()
    last = session.scalar(select(func.max(ReferenceSet.version)).filter_by(lot_id=lot_id)) or 0
    row = ReferenceSet(
        lot_id=lot_id, version=last + 1, radius_m=radius_m, why=why, state="proposed", proposed_by=by.account_id,
        proposed_at=clock.now(),
    )  # fmt: skip
    with refusing({"a_lot_has_one_proposed_set": SetInTheMaking}):
        session.add(row)
        REFERENCE_SET.born(row, by.label, "propose")
    rows = [{"set_id": row.id, "reference_id": each.id, "distance_m": each.distance_m} for each in members]
    session.execute(insert(ReferenceSetMember), rows)
    audit.record("pricing.propose_references", "reference_set", row.id, by.label, {"lot_id": lot_id})
    return row


def _decidable(by: Actor, set_key: uuid.UUID) -> ReferenceSet:
    row = _locked(set_key)
    permit(by, "pricing.approve_references", place_of(row.lot_id))
    if row.state == "proposed" and row.proposed_by == by.account_id:
        raise OwnSet
    return row


def _locked(set_key: uuid.UUID) -> ReferenceSet:
    """A set with its lot before it, ours until the transaction ends."""
    lot_id = current().scalar(select(ReferenceSet.lot_id).filter_by(key=set_key))
    if lot_id is None:
        raise NotFound
    _locked_lot(lot_id)
    return current().scalars(select(ReferenceSet).filter_by(key=set_key).with_for_update()).one()


def _locked_lot(lot_id: int) -> Lot:
    return current().scalars(select(Lot).where(Lot.id == lot_id).with_for_update(key_share=True)).one()
