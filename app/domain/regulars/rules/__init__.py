"""The lives of rounds and applications, and what may be offered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.domain.claims.rules import share
from app.domain.regulars.rules.refusals import ApplicationsTooShort, RoundTimesWrong, TooManyNights, TooManyPlaces
from app.kernel.clock import business_day
from app.kernel.states import BORN, Machine

ROUND: Final = Machine(
    "regular_round", [(BORN, "open", "open"), ("open", "draw", "drawn"), ("open", "cancel", "cancelled")]
)
"""Once drawn a round stands: whoever could cancel a draw that he dislikes could have another one."""

APPLICATION: Final = Machine(
    "regular_application",
    [
        (BORN, "apply", "applied"),
        ("applied", "withdraw", "withdrawn"),
        ("applied", "drop", "dropped"),
        ("applied", "win", "won"),
        ("applied", "rank", "waiting"),
        ("waiting", "move_up", "won"),
        ("waiting", "withdraw", "withdrawn"),
        ("won", "give_back", "given_back"),
        ("won", "lose", "lost"),
    ],
)


@dataclass(frozen=True)
class Offer:
    """What somebody wants to offer: first and last night (by the dates on which they begin), places, and the times."""

    first: date
    last: date
    places: int
    opens_at: datetime
    closes_at: datetime
    draw_at: datetime


def check_offer(offer: Offer, now: datetime, bays: int, numbers: Mapping[str, int]) -> None:
    """Refuse an offer that the city does not allow a lot with so many shared bays.

    `TooManyNights`, `RoundTimesWrong`, `ApplicationsTooShort`, `TooManyPlaces`.
    """
    most_days, fewest_days = numbers["regular_longest_days"], numbers["regular_application_days"]
    if not 0 <= (offer.last - offer.first).days < most_days:
        raise TooManyNights(most_days=most_days)
    in_order = now <= offer.opens_at < offer.closes_at <= offer.draw_at
    if not in_order or business_day(offer.draw_at) >= offer.first:
        raise RoundTimesWrong
    if offer.closes_at - offer.opens_at < timedelta(days=fewest_days):
        raise ApplicationsTooShort(days=fewest_days)
    most = share(bays, numbers["regular_bays_percent"])
    if not 1 <= offer.places <= most:
        raise TooManyPlaces(most=most)
