"""The reservation that keeps a claim, written by the very statement that writes the claim."""

from datetime import datetime
from typing import Final, cast

from sqlalchemy import CTE, Select, Table, bindparam, insert, select
from sqlalchemy.orm import aliased

from app.domain.claims import actions as claims
from app.domain.reservations.models import Reservation
from app.kernel import clock
from app.kernel.ids import new_key


def keeper(
    motorist_id: int, vehicle_id: int, lot_id: int, signature_id: int, begins_at: datetime, ends_at: datetime, *,
    is_regular: bool,
) -> claims.Keeper[Reservation]:  # fmt: skip
    """A motorist's reservation for [begins_at, ends_at), for `claims.promise_to`."""
    told = {
        "key": new_key(), "motorist_id": motorist_id, "vehicle_id": vehicle_id, "lot_id": lot_id,
        "agreement_signature_id": signature_id, "begins_at": begins_at, "ends_at": ends_at, "made_at": clock.now(),
        "is_regular": is_regular,
    }  # fmt: skip
    return claims.Keeper(_KEPT, told)


_TABLE: Final = cast("Table", Reservation.__table__)
_TOLD: Final = [column for column in _TABLE.columns if column.name not in ("id", "claim_id")]


def _kept(new: CTE) -> Select[Reservation]:
    values = [bindparam(column.name, type_=column.type) for column in _TOLD]
    made = (
        insert(_TABLE)
        .from_select([*(column.name for column in _TOLD), "claim_id"], select(*values, new.c.id))
        .returning(*_TABLE.columns)
        .cte("made")
    )
    return select(aliased(Reservation, made))


_KEPT: Final = claims.with_new_claim(_kept)
