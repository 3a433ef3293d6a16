"""Loading calendars into the tables, and what is then told."""

import threading
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import create_engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from app.domain.calendars import queries
from app.domain.calendars.actions import load
from app.domain.calendars.models import CalendarDay, CalendarVersion
from app.domain.calendars.rules import DayKind, IncompleteCalendar, Status, provisional_year
from app.domain.calendars.seeds import official_year, seed
from app.kernel.db import OnHeldConnection, savepoint, transaction, use_sessions, violated


@pytest.fixture
def session(database_urls: tuple[str, str]) -> Iterator[Session]:
    """The program's own role in a transaction that leaves nothing behind."""
    engine = create_engine(database_urls[1])
    sessions = sessionmaker(engine, class_=OnHeldConnection, expire_on_commit=False)
    use_sessions(scoped_session(sessions, scopefunc=threading.get_ident), lambda: engine)
    with transaction() as session:
        session.execute(text("UPDATE calendar_version SET in_force = false"))
        yield session
        session.rollback()
    engine.dispose()


@pytest.mark.usefixtures("session")
def test_seeded_years_are_official_and_the_next_is_provisional() -> None:
    seed(2025, 2026)
    assert queries.last_official_day(date(2026, 11, 1)) == date(2026, 12, 31)
    assert queries.day_kind(date(2026, 2, 14)) is DayKind.WORKDAY
    assert queries.day_kind(date(2026, 2, 16)) is DayKind.DAYOFF
    assert queries.tariff_calendar(date(2026, 2, 18)) >= {"off", "holiday", "golden_week"}
    assert queries.day_kind(date(2027, 1, 2)) is DayKind.WORKDAY
    assert queries.day_book(date(2026, 12, 1), date(2027, 1, 31)).day(date(2027, 1, 2)).status is Status.PROVISIONAL


def test_a_newer_calendar_replaces_the_older_which_stays_for_the_audit(session: Session) -> None:
    before = load(2026, provisional_year(2026), status=Status.PROVISIONAL, source_doc="暂定")
    assert queries.day_kind(date(2026, 2, 16)) is DayKind.WORKDAY
    after = load(2026, official_year(2026), status=Status.OFFICIAL, source_doc="国办发明电〔2025〕7号")
    assert queries.day_kind(date(2026, 2, 16)) is DayKind.DAYOFF
    in_force = queries.version_in_force(2026)
    assert in_force is not None
    assert in_force.id == after.id
    kept = select(func.count()).select_from(CalendarDay).where(CalendarDay.version_id.in_([before.id, after.id]))
    assert session.scalar(kept) == 2 * 365


def test_a_year_that_is_not_whole_is_refused_and_leaves_nothing_behind(session: Session) -> None:
    with pytest.raises(IncompleteCalendar):
        load(2026, official_year(2026)[:-1], status=Status.OFFICIAL, source_doc="国办发明电〔2025〕7号")
    assert queries.version_in_force(2026) is None
    assert queries.last_official_day(date(2026, 11, 1)) is None
    assert session.scalar(select(CalendarVersion.id).where(CalendarVersion.in_force)) is None


def test_the_database_keeps_one_calendar_in_force_per_year(session: Session) -> None:
    load(2026, official_year(2026), status=Status.OFFICIAL, source_doc="国办发明电〔2025〕7号")
    second = text(
        "INSERT INTO calendar_version (year, status, source_doc, created_at, in_force)"
        " VALUES (2026, 'official', '另一份', now(), true)"
    )
    with pytest.raises(IntegrityError) as refused, savepoint():
        session.execute(second)
    assert violated(refused.value) == "one_calendar_is_in_force_per_year"


def test_the_database_refuses_a_makeup_day_that_is_off(session: Session) -> None:
    version = load(2026, official_year(2026), status=Status.OFFICIAL, source_doc="国办发明电〔2025〕7号")
    wrong = insert(CalendarDay).values(
        version_id=version.id, date=date(2026, 1, 1), kind="dayoff", holiday="元旦", is_makeup=True
    )
    with pytest.raises(IntegrityError) as refused, savepoint():
        session.execute(wrong)
    assert violated(refused.value) == "a_makeup_day_is_a_workday"
