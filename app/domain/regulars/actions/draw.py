"""The draw: who has a place, and in which order the others wait."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from app.domain.lots.models import Lot
from app.domain.regulars.actions.offer import secret_place
from app.domain.regulars.actions.tell import tell_applicant
from app.domain.regulars.models import RegularApplication, RegularRound
from app.domain.regulars.queries import place_of_round
from app.domain.regulars.rules import APPLICATION, ROUND
from app.domain.regulars.rules.draw import drawn, ticket
from app.domain.regulars.rules.refusals import NotDueYet
from app.domain.regulars.rules.words import waiting_text, won_text
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.crypto import unseal
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue


def draw(round_id: int, cause: str = "sweeper") -> bool:
    """Draw a round whose time has come, from the secret that it committed to; whether this call did.

    Of two at once the second finds it done. An application under way is waited for, and a later one refused: the
    round's row is locked, and each application locks it too.
    """
    with transaction() as session:
        one = session.get_one(RegularRound, round_id, with_for_update={"key_share": True})
        if one.state != "open" or clock.now() < one.draw_at:
            return False
        secret = unseal(one.secret_enc, secret_place(one.key))
        ROUND.move(one, "draw", cause, secret=secret, drawn_at=clock.now())
        _rank(one, secret, _entered(one.id), cause)
        enqueue("regulars.tend", round_id=one.id)
        return True


def _entered(round_id: int) -> Sequence[RegularApplication]:
    entered = select(RegularApplication).filter_by(round_id=round_id, state="applied").order_by(RegularApplication.id)
    return current().scalars(entered.with_for_update(key_share=True)).all()


def _rank(one: RegularRound, secret: str, entered: Sequence[RegularApplication], cause: str) -> None:
    lot, by_key = current().get_one(Lot, one.lot_id), {each.key: each for each in entered}
    for rank, key in enumerate(drawn(secret, by_key), 1):
        each, told = by_key[key], {"rank": rank, "ticket": ticket(secret, key)}
        if rank <= one.places:
            APPLICATION.move(each, "win", cause, place=rank, won_at=clock.now(), **told)
            tell_applicant(each, "regular_won", won_text(lot.name, one.nights), lot)
        else:
            APPLICATION.move(each, "rank", cause, **told)
            ahead = rank - one.places - 1
            tell_applicant(each, "regular_waiting", waiting_text(lot.name, one.nights, ahead), lot)


def draw_now(by: Actor, round_key: uuid.UUID) -> RegularRound:
    """Draw a round at once whose time has come, as the sweeper would: the outcome is the same whoever asks.

    Refuses `RoundNotFound`, `NotDueYet`; what is drawn already stays as it is.
    """
    with transaction() as session:
        permit(by, "regulars.draw", place_of_round(round_key))
        one = session.scalars(select(RegularRound).filter_by(key=round_key)).one()
        if clock.now() < one.draw_at:
            raise NotDueYet(draw_at=one.draw_at.isoformat())
        if draw(one.id, by.label):
            audit.record("regulars.draw", "regular_round", one.id, by.label)
        return session.get_one(RegularRound, one.id, populate_existing=True)
