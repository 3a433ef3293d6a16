"""A year's official calendar: windows follow it, and whoever loses a reservation is told and listed."""

from datetime import date, datetime, timedelta

import pytest

from app.domain.adjustments import actions
from app.domain.adjustments.queries import adjustments, affected
from app.domain.adjustments.rules import SpanOver
from app.domain.calendars.rules import Day, DayKind
from app.domain.calendars.seeds import official_year
from app.domain.lots.queries import windows
from app.domain.staff.rules import NotPermitted
from app.kernel.spans import span
from tests.adjustments.scene import booked, state, told
from tests.world import open_lot, shanghai, staff

SATURDAY = date(2026, 6, 13)


def worked(day: date) -> list[Day]:
    """The year 2026 with one more day that is worked."""
    return [Day(each.date, DayKind.WORKDAY) if each.date == day else each for each in official_year(2026)]


def test_a_day_that_is_worked_after_all_displaces_what_was_reserved_in_office_hours(evening: datetime) -> None:
    lot, by = open_lot(), staff("regulator")
    noon = (shanghai("2026-06-13 12:00") - evening) / timedelta(hours=1)
    lost, kept = booked(lot, evening, noon, noon + 1), booked(lot, evening, noon + 8, noon + 9)
    adjustment = actions.apply_calendar(by, 2026, worked(SATURDAY), source_doc="示例通知")
    assert actions.apply_forgotten() == 1
    assert [state(lost), state(kept)] == ["displaced", "confirmed"]
    assert told(lost.motorist_id) == ["reservation_displaced"]
    assert [each.reservation_key for each in affected(by, adjustment.key)] == [lost.key]
    midnight = shanghai("2026-06-13 00:00")
    assert windows([lot.id], span(midnight, midnight + timedelta(days=1)))[lot.id] == [
        (shanghai("2026-06-12 18:30"), shanghai("2026-06-13 08:00")),
        (shanghai("2026-06-13 18:30"), shanghai("2026-06-15 08:00")),
    ]


def test_a_calendar_without_lots_is_loaded_all_the_same(evening: datetime) -> None:
    actions.apply_calendar(staff("administrator"), 2026, worked(SATURDAY), source_doc="示例通知")
    assert actions.apply_forgotten() == 0


def test_the_same_calendar_again_is_refused_and_adjusts_nothing(evening: datetime) -> None:
    by = staff("regulator")
    open_lot()
    actions.apply_calendar(by, 2026, worked(SATURDAY), source_doc="示例通知")
    with pytest.raises(actions.CalendarInForce):
        actions.apply_calendar(by, 2026, worked(SATURDAY), source_doc="示例通知")
    assert len(adjustments(by)) == 1


def test_a_year_that_is_over_is_not_applied_and_not_by_everybody(evening: datetime) -> None:
    with pytest.raises(SpanOver):
        actions.apply_calendar(staff("regulator"), 2025, official_year(2025), source_doc="示例通知")
    with pytest.raises(NotPermitted):
        actions.apply_calendar(staff("finance_maker"), 2026, worked(SATURDAY), source_doc="示例通知")
