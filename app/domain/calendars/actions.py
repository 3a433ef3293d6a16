"""Loading a year's calendar."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain.calendars.models import CalendarDay, CalendarVersion
from app.domain.calendars.rules import Day, Status, check_year
from app.kernel import clock
from app.kernel.db import transaction


def load(year: int, days: Sequence[Day], *, status: Status, source_doc: str) -> CalendarVersion:
    """Put a year's calendar in force; the former version stays, out of force, for the audit.

    `source_doc` names the document, such as 国办发明电〔2025〕7号. Raises IncompleteCalendar.
    """
    check_year(year, days)
    with transaction() as session:
        session.execute(update(CalendarVersion).where(CalendarVersion.year == year).values(in_force=False))
        version = CalendarVersion(
            year=year, status=status, source_doc=source_doc, created_at=clock.now(), in_force=True
        )
        session.add(version)
        session.flush()
        _write_days(session, version, days)
        return version


def _write_days(session: Session, version: CalendarVersion, days: Sequence[Day]) -> None:
    session.add_all(
        CalendarDay(version_id=version.id, date=day.date, kind=day.kind, holiday=day.holiday, is_makeup=day.is_makeup)
        for day in days
    )
    session.flush()
