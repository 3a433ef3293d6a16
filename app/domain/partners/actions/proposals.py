"""What a partner would change in a lot's description: proposed by its system, decided by a person.

Approved facts are what the public, the fee and the guard rely on, so none of them is overwritten by a machine. Only the
partner's own code of the lot, which nobody else reads, takes effect at once.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from app.domain.lots.actions.correct import correct, corrected
from app.domain.lots.actions.draft import MoreBaysThanThereAre
from app.domain.lots.actions.steps import lock_lot_by_id, said
from app.domain.lots.queries import LotNotFound
from app.domain.lots.queries.places import place_of
from app.domain.partners.actions.records import locked_lots
from app.domain.partners.models import LotProposal, PartnerLot
from app.domain.partners.queries import OwnLot
from app.domain.partners.rules import differing
from app.domain.staff.rules import Actor, permit
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, NotFound


class OwnCodeTaken(Conflict):
    """The partner uses this code for another lot already."""

    code = "own_code_taken"
    message = "该编码已用于另一停车场"


class ProposalNotFound(NotFound):
    """There is no such proposal about a lot that this person may decide on."""

    code = "proposal_not_found"
    message = "未找到该变更建议"


class ProposalDecided(Conflict):
    """It was decided, or superseded by a later one; `details.outcome` says which."""

    code = "proposal_decided"
    message = "该变更建议已处理或已被新的建议取代"


class ProposalOutdated(Conflict):
    """What it would change has changed since it was made; `details.columns` name it."""

    code = "proposal_outdated"
    message = "停车场信息在建议提出后已变更，请等待接入方重新报送"


@dataclass(frozen=True)
class Particulars:
    """A lot as a partner describes it: `facts` by column name, the point in GCJ-02; `own_code` is its own name."""

    facts: Mapping[str, Any]
    own_code: str | None = None


@dataclass(frozen=True)
class Proposed:
    """What became of a description: the `differing` columns await a person under `proposal`; none: all is as known."""

    lot: uuid.UUID
    proposal: uuid.UUID | None
    differing: tuple[str, ...]


def propose(partner_id: int, lot: uuid.UUID, told: Particulars) -> Proposed:
    """Compare a description with what is known of the lot; the differences await the unit or the regulator (N4.8).

    The same description again changes nothing; another one supersedes the open proposal. Refuses `LotNotFound` when the
    lot is not this partner's, `OwnCodeTaken`, what `NewLot.checked` refuses of the whole, and `MoreBaysThanThereAre`.
    """
    with transaction():
        own = locked_lots(partner_id, [lot]).get(lot)
        if own is None:
            raise LotNotFound
        _name(partner_id, own, told.own_code)
        found = {column: getattr(own.lot, column) for column in told.facts}
        _refuse_impossible(own, told.facts)
        changes = differing(found, told.facts)
        kept = _kept(partner_id, own, changes, {column: found[column] for column in changes})
        return Proposed(own.lot.key, kept.key if kept else None, tuple(sorted(changes)))


def _refuse_impossible(own: OwnLot, facts: Mapping[str, Any]) -> None:
    if corrected(own.lot, facts).total_bays < own.capacity.bays:
        raise MoreBaysThanThereAre(shared_bays=own.capacity.bays)


def _name(partner_id: int, own: OwnLot, code: str | None) -> None:
    if code is None:
        return
    with refusing({"a_partner_gives_a_code_to_one_lot": OwnCodeTaken}):
        current().execute(
            update(PartnerLot)
            .where(PartnerLot.partner_id == partner_id, PartnerLot.lot_id == own.id)
            .values(own_code=code)
            .execution_options(synchronize_session=False)
        )


def _kept(partner_id: int, own: OwnLot, changes: Mapping[str, Any], found: Mapping[str, Any]) -> LotProposal | None:
    """The open proposal that says this, made when there is none; whatever was proposed before is superseded."""
    of_lot = select(LotProposal).filter_by(partner_id=partner_id, lot_id=own.id, outcome=None)
    before = current().scalars(of_lot.with_for_update()).one_or_none()
    if before is not None:
        if (before.proposed, before.found) == (changes, found):
            return before
        before.outcome, before.decided_at = "superseded", clock.now()
        current().flush()
        settle_tasks("lot_proposal", "lot_proposal", before.id, "已被新的建议取代")
    if not changes:
        return None
    made = LotProposal(
        partner_id=partner_id, lot_id=own.id, proposed=dict(changes), found=dict(found), proposed_at=clock.now()
    )
    current().add(made)
    current().flush()
    told = {"lot_id": own.id, "columns": sorted(changes)}
    open_task("lot_proposal", "lot_proposal", made.id, told, place=place_of(own.id))
    return made


def accept_proposal(by: Actor, key: uuid.UUID, because: str) -> LotProposal:
    """Let a proposal become the lot's approved description, by the unit or the regulator.

    Refuses `ProposalNotFound`, `ProposalDecided`, `ProposalOutdated`, `ReasonMissing` and what `lots` refuses of the
    corrected lot.
    """
    with transaction():
        proposal = _found(key)
        permit(by, "partners.accept_proposal", place_of(proposal.lot_id))
        lot = lock_lot_by_id(proposal.lot_id)
        _refuse_decided(proposal)
        if stale := [column for column, value in proposal.found.items() if getattr(lot, column) != value]:
            raise ProposalOutdated(columns=sorted(stale))
        correct(by, lot.id, proposal.proposed, because)
        return _decided(proposal, "accepted", by, because)


def decline_proposal(by: Actor, key: uuid.UUID, because: str) -> LotProposal:
    """Leave the lot as it is. Refuses `ProposalNotFound`, `ProposalDecided` and `ReasonMissing`."""
    with transaction():
        proposal = _found(key)
        permit(by, "partners.decline_proposal", place_of(proposal.lot_id))
        _refuse_decided(proposal)
        return _decided(proposal, "declined", by, because)


def _found(key: uuid.UUID) -> LotProposal:
    proposal = current().scalars(select(LotProposal).filter_by(key=key)).one_or_none()
    if proposal is None:
        raise ProposalNotFound
    return proposal


def _refuse_decided(proposal: LotProposal) -> None:
    """Two people who decide at once decide one after the other."""
    current().scalars(select(LotProposal).filter_by(id=proposal.id).with_for_update()).one()
    if proposal.outcome is not None:
        raise ProposalDecided(outcome=proposal.outcome)


def _decided(proposal: LotProposal, outcome: str, by: Actor, because: str) -> LotProposal:
    proposal.outcome, proposal.decided_at = outcome, clock.now()
    proposal.decided_by, proposal.decided_because = by.account_id, said(because)
    current().flush()
    settle_tasks("lot_proposal", "lot_proposal", proposal.id, {"accepted": "已采纳", "declined": "未采纳"}[outcome])
    audit.record(f"partners.{outcome}_proposal", "lot_proposal", proposal.id, by.label)
    return proposal
