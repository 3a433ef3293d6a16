"""One table for everything that occupies a bay, because an exclusion constraint spans only one."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id

LIVE = "state IN ('held', 'confirmed', 'in_use')"
"""Word for word as in the constraints: a query that says it otherwise cannot use their index."""


class BayClaim(Base):
    """Claim (占用): one bay for one span, by a reservation or a walk-in. `admit_*`: when the gate lets the car in."""

    __tablename__ = "bay_claim"
    id: Mapped[Id]
    bay_id: Mapped[int] = mapped_column(ForeignKey("bay.id"))
    plate_id: Mapped[int | None] = mapped_column(ForeignKey("plate.id"))
    exclusive_plate: Mapped[bool] = mapped_column(server_default=text("true"))
    kind: Mapped[str]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    admit_from: Mapped[datetime]
    admit_until: Mapped[datetime]
    hold_expires_at: Mapped[datetime | None]
    state: Mapped[str]
    __table_args__ = (
        CheckConstraint("kind IN ('reservation', 'walk_in')", name="a_claim_is_a_reservation_or_a_walk_in"),
        CheckConstraint(
            "state IN ('held', 'confirmed', 'in_use', 'completed', 'expired', 'cancelled', 'no_show', 'displaced')",
            name="a_claim_is_in_a_known_state",
        ),
        CheckConstraint(
            "(lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) "
            "AND isfinite(upper(during))) IS TRUE",
            name="a_claim_is_a_finite_half_open_span",
        ),
        CheckConstraint("admit_from < admit_until", name="a_claim_admits_for_some_time"),
        CheckConstraint("(state = 'held') <= (hold_expires_at IS NOT NULL)", name="a_hold_expires"),
        ExcludeConstraint(
            ("bay_id", "="), ("during", "&&"),
            name="a_bay_has_one_live_claim_at_a_time", using="gist", where=text(LIVE),
        ),
        ExcludeConstraint(
            ("plate_id", "="), ("during", "&&"),
            name="a_plate_has_one_live_claim_at_a_time", using="gist", where=text(f"exclusive_plate AND {LIVE}"),
        ),
        Index("ix_bay_claim_plate_id", "plate_id", postgresql_where=text(LIVE)),
        Index("ix_bay_claim_admit", "admit_from", "admit_until", postgresql_where=text(LIVE)),
    )  # fmt: skip
