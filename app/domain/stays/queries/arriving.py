"""How things stand for a car at an entrance: one question, for all that decides most answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, DateTime, Interval, bindparam, func, select

from app.domain.claims.queries import promise_that_admits
from app.domain.lots.models import Lot
from app.domain.lots.queries.closures import closure_at
from app.domain.stays.models import Stay
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.prepared import Prepared


@dataclass(frozen=True)
class Awaiting:
    """Whether the car is inside already, how the lot stands, and whether a promise lets the car in: all at one moment.

    `asked_at` is that moment by the database's clock.
    """

    is_inside: bool
    is_closed: bool
    lot_state: str
    is_promised: bool
    asked_at: datetime

    @property
    def is_welcome(self) -> bool:
        """Nothing stands between the car and its bay."""
        return self.is_promised and not self.is_inside and not self.is_closed and self.lot_state == "open"


def awaiting(lot_id: int, plate_id: int, at: datetime | None = None) -> Awaiting:
    """What awaits this plate at the lot at a moment, or now; asked with the plate locked, the answer stands."""
    with transaction():
        return Awaiting(*_AWAITING.one(lot_id=lot_id, plate_id=plate_id, at=at, offset=clock.offset()))


_LOT, _PLATE = bindparam("lot_id", type_=BigInteger), bindparam("plate_id", type_=BigInteger)
_AT = func.coalesce(
    bindparam("at", type_=DateTime(timezone=True)), func.statement_timestamp() + bindparam("offset", type_=Interval)
)
_INSIDE = select(Stay.id).where(Stay.lot_id == _LOT, Stay.plate_id == _PLATE, Stay.state == "parked")
_AWAITING: Final = Prepared(
    select(
        _INSIDE.exists().label("is_inside"), closure_at(_LOT, _AT).exists().label("is_closed"), Lot.state,
        promise_that_admits(_LOT, _PLATE, _AT).exists().label("is_promised"),
        func.statement_timestamp().label("asked_at"),
    ).where(Lot.id == _LOT)
)  # fmt: skip
