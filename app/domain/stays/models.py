"""Stays, what they cost, and cars that were turned away."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Stay(Base):
    """Stay (停车记录): one car in one lot from entry to exit, a projection of its passages."""

    __tablename__ = "stay"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("bay_claim.id"), unique=True)
    plate_id: Mapped[int | None] = mapped_column(ForeignKey("plate.id"))
    motorist_id: Mapped[int | None] = mapped_column(ForeignKey("motorist.id"))
    code_digest: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of the code that the barrier's screen showed: who knows it stood there."""
    vehicle_class: Mapped[str]
    entry_event_id: Mapped[int] = mapped_column(ForeignKey("gate_event.id"), unique=True)
    exit_event_id: Mapped[int | None] = mapped_column(ForeignKey("gate_event.id"), unique=True)
    entered_at: Mapped[datetime]
    exited_at: Mapped[datetime | None]
    state: Mapped[str]
    __table_args__ = (
        CheckConstraint("state IN ('parked', 'owing', 'settled')", name="a_stay_is_parked_owing_or_settled"),
        CheckConstraint("(state = 'parked') = (exited_at IS NULL)", name="a_stay_that_ended_has_an_exit"),
        CheckConstraint("exited_at >= entered_at", name="a_car_leaves_after_it_entered"),
        Index(
            "a_plate_is_parked_once_in_a_lot", "lot_id", "plate_id",
            unique=True, postgresql_where=text("state = 'parked'"),
        ),
        Index("ix_stay_motorist_id_id", "motorist_id", "id"),
        Index("ix_stay_plate_id", "plate_id"),
        Index("ix_stay_exited_at", "exited_at"),
    )  # fmt: skip


class Bill(Base):
    """Bill (账单): what a stay costs up to a moment, the lot's own fee, the cap (N3.3) and what was waived.

    `amount_fen` is what this bill still asks for: the fee less what earlier bills of the stay brought.
    """

    __tablename__ = "bill"
    id: Mapped[Id]
    key: Mapped[Key]
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    up_to: Mapped[datetime]
    own_fen: Mapped[int]
    cap_fen: Mapped[int | None]
    cap_rule: Mapped[str | None]
    waived_fen: Mapped[int] = mapped_column(server_default="0")
    free_span_id: Mapped[int | None] = mapped_column(ForeignKey("free_span.id"))
    fee_fen: Mapped[int]
    amount_fen: Mapped[int]
    explanation: Mapped[list[Any]]
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    charge_key: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint(
            "fee_fen = least(own_fen, cap_fen) - waived_fen AND fee_fen >= 0", name="a_fee_is_never_above_the_cap"
        ),
        CheckConstraint(
            "waived_fen >= 0 AND (waived_fen = 0 OR free_span_id IS NOT NULL)", name="a_waiver_names_its_free_time"
        ),
        CheckConstraint(
            "(cap_fen IS NULL) = (cap_rule IS NULL) AND cap_rule IN ('lowest', 'highest', 'average')",
            name="a_cap_says_how_it_was_found",
        ),
        CheckConstraint("amount_fen BETWEEN 0 AND fee_fen", name="a_bill_asks_for_no_more_than_the_fee"),
        CheckConstraint("amount_fen = 0 OR charge_key IS NOT NULL", name="what_a_bill_asks_for_is_charged"),
        ForeignKeyConstraint(
            ["charge_key", "payee_id", "amount_fen"],
            ["charge.key", "charge.payee_id", "charge.amount_fen"],
            name="a_bill_asks_what_its_charge_asks",
        ),
        Index(
            "a_stay_is_billed_once_up_to_a_moment",
            "stay_id",
            "up_to",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )


class BillBasis(Base):
    """What a bill rests on (计费依据): a version of the lot's own tariff or a reference's, and what it makes of a span.

    Own parts add up to the bill's `own_fen`, references combine by its rule to `cap_fen`; the tables see to both.
    """

    __tablename__ = "bill_basis"
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    tariff_id: Mapped[int]
    lot_tariff_id: Mapped[int | None]
    reference_version_id: Mapped[int | None]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    fen: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(
            ["lot_tariff_id", "tariff_id"],
            ["lot_tariff.id", "lot_tariff.tariff_id"],
            name="a_bill_names_the_lots_own_version",
        ),
        ForeignKeyConstraint(
            ["reference_version_id", "tariff_id"],
            ["reference_version.id", "reference_version.tariff_id"],
            name="a_bill_names_a_references_version",
        ),
        CheckConstraint(
            "num_nonnulls(lot_tariff_id, reference_version_id) = 1", name="a_basis_is_the_lots_own_or_a_references"
        ),
        CheckConstraint("ends_at >= begins_at AND fen >= 0", name="a_basis_prices_a_span"),
    )


class PassageOutcome(Base):
    """What we made of a car's passage (过车), once; the raw event stays beside it.

    `place` is the order in which passages were first looked at: stays are rebuilt in it.
    """

    __tablename__ = "passage_outcome"
    event_id: Mapped[int] = mapped_column(ForeignKey("gate_event.id"), primary_key=True)
    stay_id: Mapped[int | None] = mapped_column(ForeignKey("stay.id"))
    outcome: Mapped[str]
    projected_at: Mapped[datetime]
    place: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    __table_args__ = (
        CheckConstraint("outcome IN ('entered', 'left', 'repeated', 'review')", name="a_passage_has_a_known_outcome"),
        CheckConstraint("outcome = 'review' OR stay_id IS NOT NULL", name="a_passage_understood_names_its_stay"),
    )


class Misreading(Base):
    """Misreading (车牌误识): the car of this event is the one of that stay, though a camera read another plate.

    Found by likeness among the cars inside (`distance`, in hundredths of a character), or by a person.
    """

    __tablename__ = "misreading"
    event_id: Mapped[int] = mapped_column(ForeignKey("gate_event.id"), primary_key=True)
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    distance: Mapped[int | None]
    found_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    found_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("num_nonnulls(distance, found_by) = 1", name="a_misreading_is_found_by_likeness_or_a_person"),
        CheckConstraint("distance BETWEEN 0 AND 60", name="only_a_close_likeness_is_a_misreading"),
        Index("ix_misreading_stay_id", "stay_id"),
    )


class TurnAway(Base):
    """Turn-away (拒停记录, N2.2.3): why a car was not let in, and how full the lot was at that instant."""

    __tablename__ = "turn_away"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("gate_event.id"), unique=True)
    reason: Mapped[str]
    shared_bays: Mapped[int]
    occupied_bays: Mapped[int]
    kept_bays: Mapped[int] = mapped_column(server_default="0")
    """Free bays that were kept for reservations at that instant."""
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint(
            "reason IN ('full', 'kept_for_reservations', 'closed', 'suspended', 'curfew', 'closed_by_adjustment')",
            name="a_turn_away_has_one_of_the_known_reasons",
        ),
        CheckConstraint(
            "(reason = 'kept_for_reservations') = (kept_bays > 0)", name="bays_are_kept_for_reservations_or_none_are"
        ),
        CheckConstraint(
            "shared_bays >= 0 AND occupied_bays BETWEEN 0 AND shared_bays", name="no_more_bays_are_taken_than_there_are"
        ),
        Index("ix_turn_away_lot_id_at", "lot_id", "at"),
    )


class TurnAwayReport(Base):
    """Report of a turn-away (拒停举报, N2.2.3): a motorist says so in one tap; beside it how the lot stood then.

    What gates were told about the plate is found by plate, lot and time, so that late news is not missed. `around`: the
    tap and the minutes after it, in which another one is the same. `free_bays`: for a car without a reservation.
    """

    __tablename__ = "turn_away_report"
    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    plate_id: Mapped[int | None] = mapped_column(ForeignKey("plate.id"))
    around: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    lot_state: Mapped[str]
    was_open: Mapped[bool]
    shared_bays: Mapped[int]
    occupied_bays: Mapped[int]
    free_bays: Mapped[int]
    __table_args__ = (
        CheckConstraint("NOT isempty(around) AND lower_inc(around)", name="a_report_is_made_at_a_moment"),
        CheckConstraint(
            "occupied_bays >= 0 AND free_bays >= 0 AND occupied_bays + free_bays <= shared_bays",
            name="a_report_counts_no_more_bays_than_there_are",
        ),
        ExcludeConstraint(
            ("motorist_id", "="), ("lot_id", "="), ("around", "&&"),
            name="a_turn_away_is_reported_once", using="gist",
        ),
        Index("ix_turn_away_report_lot_id", "lot_id"),
    )  # fmt: skip
