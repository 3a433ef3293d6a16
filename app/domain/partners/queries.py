"""What partners may speak of, what they last told, and what a person has to decide about it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, or_, select, text, true
from sqlalchemy.dialects.postgresql import distinct_on

from app.domain.lots.models import Bay, Lot
from app.domain.partners.models import LotCount, LotProposal, Partner, PartnerLot, PartnerRefusal
from app.domain.partners.rules import Capacity
from app.domain.policies.queries import number_for
from app.domain.staff.rules import Actor, Scope, ScopeKind, reach
from app.domain.units.models import AgreementLot, OperatingAgreement, Operator, Unit
from app.domain.units.queries import within
from app.kernel import clock
from app.kernel.db import transaction

DAY = timedelta(days=1)


@dataclass(frozen=True)
class OwnLot:
    """A lot that a partner may speak of."""

    lot: Lot
    capacity: Capacity

    @property
    def id(self) -> int:
        return self.lot.id


def speaks_for(at: datetime) -> ColumnElement[bool]:
    """Whether a `Partner` row speaks for a `Lot` row: its unit's, or by its operator's agreement in force."""
    agreed = (
        select(AgreementLot.id)
        .join(OperatingAgreement, OperatingAgreement.id == AgreementLot.agreement_id)
        .where(
            AgreementLot.lot_id == Lot.id,
            AgreementLot.valid.contains(at),
            OperatingAgreement.operator_id == Partner.operator_id,
        )
        .correlate(Lot, Partner)
        .exists()
    )
    return or_(Lot.unit_id == Partner.unit_id, agreed)


def own_lots(partner_id: int, keys: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, OwnLot]:
    """Those of the lots named that the partner may speak of, by key; withdrawn ones are gone for it too."""
    with transaction() as session:
        rows = session.execute(_owned(partner_id).where(Lot.key.in_(list(keys))))
        return {lot.key: OwnLot(lot, Capacity(bays, lot.shared_chargers)) for lot, bays in rows}


def list_own_lots(partner_id: int, after: uuid.UUID | None, limit: int) -> Sequence[OwnLot]:
    """The partner's lots by key, after the last one already seen."""
    with transaction() as session:
        rows = session.execute(
            _owned(partner_id).where(Lot.key > after if after else true()).order_by(Lot.key).limit(limit)
        )
        return [OwnLot(lot, Capacity(bays, lot.shared_chargers)) for lot, bays in rows]


def _owned(partner_id: int) -> Select[Lot, int]:
    shared = select(func.count()).where(Bay.lot_id == Lot.id, Bay.shared).scalar_subquery()
    return (
        select(Lot, shared)
        .join(Partner, speaks_for(clock.now()))
        .where(Partner.id == partner_id, Lot.state != "withdrawn")
    )


@dataclass(frozen=True)
class FreshCount:
    """A lot's free shared bays as its partner counted them not long ago; `charging_free` None: not told."""

    free: int
    total: int
    charging_free: int | None
    counted_at: datetime


def fresh_counts(lot_ids: Sequence[int], now: datetime) -> Mapping[int, FreshCount]:
    """The newest count of each lot that is not older than `partner_count_fresh_seconds`; the others are unknown.

    A lot without a fresh count is not in the answer: show it as unknown, never as the last known number. What revoked
    partners told, and operators whose agreement ended, counts for nothing.
    """
    with transaction() as session:
        longest = number_for("partner_count_fresh_seconds", Lot.id, Lot.unit_id, now)
        rows = session.execute(
            select(LotCount.lot_id, LotCount.free, LotCount.total, LotCount.charging_free, LotCount.counted_at)
            .ext(distinct_on(LotCount.lot_id))
            .join(Lot, Lot.id == LotCount.lot_id)
            .join(Partner, and_(Partner.id == LotCount.partner_id, Partner.revoked_at.is_(None), speaks_for(now)))
            .where(
                LotCount.lot_id.in_(lot_ids),
                LotCount.counted_at >= now - longest * text("interval '1 second'"),
            )
            .order_by(LotCount.lot_id, LotCount.counted_at.desc(), LotCount.id.desc())
        )
        return {row.lot_id: FreshCount(row.free, row.total, row.charging_free, row.counted_at) for row in rows}


def counted_by_partners(lot_ids: Sequence[int], now: datetime) -> frozenset[int]:
    """Those of the lots of which a partner that still speaks for them has ever told a count.

    Of such a lot only a fresh count is known: without one, how many bays are free is unknown.
    """
    speaking = and_(Partner.id == LotCount.partner_id, Partner.revoked_at.is_(None), speaks_for(now))
    told = select(LotCount.id).join(Partner, speaking).where(LotCount.lot_id == Lot.id).correlate(Lot).exists()
    with transaction() as session:
        return frozenset(session.scalars(select(Lot.id).where(Lot.id.in_(lot_ids), told)))


@dataclass(frozen=True)
class ShownPartner:
    """A partner as staff see it: its lots heard of, when news last took effect, what was refused within a day."""

    partner: Partner
    owner: str
    lots: int
    heard_at: datetime | None
    refusals: int


def list_partners(by: Actor) -> Sequence[ShownPartner]:
    """The partners within this person's reach, by name."""
    scopes = reach(by, "partners.see")
    with transaction() as session:
        rows = session.execute(
            select(Partner, func.coalesce(Unit.name, Operator.name), *_heard(), _refused_since(clock.now() - DAY))
            .outerjoin(Unit, Unit.id == Partner.unit_id)
            .outerjoin(Operator, Operator.id == Partner.operator_id)
            .where(or_(within(scopes), _operated_within(scopes)))
            .order_by(Partner.name)
        )
        return [ShownPartner(*row) for row in rows]


def _operated_within(scopes: Sequence[Scope]) -> ColumnElement[bool]:
    """An operator's partner is seen by the operator's own people, and by those of the city."""
    own = [scope.operator_id for scope in scopes if scope.kind is ScopeKind.OPERATOR]
    return Partner.operator_id.in_(own)


def _heard() -> tuple[ScalarSelect[int], ScalarSelect[datetime | None]]:
    of_partner = and_(PartnerLot.partner_id == Partner.id, PartnerLot.heard_at.is_not(None))
    lots = select(func.count()).where(of_partner).scalar_subquery()
    return lots, select(func.max(PartnerLot.heard_at)).where(of_partner).scalar_subquery()


def _refused_since(moment: datetime) -> ScalarSelect[int]:
    of_partner = and_(PartnerRefusal.partner_id == Partner.id, PartnerRefusal.at >= moment)
    return select(func.count()).where(of_partner).scalar_subquery()


@dataclass(frozen=True)
class ShownProposal:
    """An open proposal, whose it is and about which lot."""

    proposal: LotProposal
    partner: Partner
    lot: Lot


def list_proposals(by: Actor) -> Sequence[ShownProposal]:
    """The proposals that wait for a decision within this person's reach, the oldest first."""
    scopes = reach(by, "partners.see_proposals")
    with transaction() as session:
        rows = session.execute(
            select(LotProposal, Partner, Lot)
            .join(Partner, Partner.id == LotProposal.partner_id)
            .join(Lot, Lot.id == LotProposal.lot_id)
            .join(Unit, Unit.id == Lot.unit_id)
            .where(LotProposal.outcome.is_(None), within(scopes))
            .order_by(LotProposal.id)
        )
        return [ShownProposal(*row) for row in rows]


def open_proposal_keys(partner_id: int, lot_ids: Sequence[int]) -> Mapping[int, uuid.UUID]:
    """The partner's open proposals by lot."""
    with transaction() as session:
        rows = session.execute(
            select(LotProposal.lot_id, LotProposal.key).where(
                LotProposal.partner_id == partner_id, LotProposal.lot_id.in_(lot_ids), LotProposal.outcome.is_(None)
            )
        )
        return dict(rows.all())


def own_codes(partner_id: int, lot_ids: Sequence[int]) -> Mapping[int, str | None]:
    """The partner's own codes of lots."""
    with transaction() as session:
        rows = session.execute(
            select(PartnerLot.lot_id, PartnerLot.own_code).where(
                PartnerLot.partner_id == partner_id, PartnerLot.lot_id.in_(lot_ids)
            )
        )
        return dict(rows.all())
