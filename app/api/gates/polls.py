"""Waiting for a gate's commands between short transactions."""

from app.adapters.gates.waiting import Place
from app.api.gates.guard import post
from app.domain.gates import actions as gates
from app.domain.gates.actions.commands import HandedOut

LONGEST_POLL = 25
"""Seconds; cameras give up after 30."""


def awaited(place: Place, until: float) -> list[HandedOut]:
    """Look first, then wait; a ring without a command (another answer carried it) is waited out."""
    handed = _look(place)
    while not handed and place.wait(until):
        handed = _look(place)
    return handed


def _look(place: Place) -> list[HandedOut]:
    with post().few_at_a_time:
        return gates.hand_out(place.device_id)
