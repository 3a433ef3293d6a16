"""Windows as they are written down: what follows from hours, plans, calendars and closures, and nothing else."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from app.domain.adjustments.models import Adjustment
from app.domain.calendars.queries import day_book, version_in_force
from app.domain.lots import actions as lots
from app.domain.lots.models import Lot, LotClosure, OpenWindow
from app.domain.lots.queries import HORIZON
from app.domain.lots.rules import Hours, OfficeHours, Span, open_windows
from app.domain.policies.actions import set_number
from app.domain.reservations.actions import reserve
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.db import transaction
from app.kernel.ids import new_key
from app.kernel.spans import span
from tests.world import OwnLot, driver, lots_regulator, open_own_lot, shanghai, staff

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
pytestmark = pytest.mark.usefixtures("evening")


def written(own: OwnLot) -> list[Span]:
    with transaction() as session:
        rows = session.execute(
            select(func.lower(OpenWindow.during), func.upper(OpenWindow.during))
            .where(OpenWindow.lot_id == own.lot.id)
            .order_by(OpenWindow.during)
        )
        return [Span(begins_at, ends_at) for begins_at, ends_at in rows]


def by_rule(begin: datetime, office: OfficeHours) -> list[Span]:
    end = midnight(clock.now() + HORIZON)
    book = day_book(business_day(begin) - 7 * DAY, business_day(end) + 7 * DAY)
    return open_windows(office, book.kind, begin, end)


def midnight(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


OFFICE = OfficeHours(Hours(time(9), time(17, 30)))


def unit_of(own: OwnLot) -> Unit:
    with transaction() as session:
        return session.get_one(Unit, own.lot.unit_id)


def close(own: OwnLot, begins_at: datetime, ends_at: datetime | None) -> None:
    """An adjustment's closure as the table holds it; what becomes of promises is the adjustments' own story."""
    with transaction() as session:
        why = Adjustment(
            kind="close", scope="lots", reason_class="emergency", reason="示例", announcement="示例公告",
            during=span(begins_at, ends_at), review_at=begins_at + HOUR, by_account=own.by.account_id,
            made_at=clock.now(), request_key=new_key(),
        )  # fmt: skip
        session.add(why)
        session.flush()
        session.add(LotClosure(lot_id=own.lot.id, during=why.during, adjustment_id=why.id))
        session.flush()
        lots.write_windows(own.lot.id)


def test_a_published_lot_has_the_windows_of_the_rule_to_the_horizon(evening: datetime) -> None:
    own = open_own_lot()
    assert written(own) == by_rule(midnight(evening), OFFICE)
    assert lots.rewrite_windows([own.lot.id]) == 0


def test_a_window_remembers_the_plan_and_the_calendars_that_it_comes_from() -> None:
    own = open_own_lot()
    version = version_in_force(2026)
    with transaction() as session:
        rows = session.scalars(select(OpenWindow).filter_by(lot_id=own.lot.id)).all()
    assert version is not None
    assert {tuple(row.calendar_ids) for row in rows} == {(version.id,)}
    assert {row.plan_id for row in rows} == {rows[0].plan_id}
    assert rows[0].plan_id is not None


def test_as_days_go_by_windows_are_added_and_what_was_open_stays_readable(
    at: Callable[[datetime], None], evening: datetime
) -> None:
    own = open_own_lot()
    before = written(own)
    at(evening + 9 * DAY)
    assert lots.extend_windows() == 1
    assert lots.extend_windows() == 0
    assert written(own)[: len(before) - 1] == before[:-1]
    assert written(own) == by_rule(midnight(evening), OFFICE)


def test_other_office_hours_change_what_comes_and_not_what_was(evening: datetime) -> None:
    own = open_own_lot()
    lots.change_office_hours(lots_regulator(), unit_of(own).key, time(8), time(18), "示例")
    assert written(own)[0] == Span(midnight(evening), shanghai("2026-06-10 08:00"))
    assert written(own)[1] == Span(shanghai("2026-06-10 18:30"), shanghai("2026-06-11 07:00"))
    later = OfficeHours(Hours(time(8), time(18)))
    assert written(own)[2:] == [each for each in by_rule(evening, later) if each.begins_at > evening]


def test_office_hours_that_break_a_promise_are_refused_and_leave_nothing_behind(evening: datetime) -> None:
    own, who = open_own_lot(), driver()
    reserve(who.id, who.vehicle_key, own.key, evening + 10 * HOUR, evening + 12 * HOUR)
    before = written(own)
    with pytest.raises(lots.PromisesStand):
        lots.change_office_hours(lots_regulator(), unit_of(own).key, time(8), time(17, 30), "示例")
    assert written(own) == before
    assert unit_of(own).office_begins == time(9)


def test_a_closure_is_taken_out_and_comes_back_when_it_ends(evening: datetime) -> None:
    own = open_own_lot()
    before = written(own)
    close(own, shanghai("2026-06-13 08:00"), shanghai("2026-06-13 20:00"))
    assert not any(each.holds(shanghai("2026-06-13 12:00")) for each in written(own))
    assert any(each.ends_at == shanghai("2026-06-13 08:00") for each in written(own))
    with transaction() as session:
        session.scalars(select(LotClosure)).one().during = span(shanghai("2026-06-13 08:00"), evening + 65 * HOUR)
        session.flush()
        lots.write_windows(own.lot.id)
    assert Span(shanghai("2026-06-13 13:00"), shanghai("2026-06-15 08:00")) in written(own)
    assert len(written(own)) == len(before) + 1


def test_a_lot_closed_at_once_and_without_end_is_open_no_longer(evening: datetime) -> None:
    own = open_own_lot()
    close(own, evening, None)
    assert written(own)[-1].ends_at - evening < timedelta(minutes=1)
    assert lots.extend_windows() == 0


def test_the_city_reads_the_notice_as_its_numbers_say(evening: datetime) -> None:
    own = open_own_lot()
    set_number(staff("regulator"), "evening_before_a_day_off_is_open", 0, None)
    lots.write_windows(own.lot.id)
    assert not any(each.holds(shanghai("2026-06-12 20:00")) for each in written(own))
    assert any(each.holds(shanghai("2026-06-13 01:00")) for each in written(own))


def test_a_withdrawn_lot_has_no_window_left_and_one_with_reservations_is_not_withdrawn(evening: datetime) -> None:
    own, who = open_own_lot(), driver()
    reserve(who.id, who.vehicle_key, own.key, evening + HOUR, evening + 2 * HOUR)
    with pytest.raises(lots.PromisesStand):
        lots.withdraw(own.by, own.key, "拆除")
    empty = open_own_lot()
    lots.withdraw(empty.by, empty.key, "拆除")
    with transaction() as session:
        assert session.get_one(Lot, own.lot.id).state == "open"
    assert all(each.ends_at <= clock.now() for each in written(empty))


def test_many_lots_are_written_as_one_is(evening: datetime) -> None:
    several = [open_own_lot() for _ in range(3)]
    close(several[1], shanghai("2026-06-13 08:00"), shanghai("2026-06-14 08:00"))
    with transaction() as session:
        for own in several:
            session.get_one(Unit, own.lot.unit_id).office_ends = time(16)
        session.flush()
        assert lots.rewrite_windows([own.lot.id for own in several]) > 60
    alike = [[each for each in written(own) if each.begins_at > evening] for own in several]
    assert alike[0] == alike[2] != alike[1]
    assert alike[0] == [
        each for each in by_rule(evening, OfficeHours(Hours(time(9), time(16)))) if each.begins_at > evening
    ]
