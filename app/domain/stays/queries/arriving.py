"""How things stand for a car at an entrance: one question, for all that decides most answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, DateTime, bindparam, select

from app.domain.claims.queries import promise_that_admits
from app.domain.lots.models import Lot
from app.domain.lots.queries.closures import closure_at
from app.domain.stays.models import Stay
from app.kernel.db import transaction
from app.kernel.prepared import Prepared


@dataclass(frozen=True)
class Awaiting:
    """Whether the car is inside already, how the lot stands, and whether a promise lets the car in now."""

    is_inside: bool
    is_closed: bool
    lot_state: str
    is_promised: bool


def awaiting(lot_id: int, plate_id: int, at: datetime) -> Awaiting:
    """What awaits this plate at the lot at a moment; asked with the plate locked, the answer stands."""
    with transaction():
        return Awaiting(*_AWAITING.one(lot_id=lot_id, plate_id=plate_id, at=at))


_LOT, _PLATE = bindparam("lot_id", type_=BigInteger), bindparam("plate_id", type_=BigInteger)
_AT = bindparam("at", type_=DateTime(timezone=True))
_INSIDE = select(Stay.id).where(Stay.lot_id == _LOT, Stay.plate_id == _PLATE, Stay.state == "parked")
_AWAITING: Final = Prepared(
    select(
        _INSIDE.exists().label("is_inside"), closure_at(_LOT, _AT).exists().label("is_closed"), Lot.state,
        promise_that_admits(_LOT, _PLATE, _AT).exists().label("is_promised"),
    ).where(Lot.id == _LOT)
)  # fmt: skip
