"""Reservations, whose state their claims alone own; extensions and cancellations; who waits for a bay."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key

STILL_WAITS = "state IN ('waiting', 'offered')"


class Reservation(Base):
    """Reservation (预约): a motorist's promise of one bay for a span, kept by its claim; extended, its end is later.

    `is_regular`: a night of a regular place (固定泊位), which does not count towards the reservations one may have.
    """

    __tablename__ = "reservation"
    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicle.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    claim_id: Mapped[int] = mapped_column(ForeignKey("bay_claim.id"), unique=True)
    agreement_signature_id: Mapped[int] = mapped_column(ForeignKey("agreement_signature.id"))
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    made_at: Mapped[datetime]
    is_regular: Mapped[bool] = mapped_column(server_default=text("false"))
    __table_args__ = (
        CheckConstraint("begins_at < ends_at", name="a_reservation_begins_before_it_ends"),
        Index("ix_reservation_motorist_id_id", "motorist_id", "id"),
    )


class Cancellation(Base):
    """Cancellation (取消): who gave the bay back, when, and whether in good time."""

    __tablename__ = "cancellation"
    id: Mapped[Id]
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id"), unique=True)
    cancelled_at: Mapped[datetime]
    in_time: Mapped[bool]


class Extension(Base):
    """Extension (延时): the end of a reservation was put off once, from `was_until` to `ends_at`."""

    __tablename__ = "extension"
    id: Mapped[Id]
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservation.id"))
    was_until: Mapped[datetime]
    ends_at: Mapped[datetime]
    made_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("was_until < ends_at", name="an_extension_is_longer"),
        UniqueConstraint("reservation_id", "was_until", name="an_end_is_put_off_once"),
    )


class WaitlistEntry(Base):
    """Waitlist entry (候补): a motorist waits for a bay of a full lot; who joined first is asked first.

    What is offered is a held claim, so that it ends by itself and no sweeper is needed for that.
    """

    __tablename__ = "waitlist_entry"
    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicle.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    joined_at: Mapped[datetime]
    state: Mapped[str]
    offer_claim_id: Mapped[int | None] = mapped_column(ForeignKey("bay_claim.id"), unique=True)
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'offered', 'kept', 'declined', 'lapsed', 'left', 'over')",
            name="a_waitlist_entry_is_in_a_known_state",
        ),
        CheckConstraint(
            "(lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) "
            "AND isfinite(upper(during))) IS TRUE",
            name="a_waitlist_entry_is_for_a_finite_half_open_span",
        ),
        CheckConstraint(
            "(state IN ('offered', 'kept', 'declined', 'lapsed')) = (offer_claim_id IS NOT NULL)",
            name="who_was_offered_a_bay_names_it",
        ),
        ExcludeConstraint(
            ("motorist_id", "="), ("during", "&&"),
            name="a_motorist_waits_once_for_a_time", using="gist", where=text(STILL_WAITS),
        ),
        Index("ix_waitlist_entry_lot_id_joined_at_id", "lot_id", "joined_at", "id", postgresql_where=text(STILL_WAITS)),
        Index("ix_waitlist_entry_motorist_id_id", "motorist_id", "id"),
    )  # fmt: skip
