"""The reservation that keeps a claim, written by the very statement that writes the claim; so is the gates' job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CTE, Select, Table, TextClause, bindparam, insert, select

from app.domain.claims import actions as claims
from app.domain.gates.rules.lists import is_within_reach
from app.domain.reservations.models import Reservation
from app.kernel import clock
from app.kernel.ids import new_key
from app.kernel.prepared import Prepared, apart
from app.kernel.queue import deferred, job_told


@dataclass(frozen=True)
class Kept:
    """A reservation but for its claim, for `claims.promise_to`: the values of its columns.

    With it the gates of its lot are asked to learn of the promise, if their lists reach that far yet.
    """

    told: Mapping[str, Any]

    def write(self, claim: Mapping[str, Any]) -> Reservation | None:
        """With its claim."""
        if is_within_reach(claim["admit_from"], clock.now()):
            row = _KEPT_SOON.first(
                **claim, **self.told, **job_told("gates.refresh_whitelist", lot_id=self.told["lot_id"])
            )  # fmt: skip
        else:
            row = _KEPT.first(**claim, **self.told)
        return None if row is None else apart(Reservation, {**self.told, "id": row.id, "claim_id": row.claim_id})


def kept(
    motorist_id: int, vehicle_id: int, lot_id: int, signature_id: int, begins_at: datetime, ends_at: datetime, *,
    is_regular: bool,
) -> Kept:  # fmt: skip
    """A motorist's reservation for [begins_at, ends_at)."""
    return Kept(
        {
            "key": new_key(), "motorist_id": motorist_id, "vehicle_id": vehicle_id, "lot_id": lot_id,
            "agreement_signature_id": signature_id, "begins_at": begins_at, "ends_at": ends_at,
            "made_at": clock.now(), "is_regular": is_regular,
        }
    )  # fmt: skip


_TABLE: Final = cast("Table", Reservation.__table__)
_TOLD: Final = [column for column in _TABLE.columns if column.name not in ("id", "claim_id")]


def _with_claim(new: CTE, *also: TextClause) -> Select[*tuple[Any, ...]]:
    values = [bindparam(column.name, type_=column.type) for column in _TOLD]
    made = (
        insert(_TABLE)
        .from_select([*(column.name for column in _TOLD), "claim_id"], select(*values, new.c.id))
        .returning(_TABLE.c.id, _TABLE.c.claim_id)
        .cte("made")
    )
    return select(made.c.id, made.c.claim_id, *also)


_KEPT: Final = Prepared(claims.with_new_claim(_with_claim))
_KEPT_SOON: Final = Prepared(claims.with_new_claim(lambda new: _with_claim(new, deferred())))
