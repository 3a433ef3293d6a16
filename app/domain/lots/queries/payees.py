"""Whose the money of lots is, was and is proposed to be."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from app.domain.lots.models import Lot, LotPayee, LotPayeeProposal
from app.domain.lots.queries.places import within
from app.domain.staff.rules import Actor, reach
from app.kernel.db import transaction
from payments.payees.models import Payee

PAGE: Final = 200


@dataclass(frozen=True)
class PayeeOfLot:
    """A payee that somebody proposed for a lot; without `confirmed_by` it has not come true."""

    key: uuid.UUID
    lot: str
    payee: str
    valid_from: datetime
    proposed_by: str
    confirmed_by: str | None
    until: datetime | None


def payees_of_lots(by: Actor, *, waiting: bool = False, limit: int = PAGE) -> Sequence[PayeeOfLot]:
    """Payees of the lots within one's reach, the newest proposal first; only what waits for a second person, if asked.

    Refuses `NotPermitted`.
    """
    with transaction() as session:
        asked = (
            select(
                LotPayeeProposal.key, Lot.name, Payee.name, LotPayeeProposal.valid_from, LotPayeeProposal.proposed_by,
                LotPayee.confirmed_by, func.upper(LotPayee.valid),
            )
            .join(Lot, Lot.id == LotPayeeProposal.lot_id)
            .join(Payee, Payee.id == LotPayeeProposal.payee_id)
            .outerjoin(LotPayee, LotPayee.proposal_id == LotPayeeProposal.id)
            .where(within(reach(by, "lots.see_payees")))
            .order_by(LotPayeeProposal.id.desc())
            .limit(limit)
        )  # fmt: skip
        if waiting:
            asked = asked.where(LotPayee.id.is_(None))
        return [PayeeOfLot(*row) for row in session.execute(asked)]
