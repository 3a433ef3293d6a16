"""A lot offers regular places, and takes the offer back before the draw."""

import secrets
import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.claims.queries import car_bays
from app.domain.lots.models import Lot
from app.domain.lots.queries import lot_by_key, policy_of
from app.domain.lots.queries.places import lot_id_of, place_of
from app.domain.regulars.actions.tell import tell_applicant
from app.domain.regulars.models import RegularApplication, RegularRound
from app.domain.regulars.queries import place_of_round
from app.domain.regulars.rules import APPLICATION, ROUND, Offer, check_offer
from app.domain.regulars.rules.draw import commitment
from app.domain.regulars.rules.nights import ONE_DAY
from app.domain.regulars.rules.refusals import NightsTaken, ReasonMissing
from app.domain.regulars.rules.words import cancelled_text
from app.domain.reservations.actions import LotSuspended
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.crypto import seal
from app.kernel.db import refusing, transaction
from app.kernel.ids import new_key

SECRET_BYTES = 32


def open_round(by: Actor, lot_key: uuid.UUID, offer: Offer) -> RegularRound:
    """Offer regular places of a lot, and commit to the draw: the hash of its secret is published with the round.

    The secret is sealed until the draw; nobody chooses or reads it. Refuses `LotNotFound`, `LotSuspended`,
    `TooManyNights`, `RoundTimesWrong`, `ApplicationsTooShort`, `TooManyPlaces`, `NightsTaken`.
    """
    with transaction() as session:
        permit(by, "regulars.open", place_of(lot_id_of(lot_key)))
        lot = lot_by_key(lot_key)
        session.execute(select(Lot.id).where(Lot.id == lot.id).with_for_update(key_share=True))
        if lot.state != "open":
            raise LotSuspended
        check_offer(offer, clock.now(), car_bays(lot.id), policy_of(lot.id))
        made = _committed(by, lot.id, offer)
        with refusing({"a_lot_has_one_round_for_a_night": NightsTaken}):
            session.add(made)
            ROUND.born(made, by.label, "open")
        audit.record("regulars.open", "regular_round", made.id, by.label, {"places": offer.places})
        return made


def _committed(by: Actor, lot_id: int, offer: Offer) -> RegularRound:
    key, secret = new_key(), secrets.token_hex(SECRET_BYTES)
    return RegularRound(
        key=key, lot_id=lot_id, nights=Range(offer.first, offer.last + ONE_DAY), places=offer.places,
        opens_at=offer.opens_at, closes_at=offer.closes_at, draw_at=offer.draw_at, commitment=commitment(secret),
        secret_enc=seal(secret, secret_place(key)), state="open", made_by=by.account_id, made_at=clock.now(),
    )  # fmt: skip


def secret_place(key: uuid.UUID) -> str:
    """Where the secret of a round lies sealed."""
    return f"regular_round.secret:{key}"


def cancel_round(by: Actor, round_key: uuid.UUID, reason: str) -> RegularRound:
    """Take an offer back before its draw; whoever applied is told with the reason.

    Refuses `RoundNotFound`, `ReasonMissing`, `WrongState` once it is drawn.
    """
    with transaction() as session:
        permit(by, "regulars.cancel", place_of_round(round_key))
        if not reason.strip():
            raise ReasonMissing
        one = session.scalars(select(RegularRound).filter_by(key=round_key).with_for_update(key_share=True)).one()
        ROUND.move(one, "cancel", by.label, cancelled_because=reason.strip())
        lot = session.get_one(Lot, one.lot_id)
        entered = select(RegularApplication).filter_by(round_id=one.id, state="applied").with_for_update()
        for each in session.scalars(entered.order_by(RegularApplication.id)).all():
            APPLICATION.move(each, "drop", by.label)
            tell_applicant(each, "regular_cancelled", cancelled_text(lot.name, one.nights, reason.strip()), lot)
        audit.record("regulars.cancel", "regular_round", one.id, by.label)
        return one
