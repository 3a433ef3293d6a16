"""Reservations, their extensions and cancellations; the claim alone owns the state."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Reservation(Base):
    """Reservation (预约): a motorist's promise of one bay for a span, kept by its claim; extended, its end is later."""

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
