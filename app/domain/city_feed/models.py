"""The city's feed (全市停车信息统一系统, N3.1): lots as the city numbers them, visits, uploads, and the line itself.

No row here holds a plate: a message is put together, sealed and forgotten when it is sent.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class CityLine(Base):
    """The line to the city's system (对接链路), one row: since when it is fed, and whether it answers.

    While nobody answers, nothing is tried before `next_try_at`. `barred_code`: the city takes nothing from us.
    """

    __tablename__ = "city_line"
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    away_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[datetime | None]
    last_failure: Mapped[str | None]
    barred_code: Mapped[str | None]
    reconnected_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("id = 1", name="there_is_one_line_to_the_city"),
        CheckConstraint(
            "(away_since IS NULL) = (failures = 0) AND (away_since IS NULL) = (next_try_at IS NULL) "
            "AND (away_since IS NULL) = (last_failure IS NULL)",
            name="a_line_that_is_away_says_since_when_and_until",
        ),
    )


class CityLot(Base):
    """A lot under the city's number (停车场编号): six digits of its district, then its own, for ever the same.

    `description` is the SHA-256 of what the newest upload of the lot was made for; `known_at`: since when the city
    has the lot, and only then takes its visits. `pulse_at`: when heartbeat and free bays are due; `free` and
    `state_at`: what the city was last told of them, and when.
    """

    __tablename__ = "city_lot"
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    parking_code: Mapped[str] = mapped_column(unique=True)
    description: Mapped[bytes]
    known_at: Mapped[datetime | None]
    pulse_at: Mapped[datetime | None]
    free: Mapped[int | None]
    state_at: Mapped[datetime | None]
    state_code: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("parking_code ~ '^3301[0-9]{8,}$'", name="a_parking_code_begins_with_its_district"),
        CheckConstraint("octet_length(description) = 32", name="a_description_has_its_digest"),
        CheckConstraint("(known_at IS NULL) = (pulse_at IS NULL)", name="only_a_known_lot_has_a_pulse"),
        CheckConstraint("(free IS NULL) = (state_at IS NULL) AND free >= 0", name="free_bays_were_told_at_a_moment"),
        Index("ix_city_lot_pulse_at", "pulse_at"),
    )


class CityVisit(Base):
    """A visit under the number that the city gives it (流水号): the same for entry and exit, for ever the same.

    It is a stay that our gates saw, or a visit that only a partner's system saw.
    """

    __tablename__ = "city_visit"
    id: Mapped[Id]
    stay_id: Mapped[int | None] = mapped_column(ForeignKey("stay.id"))
    partner_visit_id: Mapped[int | None] = mapped_column(ForeignKey("partner_visit.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("city_lot.lot_id"))
    entry_number: Mapped[str]
    uid: Mapped[str]
    has_ended: Mapped[bool] = mapped_column(server_default="false")
    __table_args__ = (
        UniqueConstraint("uid", name="a_visit_number_is_given_once"),
        UniqueConstraint("stay_id", name="a_stay_is_one_visit"),
        UniqueConstraint("partner_visit_id", name="a_partners_visit_is_one_visit"),
        UniqueConstraint("id", "lot_id", name="a_visit_is_to_one_lot"),
        CheckConstraint("num_nonnulls(stay_id, partner_visit_id) = 1", name="somebody_saw_the_visit"),
        Index("ix_city_visit_going_on", "id", postgresql_where=text("NOT has_ended")),
    )


class CityUpload(Base):
    """One thing to tell the city (上报记录): a lot, an entry or an exit; told once, however often it is sent."""

    __tablename__ = "city_upload"
    id: Mapped[Id]
    key: Mapped[Key]
    kind: Mapped[str]
    lot_id: Mapped[int] = mapped_column(ForeignKey("city_lot.lot_id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("city_visit.id"))
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    made_at: Mapped[datetime]
    next_check_at: Mapped[datetime]
    last_code: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("kind IN ('lot', 'entry', 'exit')", name="an_upload_is_of_a_known_kind"),
        CheckConstraint("(kind = 'lot') = (visit_id IS NULL)", name="an_entry_or_exit_belongs_to_a_visit"),
        CheckConstraint(
            "state IN ('due', 'accepted', 'refused', 'withheld')", name="an_upload_is_due_accepted_refused_or_withheld"
        ),
        CheckConstraint("(state = 'due') = (ended_at IS NULL)", name="an_upload_that_ended_says_when"),
        CheckConstraint("state <> 'refused' OR last_code IS NOT NULL", name="a_refused_upload_says_the_code"),
        CheckConstraint("state NOT IN ('accepted', 'refused') OR attempts > 0", name="an_answer_follows_an_attempt"),
        ForeignKeyConstraint(
            ["visit_id", "lot_id"], ["city_visit.id", "city_visit.lot_id"], name="an_upload_names_its_visits_lot"
        ),
        UniqueConstraint("visit_id", "kind", name="a_visit_has_one_entry_and_one_exit"),
        Index(
            "a_lot_has_one_description_due", "lot_id",
            unique=True, postgresql_where=text("kind = 'lot' AND state = 'due'"),
        ),
        Index("ix_city_upload_next", "next_check_at", "id", postgresql_where=text("state = 'due'")),
        Index("ix_city_upload_due", "lot_id", "id", postgresql_where=text("state = 'due'")),
        Index("ix_city_upload_refused", "id", postgresql_where=text("state = 'refused'")),
    )  # fmt: skip
