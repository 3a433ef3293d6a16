"""Loading a year's calendar, and warning people before the days that are told run out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.calendars.models import CalendarAlarm, CalendarDay, CalendarVersion
from app.domain.calendars.queries import days_of, last_official_day, version_in_force
from app.domain.calendars.rules import ALARM_DAYS, Day, Status, alarm_due, changed_dates, check_year, provisional_year
from app.domain.staff.rules import CITY, Actor, permit
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import audit, clock, files
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue
from app.kernel.refusals import Conflict


class OfficialStays(Conflict):
    """What the State Council told of a year is not replaced by a guess."""

    code = "official_calendar_stays"
    message = "该年已有正式日历，不能以暂定日历替换"


@dataclass(frozen=True)
class Loaded:
    """What loading did: the version in force (None in a dry run of a new year), and the dates that are other now."""

    version_id: int | None
    is_new: bool
    changed: Sequence[date]


def load_year(
    by: Actor, year: int, days: Sequence[Day], *, status: Status, source_doc: str, paper: files.Paper | None = None,
    dry_run: bool = False, on_loaded: str | None = None,
) -> Loaded:  # fmt: skip
    """Put a year's calendar in force and tell which dates it changes; the former version stays for the audit.

    The same calendar from the same document again changes nothing. `paper` is the notice itself, kept with the
    version. Windows and reservations on the changed dates are for the caller to look at; `on_loaded` names a job that
    is to run when the calendar is another one. Refuses `IncompleteCalendar`,
    `OfficialStays`, `FileRefused`.
    """
    with transaction():
        permit(by, "calendars.load", CITY)
        check_year(year, days)
        _one_at_a_time(year)
        before = version_in_force(year)
        if before and before.status == Status.OFFICIAL and status is Status.PROVISIONAL:
            raise OfficialStays(year=year)
        changed = changed_dates(days_of(before) if before else provisional_year(year), days)
        is_new = not _is_same(before, days, status, source_doc)
        if dry_run or not is_new:
            return Loaded(before.id if before else None, is_new, changed)
        file_id = files.keep(paper, by.account_id).id if paper else None
        version = load(
            year, days, status=status, source_doc=source_doc, loaded_by=by.account_id, file_id=file_id
        )  # fmt: skip
        audit.record("calendars.load", "calendar_version", version.id, by.label, {"year": year, "status": str(status)})
        if on_loaded is not None:
            enqueue(on_loaded)
        return Loaded(version.id, is_new=True, changed=changed)


def load(
    year: int, days: Sequence[Day], *, status: Status, source_doc: str, loaded_by: int | None = None,
    file_id: int | None = None,
) -> CalendarVersion:  # fmt: skip
    """The same for the platform itself; `source_doc` names the document, such as 国办发明电〔2025〕7号.

    Alarms about days that ran out are settled when later ones are told. Refuses `IncompleteCalendar`.
    """
    check_year(year, days)
    with transaction() as session:
        _one_at_a_time(year)
        before = version_in_force(year)
        if before is not None and _is_same(before, days, status, source_doc):
            return before
        ended = _last_version()
        session.execute(update(CalendarVersion).filter_by(year=year, in_force=True).values(in_force=False))
        version = CalendarVersion(
            year=year, status=status, source_doc=source_doc, created_at=clock.now(), in_force=True,
            loaded_by=loaded_by, file_id=file_id,
        )  # fmt: skip
        session.add(version)
        session.flush()
        _write_days(version, days)
        _settle_alarms(ended)
        return version


def alarm_before_days_run_out() -> int:
    """Open a task 60, 30 and 14 days before the last official day, each once; returns how many.

    After a standstill only the latest alarm is raised.
    """
    with transaction():
        today = business_day(clock.now())
        last = last_official_day(today)
        days_before = alarm_due(today, last) if last else None
        if last is None or days_before is None:
            return 0
        told = insert(CalendarAlarm).values(last_day=last, days_before=days_before, raised_at=clock.now())
        raised = told.on_conflict_do_nothing().returning(CalendarAlarm.last_day)
        if current().scalar(raised) is None:
            return 0
        _raise(last, days_before)
        return 1


def _raise(last: date, days_before: int) -> None:
    version = version_in_force(last.year)
    assert version is not None
    ends_at = datetime.combine(last + timedelta(days=1), time(), SHANGHAI)
    detail = {"last_day": str(last), "days_before": days_before}
    open_task(task_kind(days_before), "calendar_version", version.id, detail, due_at=ends_at)


def task_kind(days_before: int) -> str:
    """The kind of the task that one alarm opens."""
    return f"calendar_ends_in_{days_before}_days"


def _one_at_a_time(year: int) -> None:
    """Of two who load a year at once the second sees what the first has loaded."""
    current().execute(text("SELECT pg_advisory_xact_lock(hashtext('calendars'), :year)"), {"year": year})


def _is_same(version: CalendarVersion | None, days: Sequence[Day], status: Status, source_doc: str) -> bool:
    if version is None or (version.status, version.source_doc) != (status, source_doc):
        return False
    told = {day.date: (day.kind, day.holiday, day.is_makeup) for day in days}
    return told == {day.date: (day.kind, day.holiday, day.is_makeup) for day in days_of(version)}


def _last_version() -> CalendarVersion | None:
    last = last_official_day(business_day(clock.now()))
    return version_in_force(last.year) if last else None


def _settle_alarms(ended: CalendarVersion | None) -> None:
    last = last_official_day(business_day(clock.now()))
    if ended is None or last is None or last.year <= ended.year:
        return
    for days_before in ALARM_DAYS:
        settle_tasks(task_kind(days_before), "calendar_version", ended.id, f"已载入至{last.year}年的正式日历")


def _write_days(version: CalendarVersion, days: Sequence[Day]) -> None:
    current().add_all(
        CalendarDay(version_id=version.id, date=day.date, kind=day.kind, holiday=day.holiday, is_makeup=day.is_makeup)
        for day in days
    )
    current().flush()
