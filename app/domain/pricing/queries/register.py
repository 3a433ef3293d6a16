"""The register of references and the sets of lots, as people look at them."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from app.domain.lots.queries import policy_of
from app.domain.lots.queries.places import seen_lot
from app.domain.policies.rules import NARROWEST_FIRST
from app.domain.pricing.models import (
    CapRule,
    ReferenceLot,
    ReferenceSet,
    ReferenceSetMember,
    ReferenceVersion,
    TariffVersion,
)
from app.domain.pricing.queries.bases import rules_at
from app.domain.pricing.rules.proofs import LOWEST
from app.domain.pricing.rules.surroundings import Known, Near, surrounding
from app.domain.staff.rules import Actor, reach
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.files import FileNotKept, StoredFile, content_of
from app.kernel.refusals import NotFound


def known_references(at: datetime) -> list[Known]:
    """Every reference with an approved version that holds at a moment."""
    asked = (
        select(ReferenceLot.name, ReferenceVersion)
        .join(ReferenceLot, ReferenceLot.id == ReferenceVersion.reference_id)
        .where(ReferenceVersion.state == "approved", ReferenceVersion.valid.contains(at))
        .order_by(ReferenceLot.id)
    )
    with transaction() as session:
        return [_known(name, row) for name, row in session.execute(asked)]


def _known(name: str, row: ReferenceVersion) -> Known:
    if row.latitude is not None and row.longitude is not None:
        return Known(row.reference_id, name, (row.latitude, row.longitude))
    corners = [(float(north), float(east)) for north, east in row.outline or ()]
    return Known(row.reference_id, name, None, corners)


@dataclass(frozen=True)
class ReferenceView:
    """A version of a reference: what it says, on which document, and who proposed and decided (account ids)."""

    key: uuid.UUID
    reference: uuid.UUID
    name: str
    kind: str
    version: int
    approval: str
    tariff: str
    latitude: float | None
    longitude: float | None
    begins_at: datetime | None
    ends_at: datetime | None
    state: str
    why: str
    sha256: str | None
    proposed_by: int | None
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None


def references(by: Actor, *, state: str | None = None, name: str | None = None) -> list[ReferenceView]:
    """Versions by reference, the newest first; of one state or one reference when asked. Refuses `NotPermitted`."""
    asked = (
        select(ReferenceVersion, ReferenceLot, TariffVersion.name, StoredFile.sha256)
        .join(ReferenceLot, ReferenceLot.id == ReferenceVersion.reference_id)
        .join(TariffVersion, TariffVersion.id == ReferenceVersion.tariff_id)
        .outerjoin(StoredFile, StoredFile.id == ReferenceVersion.file_id)
        .order_by(ReferenceLot.id, ReferenceVersion.version.desc())
    )
    with transaction() as session:
        reach(by, "pricing.see")
        if state is not None:
            asked = asked.where(ReferenceVersion.state == state)
        if name is not None:
            asked = asked.where(ReferenceLot.name == name)
        return [_view(row, of, tariff, sha256) for row, of, tariff, sha256 in session.execute(asked)]


def _view(row: ReferenceVersion, of: ReferenceLot, tariff: str, sha256: bytes | None) -> ReferenceView:
    return ReferenceView(
        key=row.key, reference=of.key, name=of.name, kind=of.kind, version=row.version, approval=row.approval,
        tariff=tariff, latitude=row.latitude, longitude=row.longitude, begins_at=row.valid.lower,
        ends_at=row.valid.upper, state=row.state, why=row.why, sha256=sha256.hex() if sha256 else None,
        proposed_by=row.proposed_by, proposed_at=row.proposed_at, decided_by=row.decided_by,
        decided_at=row.decided_at, decided_because=row.decided_because,
    )  # fmt: skip


def reference_document(by: Actor, version_key: uuid.UUID) -> StoredFile:
    """The document on which a version rests. Refuses `NotFound`, `FileNotKept`, `NotPermitted`."""
    with transaction() as session:
        reach(by, "pricing.see")
        row = session.scalar(select(ReferenceVersion).filter_by(key=version_key))
    if row is None:
        raise NotFound
    if row.file_id is None:
        raise FileNotKept
    return content_of(row.file_id)


@dataclass(frozen=True)
class SetView:
    """A set of references of a lot: the names with their distance in metres (a zone has none), and who decided."""

    key: uuid.UUID
    version: int
    state: str
    radius_m: int | None
    members: Mapping[str, int | None]
    why: str
    proposed_by: int | None
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    begins_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class Around:
    """A lot's sets, the newest first, the rule that combines them, and what the radius would propose now."""

    sets: Sequence[SetView]
    rule: str
    legal_note: str
    radius_m: int
    proposal: Sequence[Near]


DEFAULT_NOTE = "N3.3：参照不高于周围政府定价管理停车场的标准（默认取最低）"


def around(by: Actor, lot_key: uuid.UUID) -> Around:
    """What bounds a lot's fees, and what lies around it. Refuses `NotFound`, `NotPermitted`."""
    with transaction():
        reach(by, "pricing.see")
        lot = seen_lot(by, lot_key)
        radius_m, rule = policy_of(lot.id)["reference_radius_m"], rules_at([lot.id], clock.now()).get(lot.id)
        proposal = surrounding((lot.latitude, lot.longitude), known_references(clock.now()), radius_m)
        note = rule.legal_note if rule else DEFAULT_NOTE
        return Around(_sets(lot.id), rule.rule if rule else LOWEST, note, radius_m, proposal)


def _sets(lot_id: int) -> list[SetView]:
    members: dict[int, dict[str, int | None]] = defaultdict(dict)
    rows = current().execute(
        select(ReferenceSetMember, ReferenceLot.name)
        .join(ReferenceLot, ReferenceLot.id == ReferenceSetMember.reference_id)
        .join(ReferenceSet, ReferenceSet.id == ReferenceSetMember.set_id)
        .where(ReferenceSet.lot_id == lot_id)
        .order_by(ReferenceSetMember.distance_m, ReferenceLot.id)
    )
    for member, name in rows:
        members[member.set_id][name] = member.distance_m
    sets = current().scalars(select(ReferenceSet).filter_by(lot_id=lot_id).order_by(ReferenceSet.version.desc()))
    return [_set_view(row, members[row.id]) for row in sets]


def _set_view(row: ReferenceSet, members: Mapping[str, int | None]) -> SetView:
    return SetView(
        key=row.key, version=row.version, state=row.state, radius_m=row.radius_m, members=members, why=row.why,
        proposed_by=row.proposed_by, proposed_at=row.proposed_at, decided_by=row.decided_by,
        decided_at=row.decided_at, begins_at=row.valid.lower if row.valid else None,
        ends_at=row.valid.upper if row.valid else None,
    )  # fmt: skip


@dataclass(frozen=True)
class RuleView:
    """A rule of combining as it holds now or later."""

    scope: str
    scope_id: int
    rule: str
    legal_note: str
    begins_at: datetime | None
    ends_at: datetime | None


def cap_rules(by: Actor) -> list[RuleView]:
    """Every rule that holds now or will, the city's first; without any the lowest counts. Refuses `NotPermitted`."""
    now = clock.now()
    asked = select(CapRule).where(or_(func.upper_inf(CapRule.valid), func.upper(CapRule.valid) > now))
    with transaction() as session:
        reach(by, "pricing.see")
        rows = session.scalars(asked).all()
    found = [
        RuleView(row.scope, row.scope_id, row.rule, row.legal_note, row.valid.lower, row.valid.upper) for row in rows
    ]
    return sorted(found, key=lambda each: (-NARROWEST_FIRST.index(each.scope), each.scope_id, each.begins_at or now))
