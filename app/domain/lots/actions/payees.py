"""Whose a lot's money is, from a moment on."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.domain.lots.actions.steps import lock_lot, lock_lot_by_id
from app.domain.lots.models import Lot, LotPayee, LotPayeeProposal
from app.domain.lots.queries.places import place_of
from app.domain.lots.rules import purse_of
from app.domain.staff.rules import Actor, permit
from app.domain.units.models import Unit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, NotAllowed, NotFound, Refusal
from app.kernel.spans import span
from app.kernel.terms import ChangeOutOfOrder, end_running
from payments.payees.queries import payee_by_id


class PayeeNotOfThisUnit(Conflict):
    """The money of an organ or institution is the treasury's of its level, an enterprise's is an enterprise's."""

    code = "payee_not_of_this_unit"
    message = "收费主体与开放单位不符：机关事业单位的收入须缴入同级财政，国有企业的收入归企业"


class PayeeNotThere(Conflict):
    """The payee begins later, or ends: no lot names it for that time."""

    code = "payee_not_there"
    message = "该收费主体在此期间未启用或已停用"


class NoSuchPayeeProposal(NotFound):
    """Nobody proposed that."""

    code = "no_such_payee_proposal"
    message = "未找到该收费主体设定申请"


class OwnPayeeProposal(NotAllowed):
    """Who proposed whose a lot's money is does not let it come true."""

    code = "own_payee_proposal"
    message = "收费主体的设定须由申请人以外的人员复核"


def propose_payee(by: Actor, lot_key: uuid.UUID, payee_id: int, valid_from: datetime) -> LotPayeeProposal:
    """Ask that from `valid_from` on a lot's money belongs to this payee (N3.4.1, N3.4.2); another person lets it.

    Refuses `NotFound`, `NoSuchPayee`, `PayeeNotOfThisUnit`.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.propose_payee", place_of(lot.id))
        return _proposed(lot, payee_id, valid_from, by.label)


def pay_to(by: Actor, proposal_key: uuid.UUID) -> LotPayee:
    """Let come true what another person proposed; until then the lot's money is the payee's before.

    Refuses `NoSuchPayeeProposal`, `OwnPayeeProposal`, `PayeeNotOfThisUnit`, `PayeeNotThere`, and `ChangeOutOfOrder`
    when a payee is named for then or later, by a rival of this very moment too.
    """
    with transaction() as session:
        proposal = session.scalar(select(LotPayeeProposal).filter_by(key=proposal_key))
        if proposal is None:
            raise NoSuchPayeeProposal
        lot = lock_lot_by_id(proposal.lot_id)
        permit(by, "lots.pay_to", place_of(lot.id))
        if proposal.proposed_by == by.label:
            raise OwnPayeeProposal
        return _entered(lot, proposal, by.label)


def enter_payee(lot: Lot, payee_id: int, valid_from: datetime, proposed_by: str, confirmed_by: str) -> LotPayee:
    """Both at once, for those who asked for permission already: the sample city."""
    with transaction():
        return _entered(lot, _proposed(lot, payee_id, valid_from, proposed_by), confirmed_by)


def _proposed(lot: Lot, payee_id: int, valid_from: datetime, by: str) -> LotPayeeProposal:
    _check_purse(lot, payee_id)
    proposal = LotPayeeProposal(
        lot_id=lot.id, payee_id=payee_id, valid_from=valid_from, proposed_by=by, proposed_at=clock.now()
    )
    current().add(proposal)
    current().flush()
    audit.record("lots.propose_payee", "lot", lot.id, by, {"payee_id": payee_id})
    return proposal


def _entered(lot: Lot, proposal: LotPayeeProposal, by: str) -> LotPayee:
    unit = _check_purse(lot, proposal.payee_id)
    end_running(LotPayee, [LotPayee.lot_id == lot.id], proposal.valid_from)
    row = LotPayee(
        lot_id=lot.id, unit_id=unit.id, unit_kind=unit.kind, unit_level=unit.level, district_code=unit.district_code,
        payee_id=proposal.payee_id, valid=span(proposal.valid_from, None), proposal_id=proposal.id,
        proposed_by=proposal.proposed_by, confirmed_by=by,
    )  # fmt: skip
    with refusing(_REFUSED) as session:
        session.add(row)
    audit.record("lots.pay_to", "lot", lot.id, by, {"payee_id": proposal.payee_id})
    return row


def _check_purse(lot: Lot, payee_id: int) -> Unit:
    unit = current().get_one(Unit, lot.unit_id)
    if payee_by_id(payee_id).purse != purse_of(unit.kind, unit.level, unit.district_code):
        raise PayeeNotOfThisUnit(payee_id=payee_id, unit_id=unit.id)
    return unit


_REFUSED: Final[Mapping[str, type[Refusal]]] = {
    "a_lot_has_one_payee_at_a_time": ChangeOutOfOrder, "a_lot_names_a_payee_that_is_there": PayeeNotThere,
}  # fmt: skip
