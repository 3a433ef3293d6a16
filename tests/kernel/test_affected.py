"""How many rows a statement touched, inserts that found their row there already included."""

from datetime import date

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.domain.calendars.models import CalendarAlarm
from app.domain.tasks.actions import open_task
from app.domain.tasks.models import Task
from app.kernel import clock
from app.kernel.db import affected, transaction
from tests.ground import Addresses


def test_an_insert_that_does_nothing_touches_no_row(database: Addresses) -> None:
    with transaction():
        alarm = insert(CalendarAlarm).values(last_day=date(2026, 12, 31), days_before=60, raised_at=clock.now())
        assert [affected(alarm.on_conflict_do_nothing()) for _ in range(2)] == [1, 0]


def test_an_update_touches_what_it_finds(database: Addresses) -> None:
    open_task("a", "lot", 1)
    with transaction():
        told = update(Task).values(due_at=clock.now())
        assert [affected(told.where(Task.subject_id == each)) for each in (1, 2)] == [1, 0]
