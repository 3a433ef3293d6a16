"""Everything that is due of rounds, found by looking: whatever happened, and whatever job was lost."""

from app.domain.regulars.actions.deal import deal
from app.domain.regulars.actions.draw import draw
from app.domain.regulars.actions.give_back import take_back
from app.domain.regulars.actions.move_up import move_up
from app.domain.regulars.queries.due import places_to_take_back, rounds_to_draw, rounds_to_tend
from app.kernel.rounds import each_alone, each_step


def tend(round_id: int) -> int:
    """Let those who wait move up into free places of a drawn round, and deal the nights that are due; how many."""
    return move_up(round_id) + deal(round_id)


def tend_due(limit: int = 100) -> int:
    """Draw rounds whose time has come, take places back, hand free ones on, deal nights; returns how many of these."""
    return each_step(
        lambda: each_alone(rounds_to_draw(limit), draw),
        lambda: each_alone(places_to_take_back(limit), lambda place: take_back(*place)),
        lambda: each_alone(rounds_to_tend(limit), tend),
    )
