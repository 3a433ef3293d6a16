"""Loading a year by hand: who, twice, at once, in a trial; and the alarms before days run out."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from psycopg.errors import IntegrityConstraintViolation
from sqlalchemy import func, select

from app.domain.calendars import queries
from app.domain.calendars.actions import OfficialStays, alarm_before_days_run_out, load, load_year
from app.domain.calendars.models import CalendarVersion
from app.domain.calendars.rules import FIXED_HOLIDAYS, Day, DayKind, Status, provisional_year
from app.domain.calendars.seeds import official_year
from app.domain.staff.rules import Actor, NotPermitted
from app.domain.tasks.queries import tasks
from app.kernel.db import transaction
from app.kernel.files import FileRefused, Paper
from app.kernel.refusals import NotFound
from tests.calendars.test_sheets import HEADINGS, exceptions
from tests.commands import refused, run, told
from tests.ground import Addresses
from tests.races import at_once
from tests.world import shanghai, staff

DOC = "国办发明电〔2025〕7号"


@pytest.fixture
def by(evening: datetime) -> Actor:
    return staff("regulator")


def official(by: Actor, year: int = 2026, **more: object) -> object:
    days = official_year(2026) if year == 2026 else official_days(year)
    return load_year(by, year, days, status=Status.OFFICIAL, source_doc=DOC, **more)  # type: ignore[arg-type]


def official_days(year: int) -> list[Day]:
    """Not any State Council's: a year with its week and fixed days, taken for official in these tests."""
    return [Day(day.date, day.kind, day.holiday) for day in provisional_year(year)]


def versions() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(CalendarVersion)) or 0


def test_loading_tells_which_dates_are_other_now_and_who_did_it(by: Actor) -> None:
    done = load_year(by, 2026, official_year(2026), status=Status.OFFICIAL, source_doc=DOC)
    assert done.is_new
    assert date(2026, 2, 16) in done.changed
    assert date(2026, 10, 1) not in done.changed
    (year,) = [each for each in queries.years(by) if each.year == 2026]
    assert (year.status, year.source_doc, year.loaded_by) == ("official", DOC, by.account_id)
    assert (year.days_off, year.makeup_days) == (117, 6)


def test_loading_the_same_twice_changes_nothing(by: Actor) -> None:
    first = load_year(by, 2026, official_year(2026), status=Status.OFFICIAL, source_doc=DOC)
    again = load_year(by, 2026, official_year(2026), status=Status.OFFICIAL, source_doc=DOC)
    assert (again.version_id, again.is_new, again.changed) == (first.version_id, False, [])
    assert versions() == 1


def test_a_trial_tells_what_would_change_and_changes_nothing(by: Actor) -> None:
    tried = load_year(by, 2026, official_year(2026), status=Status.OFFICIAL, source_doc=DOC, dry_run=True)
    assert tried.is_new
    assert tried.version_id is None
    assert tried.changed
    assert versions() == 0


def test_of_two_who_load_a_year_at_once_one_version_is_in_force(app: Flask, by: Actor) -> None:
    other = [*official_year(2026)[:-1], Day(date(2026, 12, 31), DayKind.DAYOFF, "元旦")]
    deeds = [partial(load_year, by, 2026, days, status=Status.OFFICIAL, source_doc=DOC)
             for days in (official_year(2026), other)]  # fmt: skip
    assert at_once(app, *deeds) == ["done", "done"]
    with transaction() as session:
        assert len(session.scalars(select(CalendarVersion).filter_by(in_force=True)).all()) == 1
    assert versions() == 2


def test_of_two_who_load_the_same_at_once_one_has_done_it(app: Flask, by: Actor) -> None:
    deed = partial(load_year, by, 2026, official_year(2026), status=Status.OFFICIAL, source_doc=DOC)
    assert at_once(app, deed, deed) == ["done", "done"]
    assert versions() == 1


def test_a_guess_does_not_replace_what_is_official(by: Actor) -> None:
    official(by)
    with pytest.raises(OfficialStays):
        load_year(by, 2026, provisional_year(2026), status=Status.PROVISIONAL, source_doc="推算")


def test_only_the_citys_people_load_calendars(by: Actor) -> None:
    with pytest.raises(NotPermitted):
        official(staff("finance_maker"))
    with pytest.raises(NotFound):
        official(staff("regulator", district_code="330106"))
    assert versions() == 0


def test_the_notice_itself_is_kept_with_the_version(by: Actor) -> None:
    official(by, paper=Paper(b"%PDF-1.7 notice", "2026.pdf"))
    version = queries.version_in_force(2026)
    assert version is not None
    assert version.file_id is not None
    with pytest.raises(FileRefused):
        official(by, 2027, paper=Paper(b"a letter", "2027.doc"))
    assert queries.version_in_force(2027) is None


def test_years_are_official_provisional_or_missing(by: Actor) -> None:
    official(by)
    assert [(year.year, year.status) for year in queries.years(by)] == [(2026, "official"), (2027, "missing")]
    load(2027, provisional_year(2027), status=Status.PROVISIONAL, source_doc="推算")
    assert [(year.year, year.status) for year in queries.years(by)] == [(2026, "official"), (2027, "provisional")]


A_STRANGER = "INSERT INTO calendar_day SELECT id, '2027-01-01', 'dayoff', NULL, false FROM calendar_version"
A_FRAGMENT = (
    "INSERT INTO calendar_version (year, status, source_doc, created_at, in_force) "
    "VALUES (2028, 'official', 'x', now(), true)"
)


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        ("UPDATE calendar_day SET kind = 'workday'", "calendar_day_is_append_only"),
        ("DELETE FROM calendar_day", "calendar_day_is_append_only"),
        (A_STRANGER, "a_day_lies_in_its_calendars_year"),
        (A_FRAGMENT, "a_calendar_tells_its_whole_year"),
        ("UPDATE calendar_version SET in_force = true WHERE NOT in_force", "a_replaced_calendar_stays_replaced"),
    ],
)
def test_what_a_version_told_never_changes(
    by: Actor, admin: psycopg.Connection[tuple[object, ...]], change: str, refused_by: str
) -> None:
    load(2026, provisional_year(2026), status=Status.PROVISIONAL, source_doc="推算")
    official(by)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute(change.encode())
    assert refusal.value.diag.constraint_name == refused_by


def test_people_are_warned_60_30_and_14_days_before_days_run_out_each_once(
    by: Actor, at: Callable[[datetime], None]
) -> None:
    official(by)
    raised = []
    for day in ("2026-10-31", "2026-11-01", "2026-11-20", "2026-12-01", "2026-12-17", "2026-12-18", "2027-01-05"):
        at(shanghai(f"{day} 12:00"))
        raised += [day] * alarm_before_days_run_out() + [""] * alarm_before_days_run_out()
    assert raised == ["2026-11-01", "2026-12-01", "2026-12-17"]
    assert [task.kind for task in tasks(by)] == [f"calendar_ends_in_{days}_days" for days in (60, 30, 14)]
    assert {task.due_at for task in tasks(by)} == {shanghai("2027-01-01 00:00")}


def test_after_a_standstill_only_the_latest_alarm_is_raised(by: Actor, at: Callable[[datetime], None]) -> None:
    official(by)
    at(shanghai("2026-12-20 12:00"))
    assert (alarm_before_days_run_out(), alarm_before_days_run_out()) == (1, 0)
    assert [task.kind for task in tasks(by)] == ["calendar_ends_in_14_days"]


def test_loading_the_next_year_settles_the_alarms(by: Actor, at: Callable[[datetime], None]) -> None:
    official(by)
    at(shanghai("2026-12-20 12:00"))
    alarm_before_days_run_out()
    official(by, 2027)
    assert tasks(by) == []
    assert queries.last_official_day(date(2026, 12, 20)) == date(2027, 12, 31)


def test_a_year_after_a_gap_does_not_count(database: Addresses) -> None:
    for year in (2026, 2028):
        load(year, official_days(year), status=Status.OFFICIAL, source_doc=DOC)
    assert queries.last_official_day(date(2026, 6, 1)) == date(2026, 12, 31)
    assert queries.last_official_day(date(2025, 6, 1)) is None
    assert queries.last_official_day(date(2027, 6, 1)) == date(2026, 12, 31)


def test_commands_load_list_and_show(app: Flask, by: Actor, tmp_path: Path) -> None:
    file = tmp_path / "2026.csv"
    file.write_text("\n".join(",".join(each) for each in [HEADINGS, *exceptions(2026)]))
    words = ("calendars", "load", 2026, file, "--source", DOC)
    assert "2026-02-16" in told(app, by, *words, "--dry-run")["changed"]
    assert versions() == 0
    assert told(app, by, *words)["message"] == "日历已载入，开放时段已更新"
    assert told(app, by, *words)["message"] == "日历与现行版本相同，未作任何更改"
    listed = [(row["year"], row["status"]) for row in told(app, by, "calendars", "list")]
    assert listed == [(2026, "official"), (2027, "missing")]
    assert "正式" in run(app, by, "calendars", "list").stdout
    assert len(told(app, by, "calendars", "show", 2026)) == len(exceptions(2026))
    assert len(told(app, by, "calendars", "show", 2026, "--all")) == 365


def test_a_year_that_is_over_or_not_yet_told_is_loaded_by_command_without_an_adjustment(
    app: Flask, by: Actor, tmp_path: Path
) -> None:
    file = tmp_path / "year.csv"
    file.write_text("\n".join(",".join(each) for each in [HEADINGS, *exceptions(2025)]))
    assert told(app, by, "calendars", "load", 2025, file, "--source", DOC)["message"] == "日历已载入"
    fixed = [f"2027-{month:02}-{day:02},休息日,{name}" for (month, day), name in FIXED_HOLIDAYS.items()]
    file.write_text("\n".join(["日期,类型,节日", *fixed]))
    guessed = told(app, by, "calendars", "load", 2027, file, "--source", "推算", "--provisional")
    assert guessed == {"message": "日历已载入", "year": 2027, "changed": []}


def test_a_command_tells_the_faults_of_a_file(app: Flask, by: Actor, tmp_path: Path) -> None:
    file = tmp_path / "2026.csv"
    file.write_text("日期,类型\n2026-06-31,工作日\n")
    assert refused(app, by, "calendars", "load", 2026, file, "--source", DOC) == "calendar_file_refused"
    assert "应为日期" in run(app, by, "calendars", "load", 2026, file, "--source", DOC).stderr
    assert versions() == 0
