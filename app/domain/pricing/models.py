"""Tariffs, the government-priced lots around, and which of them bound which lot's fee."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class TariffVersion(Base):
    """Tariff (收费标准) in the one JSON form; immutable once stored."""

    __tablename__ = "tariff_version"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    document: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]


class LotTariff(Base):
    """Which tariff a lot charges by, from when to when."""

    __tablename__ = "lot_tariff"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff_version.id"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        ExcludeConstraint(("lot_id", "="), ("valid", "&&"), name="a_lot_has_one_tariff_at_a_time", using="gist"),
    )


class ReferenceLot(Base):
    """Government-priced lot (政府定价管理停车场) with its approval, GCJ-02 point and tariff (N3.3)."""

    __tablename__ = "reference_lot"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    approval: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff_version.id"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        CheckConstraint(
            "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="a_reference_lot_lies_in_hangzhou"
        ),
    )


class LotReference(Base):
    """That a reference lot bounds the fee of a lot: a set that somebody approved, not one computed silently."""

    __tablename__ = "lot_reference"
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    reference_lot_id: Mapped[int] = mapped_column(ForeignKey("reference_lot.id"), primary_key=True)
    approved_at: Mapped[datetime]
    approved_by: Mapped[str]


class FreeSpan(Base):
    """Span (免费时段) in which a lot takes no money, by an adjustment; for public money only on an approved basis."""

    __tablename__ = "free_span"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    adjustment_id: Mapped[int] = mapped_column(ForeignKey("adjustment.id"))
    __table_args__ = (
        CheckConstraint("(isfinite(lower(valid)) AND isfinite(upper(valid))) IS TRUE", name="free_time_ends"),
        CheckConstraint("lower_inc(valid) AND NOT upper_inc(valid)", name="free_time_is_half_open"),
        UniqueConstraint("lot_id", "adjustment_id", name="an_adjustment_frees_a_lot_once"),
    )
