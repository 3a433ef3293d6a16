"""Whoever waits moves up when a place is free."""

from app.domain.lots.models import Lot
from app.domain.regulars.actions.tell import tell_applicant
from app.domain.regulars.models import RegularRound
from app.domain.regulars.queries.due import free_places, next_to_move_up
from app.domain.regulars.rules import APPLICATION
from app.domain.regulars.rules.nights import ends
from app.domain.regulars.rules.words import won_text
from app.kernel import clock
from app.kernel.clock import business_day
from app.kernel.db import transaction


def move_up(round_id: int) -> int:
    """Give the free places of a round to those who wait, by rank, from tomorrow's night on; returns how many.

    Whoever owes or is suspended at this moment is passed over and keeps the rank. On the last day nobody moves up.
    """
    with transaction() as session:
        one = session.get_one(RegularRound, round_id, with_for_update={"key_share": True})
        if one.state != "drawn" or ends(one.nights)[1] <= business_day(clock.now()):
            return 0
        lot, places = session.get_one(Lot, one.lot_id), free_places(one)
        lucky = next_to_move_up(one.id, len(places))
        for place, each in zip(places, lucky, strict=False):
            APPLICATION.move(each, "move_up", "regulars", place=place, won_at=clock.now())
            tell_applicant(each, "regular_moved_up", won_text(lot.name, one.nights), lot)
        if lucky:
            one.dealt_until = None
        return len(lucky)
