"""Whose a lot's money is, from a moment on."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from app.domain.lots.actions.steps import lock_lot
from app.domain.lots.models import Lot, LotPayee
from app.domain.lots.queries.places import place_of
from app.domain.lots.rules import purse_of
from app.domain.staff.rules import Actor, permit
from app.domain.units.models import Unit
from app.kernel import audit
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Refusal
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


def pay_to(by: Actor, lot_key: uuid.UUID, payee_id: int, valid_from: datetime) -> LotPayee:
    """From `valid_from` on, the lot's money belongs to this payee (N3.4.1, N3.4.2); until then to the one before.

    Refuses `NotFound`, `NoSuchPayee`, `PayeeNotOfThisUnit`, `PayeeNotThere`, and `ChangeOutOfOrder` when a payee is
    named for then or later, by a rival of this very moment too.
    """
    with transaction():
        lot = lock_lot(lot_key)
        permit(by, "lots.pay_to", place_of(lot.id))
        return enter_payee(lot, payee_id, valid_from, by.label)


def enter_payee(lot: Lot, payee_id: int, valid_from: datetime, actor: str) -> LotPayee:
    """The same for those who asked for permission already: the sample city."""
    with transaction():
        unit = current().get_one(Unit, lot.unit_id)
        if payee_by_id(payee_id).purse != purse_of(unit.kind, unit.level, unit.district_code):
            raise PayeeNotOfThisUnit(payee_id=payee_id, unit_id=unit.id)
        end_running(LotPayee, [LotPayee.lot_id == lot.id], valid_from)
        row = LotPayee(
            lot_id=lot.id, unit_id=unit.id, unit_kind=unit.kind, unit_level=unit.level,
            district_code=unit.district_code, payee_id=payee_id, valid=span(valid_from, None),
        )  # fmt: skip
        with refusing(_REFUSED) as session:
            session.add(row)
        audit.record("lots.pay_to", "lot", lot.id, actor, {"payee_id": payee_id})
        return row


_REFUSED: Final[Mapping[str, type[Refusal]]] = {
    "a_lot_has_one_payee_at_a_time": ChangeOutOfOrder, "a_lot_names_a_payee_that_is_there": PayeeNotThere,
}  # fmt: skip
