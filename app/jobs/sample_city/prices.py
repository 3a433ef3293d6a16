"""What lots charge, by the steps that a unit and two price officers take (N3.3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.domain.lots.models import Lot
from app.domain.lots.queries import Point
from app.domain.pricing import actions as pricing
from app.domain.pricing.models import ReferenceLot, ReferenceSet, ReferenceSetMember, TariffVersion
from app.domain.staff.rules import Actor
from app.jobs.sample_city.people import People
from app.jobs.sample_city.table import MARK
from app.kernel.db import current
from app.kernel.files import Paper
from app.kernel.spans import span

PAPER: Final = Paper(f"%PDF-1.4\n% {MARK}批复，不具效力\n%%EOF\n".encode(), f"{MARK}批复.pdf")
APPROVAL: Final = f"{MARK}批复：按已公布标准执行"


def register(people: People, name: str, point: Point, tariff: TariffVersion, since: datetime) -> ReferenceLot:
    """Enter a government-priced lot into the register: one officer proposes it, the other approves it."""
    place = (point.latitude, point.longitude)
    told = pricing.NewReference(name, APPROVAL, tariff.id, span(since, None), place)
    version = pricing.propose_reference(people.proposer, told, PAPER)
    pricing.approve_reference(people.price_officer, version.key)
    return current().get_one(ReferenceLot, version.reference_id)


def charge(people: People, by: Actor, lot: Lot, tariff: TariffVersion, references: Sequence[ReferenceLot]) -> None:
    """Let a lot charge by a tariff from now on, bounded by these references: drafted, proved, published."""
    keys = [each.key for each in references]
    proposed = pricing.propose_references(people.proposer, lot.key, keys, f"{MARK}：首批参照")
    pricing.approve_references(people.price_officer, proposed.key)
    price = pricing.draft_price(by, lot.key, tariff.key, why=f"{MARK}：弥补管理成本")
    pricing.prove_price(people.price_officer, price.key)
    pricing.publish_price(people.price_officer, price.key)


def name_all_around(people: People, lot_ids: Sequence[int]) -> None:
    """Later all references within the radius bound the lots: some prices do not pass any more, and wait for a person.

    Their bills are capped from that moment on.
    """
    known = _members(lot_ids)
    for lot in current().scalars(select(Lot).where(Lot.id.in_(lot_ids)).order_by(Lot.id)).all():
        proposed = pricing.propose_references(people.proposer, lot.key)
        if _members_of(proposed.id) == known[lot.id]:
            pricing.decline_references(people.price_officer, proposed.key, f"{MARK}：与现行参照相同")
        else:
            pricing.approve_references(people.price_officer, proposed.key, f"{MARK}：周围参照已齐")


def _members(lot_ids: Sequence[int]) -> Mapping[int, set[int]]:
    sets = select(ReferenceSet.lot_id, ReferenceSet.id).where(
        ReferenceSet.lot_id.in_(lot_ids), ReferenceSet.state == "approved"
    )
    return {lot_id: _members_of(set_id) for lot_id, set_id in current().execute(sets).all()}


def _members_of(set_id: int) -> set[int]:
    return set(current().scalars(select(ReferenceSetMember.reference_id).filter_by(set_id=set_id)))
