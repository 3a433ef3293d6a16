"""Whose sign-in it is, and whether their request is the first with its key: one question of everybody who orders."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import String, bindparam, cast, func, select

from app.domain.motorists.queries import CALLER, SESSION
from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.idempotency import Named, claimed, in_turn
from app.kernel.prepared import Prepared


def signed_in_with_key(
    motorist_key: uuid.UUID, session_version: int, what: str, wanted: Named, at: datetime
) -> tuple[int, bool] | None:
    """As `signed_in_id`, and whether the key of `what` they want is theirs from now on; if not, it was used before.

    `at`: about when it is, for how long the key is kept. Refuses `InFlight`.
    """
    told = {"motorist_key": motorist_key, "version": session_version, "what": what, **wanted.told(at)}
    with transaction(), in_turn():
        row = _CLAIMING.first(**told)
        if row is None:
            return None
        clock.brought(row.at)
        return int(row.id), bool(row.is_first)


_KNOWN: Final = SESSION.cte("known")
_SCOPE: Final = func.concat(CALLER, cast(_KNOWN.c.id, String), ":", bindparam("what", type_=String), type_=String)
_CLAIMING: Final = Prepared(
    select(_KNOWN.c.id, _KNOWN.c.at, select(claimed(_KNOWN, _SCOPE)).exists().label("is_first"))
)
