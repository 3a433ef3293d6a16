"""What staff see of arrears and of bases to pay later, within their reach; no plates."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.domain.arrears.models import Arrear, ArrearPause, PayLater
from app.domain.lots.models import Lot
from app.domain.lots.queries.places import within
from app.domain.motorists.models import Motorist
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor, reach
from app.kernel.db import transaction
from app.kernel.spans import bounds

PAGE: Final = 200


@dataclass(frozen=True)
class SeenArrear:
    """A debt; without `motorist` nobody has proved yet that the stay was theirs. `paused_because`: it is looked at."""

    stay_key: uuid.UUID
    lot: str
    motorist: uuid.UUID | None
    amount_fen: int
    left_at: datetime
    noticed_at: datetime | None
    reminded_at: datetime | None
    held_at: datetime | None
    paused_because: str | None


@dataclass(frozen=True)
class SeenDeferral:
    """A basis to pay later; people are logins."""

    key: uuid.UUID
    lot: str
    document_no: str
    reason: str
    begins_at: datetime
    ends_at: datetime
    recorded_by: str
    approved_by: str | None
    ended_at: datetime | None


def arrears(
    by: Actor, *, lot_key: uuid.UUID | None = None, nobodys: bool = False, limit: int = PAGE
) -> list[SeenArrear]:
    """What is owed in lots within this person's reach, the oldest first; `nobodys`: only those without account."""
    wanted = [within(reach(by, "arrears.see")), Arrear.owing]
    if lot_key is not None:
        wanted.append(Lot.key == lot_key)
    if nobodys:
        wanted.append(Arrear.motorist_id.is_(None))
    with transaction() as session:
        rows = session.execute(
            select(Arrear, Lot.name, Motorist.key, ArrearPause.reason)
            .join(Lot, Lot.id == Arrear.lot_id)
            .outerjoin(Motorist, Motorist.id == Arrear.motorist_id)
            .outerjoin(ArrearPause, (ArrearPause.arrear_id == Arrear.id) & ArrearPause.ended_at.is_(None))
            .where(*wanted)
            .order_by(Arrear.id)
            .limit(limit)
        )
        return [
            SeenArrear(
                row.stay_key, lot, who, row.amount_fen, row.left_at, row.noticed_at, row.reminded_at, row.held_at, why
            )
            for row, lot, who, why in rows
        ]


def deferrals(by: Actor, *, lot_key: uuid.UUID | None = None, limit: int = PAGE) -> list[SeenDeferral]:
    """Bases to pay later of lots within this person's reach, the newest first."""
    wanted = [within(reach(by, "arrears.see"))]
    if lot_key is not None:
        wanted.append(Lot.key == lot_key)
    with transaction() as session:
        rows = session.execute(
            select(PayLater, Lot.name)
            .join(Lot, Lot.id == PayLater.lot_id)
            .where(*wanted)
            .order_by(PayLater.id.desc())
            .limit(limit)
        ).all()
        people = logins([each for row, _ in rows for each in (row.recorded_by, row.approved_by) if each is not None])
        return [
            SeenDeferral(
                row.key, lot, row.document_no, row.reason, *bounds(row.valid), people[row.recorded_by],
                people.get(row.approved_by or 0), row.ended_at,
            )
            for row, lot in rows
        ]  # fmt: skip
