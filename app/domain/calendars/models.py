"""Which days are work days: one in-force version of the calendar a year, older ones kept for the audit."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id


class CalendarVersion(Base):
    """A year's days as one document told them (节假日安排); loading a newer one keeps the older, out of force.

    Born with all its days, which never change. What nobody loaded, the platform knew from the start.
    """

    __tablename__ = "calendar_version"
    __table_args__ = (
        CheckConstraint("status IN ('official', 'provisional')", name="a_calendar_is_official_or_provisional"),
        CheckConstraint("year BETWEEN 2000 AND 2999", name="a_calendar_is_of_a_year_we_may_live_in"),
        CheckConstraint("source_doc <> ''", name="a_calendar_names_its_source"),
        Index("one_calendar_is_in_force_per_year", "year", unique=True, postgresql_where=text("in_force")),
    )

    id: Mapped[Id]
    year: Mapped[int]
    status: Mapped[str]
    source_doc: Mapped[str]
    created_at: Mapped[datetime]
    in_force: Mapped[bool] = mapped_column(default=True)
    loaded_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))


class CalendarDay(Base):
    """One date of a version: work day or day off, the holiday it belongs to, whether it is worked to make up (调休)."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        PrimaryKeyConstraint("version_id", "date", name="a_version_tells_a_date_once"),
        CheckConstraint("kind IN ('workday', 'dayoff')", name="a_day_is_a_workday_or_a_dayoff"),
        CheckConstraint("NOT is_makeup OR kind = 'workday'", name="a_makeup_day_is_a_workday"),
        CheckConstraint("holiday <> ''", name="a_holiday_has_a_name"),
    )

    version_id: Mapped[int] = mapped_column(ForeignKey("calendar_version.id"))
    date: Mapped[date]
    kind: Mapped[str]
    holiday: Mapped[str | None]
    is_makeup: Mapped[bool] = mapped_column(default=False)


class CalendarAlarm(Base):
    """That people were warned, so many days before the last official one."""

    __tablename__ = "calendar_alarm"
    __table_args__ = (
        PrimaryKeyConstraint("last_day", "days_before", name="a_calendar_alarm_is_raised_once"),
        CheckConstraint("days_before IN (60, 30, 14)", name="a_calendar_alarm_has_its_day"),
    )

    last_day: Mapped[date]
    days_before: Mapped[int]
    raised_at: Mapped[datetime]
