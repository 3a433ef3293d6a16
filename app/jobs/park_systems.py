"""Car-parks' own systems, served turn by turn: each call to the outside stands between two transactions."""

import time
from collections.abc import Sequence
from typing import Final

from app.adapters.gates.isecure import Isecure, ParkAccount, Reserved
from app.adapters.gates.words import Drop, ListRow, Put
from app.domain.gates import actions as gates
from app.domain.gates.actions.park_systems import Turn, end_turn, next_change, take_crossings, take_turn
from app.domain.motorists.plates import normalise
from app.domain.stays import actions as stays
from app.wiring import wiring

ROUND_SECONDS: Final = 2.0
"""Systems may be slow; other due work waits no longer than this and the turn in hand."""


def serve_park_systems() -> int:
    """Serve those that are due; returns how many answered."""
    ends, answered = time.monotonic() + ROUND_SECONDS, 0
    while time.monotonic() < ends and (turn := take_turn()):
        answered += _served(wiring().park_systems, turn)
    return answered


def _served(system: Isecure, turn: Turn) -> bool:
    """Passages first: who has driven in needs no reservation any more, and would be refused one."""
    told = False
    try:
        if not _heard(system, turn):
            return False
        held = system.reservations(turn.account)
        if held is not None and not gates.take_whole(turn.device_id, [each.row for each in held], turn.mark):
            told = _told(system, turn, held)
        return held is not None
    finally:
        end_turn(turn.device_id, soon=told)


def _heard(system: Isecure, turn: Turn) -> bool:
    crossings = system.crossings(turn.account, turn.since, turn.until)
    if crossings is not None:
        stays.project(take_crossings(turn.device_id, crossings))
    return crossings is not None


def _told(system: Isecure, turn: Turn, held: Sequence[Reserved]) -> bool:
    """What comes of each word is not looked at: refused, done or unknown, the next turn reads what is true."""
    step = next_change(turn.device_id)
    orders = {normalise(each.row.plate): each.order for each in held}
    if isinstance(step, Put):
        for row in step.rows:
            _put(system, turn.account, row, orders.get(row.plate))
    if isinstance(step, Drop):
        for order in (orders[plate] for plate in step.plates if plate in orders):
            system.cancel(turn.account, order)
    return step is not None


def _put(system: Isecure, account: ParkAccount, row: ListRow, order: str | None) -> None:
    """A reservation cannot be changed: the older one of the same car goes first."""
    if order is None or system.cancel(account, order) == "done":
        system.reserve(account, row)
