"""Lots, their bays, and the spans in which they are open."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
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
        UniqueConstraint("id", "unit_id", name="a_lot_belongs_to_one_unit"),
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
    """Who receives a lot's money from when to when: never two at a time, and only one whose purse is the unit's.

    The keys lead from the lot to its unit, from the unit's kind, level and district to a purse, and from there to a
    payee: what an organ or institution collects cannot reach but the treasury of its level (N3.4.1, N3.4.2).
    """

    __tablename__ = "lot_payee"
    id: Mapped[Id]
    lot_id: Mapped[int]
    unit_id: Mapped[int]
    unit_kind: Mapped[str]
    unit_level: Mapped[str]
    district_code: Mapped[str]
    payee_id: Mapped[int]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    purse: Mapped[str] = mapped_column(
        Computed(
            "CASE WHEN unit_kind = 'enterprise'::text THEN 'enterprise'::text "
            "WHEN unit_level = 'city'::text THEN 'city'::text ELSE district_code END",
            persisted=True,
        )
    )
    __table_args__ = (
        ForeignKeyConstraint(
            ["lot_id", "unit_id"], ["lot.id", "lot.unit_id"], name="a_lots_payee_is_for_the_lots_unit"
        ),
        ForeignKeyConstraint(
            ["unit_id", "unit_kind", "unit_level", "district_code"],
            ["unit.id", "unit.kind", "unit.level", "unit.district_code"],
            name="a_lots_payee_knows_the_unit",
        ),
        ForeignKeyConstraint(
            ["payee_id", "purse"], ["payee.id", "payee.purse"], name="a_lot_pays_the_purse_of_its_unit"
        ),
        ExcludeConstraint(("lot_id", "="), ("valid", "&&"), name="a_lot_has_one_payee_at_a_time", using="gist"),
    )
