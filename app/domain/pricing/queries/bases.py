"""Which tariffs, references and rule hold for lots at a moment: what every fee and every proof rests on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from app.domain.lots.models import Lot
from app.domain.policies.rules import NARROWEST_FIRST
from app.domain.pricing.models import (
    CapRule,
    LotTariff,
    ReferenceLot,
    ReferenceSet,
    ReferenceSetMember,
    ReferenceVersion,
)
from app.domain.pricing.rules import Source
from app.domain.pricing.rules.proofs.combining import LOWEST
from app.kernel.db import current


@dataclass
class Basis:
    """What decides a lot's fees for stays that begin at a moment; tariffs by id, in the order in which they count."""

    own: list[tuple[datetime, Source]] = field(default_factory=list)
    references: list[Source] = field(default_factory=list)
    set_id: int | None = None
    rule: str = LOWEST
    rule_id: int | None = None


def bases_at(lot_ids: Sequence[int], at: datetime, until: datetime) -> Mapping[int, Basis]:
    """For each lot that has a tariff at a moment: its own tariffs up to `until`, its references and the rule."""
    bases: dict[int, Basis] = defaultdict(Basis)
    for lot_id, begins_at, source in _own(lot_ids, at, until):
        bases[lot_id].own.append((begins_at, source))
    for lot_id, set_id, source in references_at(list(bases), at):
        bases[lot_id].set_id = set_id
        bases[lot_id].references.append(source)
    for lot_id, rule in rules_at(list(bases), at).items():
        bases[lot_id].rule, bases[lot_id].rule_id = rule.rule, rule.id
    return bases


def _own(lot_ids: Sequence[int], at: datetime, until: datetime) -> list[tuple[int, datetime, Source]]:
    """The tariff of the moment, and those that take over stays that run when they begin, in order."""
    begins_at = func.lower(LotTariff.valid)
    takes_over = and_(LotTariff.running == "split", begins_at > at, begins_at < until)
    asked = (
        select(LotTariff.lot_id, begins_at, LotTariff.tariff_id, LotTariff.id)
        .where(LotTariff.lot_id.in_(lot_ids), or_(LotTariff.valid.contains(at), takes_over))
        .order_by(LotTariff.lot_id, begins_at)
    )
    found: list[tuple[int, datetime, Source]] = []
    for lot_id, since, tariff_id, row_id in current().execute(asked):
        if since <= at or (found and found[-1][0] == lot_id):
            found.append((lot_id, since, Source(tariff_id, lot_tariff_id=row_id)))
    return found


def references_at(lot_ids: Sequence[int], at: datetime) -> list[tuple[int, int, Source]]:
    """Each lot with the set that holds for entries at a moment, and the references of it that have a tariff then."""
    asked = (
        select(ReferenceSet.lot_id, ReferenceSet.id, ReferenceVersion.tariff_id, ReferenceVersion.id, ReferenceLot.name)
        .join(ReferenceSetMember, ReferenceSetMember.set_id == ReferenceSet.id)
        .join(ReferenceLot, ReferenceLot.id == ReferenceSetMember.reference_id)
        .join(ReferenceVersion, ReferenceVersion.reference_id == ReferenceLot.id)
        .where(
            ReferenceSet.lot_id.in_(lot_ids), ReferenceSet.valid.contains(at),
            ReferenceVersion.state == "approved", ReferenceVersion.valid.contains(at),
        )
        .order_by(ReferenceSet.lot_id, ReferenceLot.id)
    )  # fmt: skip
    return [
        (lot_id, set_id, Source(tariff_id, reference_version_id=version_id, name=name))
        for lot_id, set_id, tariff_id, version_id, name in current().execute(asked)
    ]


def rules_at(lot_ids: Sequence[int], at: datetime) -> Mapping[int, CapRule]:
    """For each lot about which somebody has said so: the narrowest rule that holds at a moment."""
    asked = (
        select(Lot.id, CapRule)
        .join(
            CapRule,
            or_(
                CapRule.scope == "city",
                and_(CapRule.scope == "unit", CapRule.scope_id == Lot.unit_id),
                and_(CapRule.scope == "lot", CapRule.scope_id == Lot.id),
            ),
        )
        .where(Lot.id.in_(lot_ids), CapRule.valid.contains(at))
    )
    rows = sorted(current().execute(asked).all(), key=lambda row: NARROWEST_FIRST.index(row[1].scope), reverse=True)
    return {row[0]: row[1] for row in rows}
