"""Districts, opening units and operators."""

from datetime import time

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class District(Base):
    """District or county (区县市) by its official code; 330100 is the city itself."""

    __tablename__ = "district"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    __table_args__ = (CheckConstraint("code ~ '^3301[0-9]{2}$'", name="a_district_lies_in_hangzhou"),)


class Unit(Base):
    """Opening unit (开放单位, N2.1) with its office hours, from which its open hours follow (N2.2.1)."""

    __tablename__ = "unit"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    level: Mapped[str]
    district_code: Mapped[str] = mapped_column(ForeignKey("district.code"))
    office_begins: Mapped[time]
    office_ends: Mapped[time]
    __table_args__ = (
        UniqueConstraint("id", "kind", "level", "district_code", name="a_unit_has_one_kind_and_place"),
        CheckConstraint("kind IN ('organ', 'institution', 'enterprise')", name="a_unit_has_one_of_three_kinds"),
        CheckConstraint("level IN ('city', 'district')", name="a_unit_belongs_to_city_or_district"),
        CheckConstraint("office_begins < office_ends", name="an_office_day_begins_before_it_ends"),
    )


class Operator(Base):
    """Operator (运营单位, N3.2): runs lots for units under an agreement."""

    __tablename__ = "operator"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
