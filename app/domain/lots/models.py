"""Lots, their bays, and the spans in which they are open."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Lot(Base):
    """Lot (停车场库) of one unit, at a GCJ-02 point. `total_bays` counts shared and unshared bays (N2.2.2)."""

    __tablename__ = "lot"
    id: Mapped[Id]
    key: Mapped[Key]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    name: Mapped[str]
    address: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]
    total_bays: Mapped[int]
    total_chargers: Mapped[int]
    shared_chargers: Mapped[int]
    height_limit_cm: Mapped[int | None]
    state: Mapped[str]
    __table_args__ = (
        UniqueConstraint("unit_id", "name", name="a_unit_names_each_lot_once"),
        CheckConstraint("latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="a_lot_lies_in_hangzhou"),
        CheckConstraint("total_bays > 0", name="a_lot_has_bays"),
        CheckConstraint("shared_chargers BETWEEN 0 AND total_chargers", name="shared_chargers_are_some_of_all"),
        CheckConstraint("state IN ('open', 'suspended', 'withdrawn')", name="a_lot_is_open_suspended_or_withdrawn"),
        Index("ix_lot_latitude_longitude", "latitude", "longitude"),
    )


class Bay(Base):
    """Bay (泊位) that the public may use; the rows *are* the capacity, nothing else counts it."""

    __tablename__ = "bay"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    number: Mapped[str]
    zone: Mapped[str]
    kind: Mapped[str]
    shared: Mapped[bool]
    __table_args__ = (
        UniqueConstraint("lot_id", "number", name="a_lot_numbers_each_bay_once"),
        CheckConstraint("kind IN ('standard', 'charging', 'accessible', 'large')", name="a_bay_has_one_of_four_kinds"),
    )


class OpenWindow(Base):
    """Open window (共享开放时段): one maximal span in which a lot is open, from the rule of N2.2.1."""

    __tablename__ = "open_window"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        CheckConstraint(
            "(lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) "
            "AND isfinite(upper(during))) IS TRUE",
            name="a_window_is_a_finite_half_open_span",
        ),
        ExcludeConstraint(("lot_id", "="), ("during", "&&"), name="a_lot_has_one_window_at_a_time", using="gist"),
    )


class LotPayee(Base):
    """Who receives a lot's money from when to when (N3.4.1, N3.4.2): never two at a time."""

    __tablename__ = "lot_payee"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    payee_id: Mapped[int]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        ForeignKeyConstraint(["payee_id"], ["payee.id"], name="a_lot_pays_a_known_payee"),
        ExcludeConstraint(("lot_id", "="), ("valid", "&&"), name="a_lot_has_one_payee_at_a_time", using="gist"),
    )
