"""Rounds of regular places, who applied, and the nights that came of it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class RegularRound(Base):
    """Round (固定泊位轮次): a lot offers `places` regular places for the work nights among some dates.

    `commitment` is the SHA-256 of a secret that is sealed until the draw and readable as `secret` afterwards. All
    winners have the nights up to `dealt_until` that can be had.
    """

    __tablename__ = "regular_round"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    nights: Mapped[Range[date]] = mapped_column(DATERANGE)
    places: Mapped[int]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    draw_at: Mapped[datetime]
    commitment: Mapped[str]
    secret_enc: Mapped[bytes]
    state: Mapped[str]
    made_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    made_at: Mapped[datetime]
    secret: Mapped[str | None]
    drawn_at: Mapped[datetime | None]
    dealt_until: Mapped[date | None]
    cancelled_because: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("id", "places", name="a_round_has_so_many_places"),
        ExcludeConstraint(
            ("lot_id", "="), ("nights", "&&"),
            name="a_lot_has_one_round_for_a_night", using="gist", where=text("state <> 'cancelled'"),
        ),
        CheckConstraint("state IN ('open', 'drawn', 'cancelled')", name="a_round_is_in_a_known_state"),
        CheckConstraint("NOT isempty(nights) AND NOT lower_inf(nights) AND NOT upper_inf(nights)",
                        name="a_round_is_for_some_nights"),
        CheckConstraint("places > 0", name="a_round_has_places"),
        CheckConstraint("made_at <= opens_at AND opens_at < closes_at AND closes_at <= draw_at",
                        name="a_round_is_open_before_its_draw"),
        CheckConstraint("(draw_at AT TIME ZONE 'Asia/Shanghai')::date < lower(nights)",
                        name="a_draw_comes_before_the_nights"),
        CheckConstraint("secret IS NULL OR commitment = encode(sha256(convert_to(secret, 'UTF8')), 'hex')",
                        name="what_is_revealed_is_what_was_committed"),
        CheckConstraint("(state = 'drawn') = (secret IS NOT NULL AND drawn_at IS NOT NULL)",
                        name="a_draw_reveals_its_secret"),
        CheckConstraint("drawn_at >= draw_at", name="nobody_draws_early"),
        CheckConstraint("(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="a_cancelled_round_says_why"),
    )  # fmt: skip


class RegularApplication(Base):
    """Application (固定泊位申请): a motorist wants a regular place of a round for one vehicle.

    The draw gives each a `ticket`, the SHA-256 of secret and key, and its `rank` in the order of tickets. Who has a
    place since `won_at` holds one of the numbers 1 to `places`.
    """

    __tablename__ = "regular_application"
    id: Mapped[Id]
    key: Mapped[Key]
    round_id: Mapped[int]
    places: Mapped[int]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicle.id"))
    plate_id: Mapped[int] = mapped_column(ForeignKey("plate.id"))
    agreement_signature_id: Mapped[int] = mapped_column(ForeignKey("agreement_signature.id"))
    applied_at: Mapped[datetime]
    state: Mapped[str]
    ticket: Mapped[str | None]
    rank: Mapped[int | None]
    place: Mapped[int | None]
    won_at: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["round_id", "places"], ["regular_round.id", "regular_round.places"], name="an_application_is_for_a_round"
        ),
        Index("a_motorist_applies_once_to_a_round", "round_id", "motorist_id", unique=True,
              postgresql_where=text("state <> 'withdrawn'")),
        Index("a_plate_is_entered_once_in_a_round", "round_id", "plate_id", unique=True,
              postgresql_where=text("state <> 'withdrawn'")),
        UniqueConstraint("round_id", "rank", name="a_rank_is_drawn_once"),
        UniqueConstraint("round_id", "place", name="a_place_has_one_holder"),
        CheckConstraint(
            "state IN ('applied', 'withdrawn', 'dropped', 'won', 'waiting', 'given_back', 'lost')",
            name="an_application_is_in_a_known_state",
        ),
        CheckConstraint("(state = 'won') = (place IS NOT NULL)", name="who_won_has_a_place"),
        CheckConstraint("state <> 'won' OR won_at IS NOT NULL", name="who_won_knows_since_when"),
        CheckConstraint("place BETWEEN 1 AND places", name="a_round_gives_no_more_places_than_it_has"),
        CheckConstraint("(rank IS NULL) = (ticket IS NULL)", name="a_rank_comes_by_a_ticket"),
        CheckConstraint("state IN ('withdrawn') OR (state IN ('applied', 'dropped')) = (rank IS NULL)",
                        name="whoever_took_part_has_a_rank"),
        Index("ix_regular_application_motorist_id_id", "motorist_id", "id"),
    )  # fmt: skip


class RegularNight(Base):
    """Night (夜): the reservation that a winner has for the night that begins on a date, or why there is none."""

    __tablename__ = "regular_night"
    id: Mapped[Id]
    application_id: Mapped[int] = mapped_column(ForeignKey("regular_application.id"))
    night: Mapped[date]
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservation.id"), unique=True)
    refusal: Mapped[str | None]
    dealt_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("application_id", "night", name="a_night_is_dealt_once"),
        CheckConstraint("(reservation_id IS NULL) <> (refusal IS NULL)", name="a_night_is_had_or_says_why_not"),
    )
