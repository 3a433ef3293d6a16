"""Which journals were said to be wrong, and what was decided."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import exists, select

from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from payments.ledger.models import Journal
from payments.parity.models import Correction

PAGE: Final = 200


class NoSuchCorrection(NotFound):
    """No such proposal."""

    code = "no_such_correction"
    message = "未找到该冲正申请"


@dataclass(frozen=True)
class CorrectionView:
    """A correction as people see it, with the journal that it is about and the fen that each account moves instead."""

    key: uuid.UUID
    payee_id: int
    kind: str
    reference: str
    instead: str
    because: str
    made_by: str
    made_at: datetime
    state: str
    decided_by: str | None


def correction(key: uuid.UUID) -> Correction:
    """The correction by its public key. Refuses `NoSuchCorrection`."""
    with transaction() as session:
        found = session.scalar(select(Correction).filter_by(key=key))
        if found is None:
            raise NoSuchCorrection
        return found


def is_corrected(journal_id: int | None) -> bool:
    """Whether two persons agreed that this journal was wrong."""
    with transaction() as session:
        agreed = exists().where(Correction.journal_id == journal_id, Correction.state == "accepted")
        return session.scalars(select(agreed)).one()


def corrections(
    *, payees: Collection[int] | None = None, state: str | None = None, limit: int = PAGE
) -> list[CorrectionView]:
    """Corrections, the newest first; in one state and of these payees alone, if named."""
    wanted = select(Correction, Journal.kind, Journal.business_ref).join(Journal, Journal.id == Correction.journal_id)
    if payees is not None:
        wanted = wanted.where(Correction.payee_id.in_(payees))
    if state is not None:
        wanted = wanted.where(Correction.state == state)
    with transaction() as session:
        return [
            CorrectionView(
                each.key, each.payee_id, kind, reference, _told(each), each.because, each.made_by, each.made_at,
                each.state, each.decided_by,
            )
            for each, kind, reference in session.execute(wanted.order_by(Correction.id.desc()).limit(limit))
        ]  # fmt: skip


def _told(found: Correction) -> str:
    moved = (found.instead or {}).items()
    return "、".join(f"{account} {fen}" for account, fen in sorted(moved))
