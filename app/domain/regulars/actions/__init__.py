"""What becomes of rounds of regular places; one file for each verb."""

from app.domain.regulars.actions.apply import apply, withdraw
from app.domain.regulars.actions.deal import deal
from app.domain.regulars.actions.draw import draw, draw_now
from app.domain.regulars.actions.give_back import give_back, take_back
from app.domain.regulars.actions.move_up import move_up
from app.domain.regulars.actions.offer import cancel_round, open_round
from app.domain.regulars.actions.tend import tend, tend_due

__all__ = [
    "apply",
    "cancel_round",
    "deal",
    "draw",
    "draw_now",
    "give_back",
    "move_up",
    "open_round",
    "take_back",
    "tend",
    "tend_due",
    "withdraw",
]
