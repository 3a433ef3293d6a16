"""Policy numbers as dated rows; the narrowest row that is valid wins."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id


class PolicyNumber(Base):
    """One number for the city, a unit or a lot, and the time in which it holds."""

    __tablename__ = "policy_number"
    id: Mapped[Id]
    name: Mapped[str]
    scope: Mapped[str]
    scope_id: Mapped[int]
    value: Mapped[int]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        CheckConstraint("scope IN ('city', 'unit', 'lot')", name="a_policy_holds_for_city_unit_or_lot"),
        CheckConstraint("(scope = 'city') = (scope_id = 0)", name="a_city_policy_names_no_place"),
        CheckConstraint("value BETWEEN 0 AND 525600", name="a_policy_is_at_most_a_year_of_minutes"),
        CheckConstraint("NOT isempty(valid)", name="a_policy_holds_for_some_time"),
        ExcludeConstraint(
            ("name", "="), ("scope", "="), ("scope_id", "="), ("valid", "&&"),
            name="a_policy_has_one_value_at_a_time", using="gist",
        ),
    )  # fmt: skip
