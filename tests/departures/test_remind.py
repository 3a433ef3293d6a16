"""Whoever is parked is reminded before, when and after the lot closes: each time once, and only while the car is in."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.domain.departures.actions import remind
from app.domain.lots.models import Lot, OpenWindow
from app.domain.messages.models import Message
from app.domain.policies.actions import lay_down
from app.domain.stays.models import Stay
from app.jobs.sweepers import deliver_messages
from app.kernel.db import transaction
from tests.messages.stand import listener, templates
from tests.races import at_once
from tests.wechat.stand import Stand
from tests.world import ACTOR, Driver, drive, driver, gate, open_lot, parked_stay, shanghai

At = Callable[[datetime], None]


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


@pytest.fixture
def who(lot: Lot) -> Driver:
    return driver()


@pytest.fixture
def stay(who: Driver, lot: Lot) -> Stay:
    return parked_stay(who, gate(lot))


def reminded(who: Driver) -> list[str]:
    with transaction() as session:
        told = select(Message.kind).filter_by(motorist_id=who.id).order_by(Message.id)
        return [kind.removeprefix("leaving_") for kind in session.scalars(told)]


def morning(clock: str) -> datetime:
    return shanghai(f"2026-06-11 {clock}")


def test_a_parked_motorist_is_reminded_four_times_at_the_right_moments(who: Driver, stay: Stay, at: At) -> None:
    for clock, kinds in [
        ("06:59", []), ("07:00", ["first"]), ("07:44", ["first"]), ("07:45", ["first", "second"]),
        ("08:00", ["first", "second", "closing"]), ("08:15", ["first", "second", "closing", "after"]),
        ("09:30", ["first", "second", "closing", "after"]),
    ]:  # fmt: skip
        at(morning(clock))
        remind()
        assert reminded(who) == kinds, clock


def test_the_message_names_lot_and_hour(who: Driver, stay: Stay, lot: Lot, at: At) -> None:
    at(morning("07:00"))
    remind()
    with transaction() as session:
        message = session.scalars(select(Message)).one()
    assert message.body == f"{lot.name}本次开放至06月11日08:00。共享时段即将结束，请按时驶离。"


def test_a_late_sweeper_sends_only_the_newest(who: Driver, stay: Stay, at: At) -> None:
    at(morning("08:20"))
    assert (remind(), remind(), reminded(who)) == (1, 0, ["after"])


def test_a_car_that_left_is_not_reminded(who: Driver, stay: Stay, lot: Lot, at: At) -> None:
    at(morning("06:50"))
    drive(gate(lot, "out"), who.plate)
    at(morning("07:30"))
    assert (remind(), reminded(who)) == (0, [])


def test_a_car_that_came_after_a_moment_is_not_told_of_it(who: Driver, lot: Lot, at: At) -> None:
    at(morning("07:10"))
    parked_stay(who, gate(lot))
    assert remind() == 0
    at(morning("07:45"))
    assert (remind(), reminded(who)) == (1, ["second"])


def test_the_lots_own_numbers_hold_for_it_alone(who: Driver, stay: Stay, lot: Lot, at: At, evening: datetime) -> None:
    lay_down("remind_first_minutes", 120, evening, ACTOR, scope="lot", scope_id=lot.id)
    other = driver()
    parked_stay(other, gate(open_lot()))
    at(morning("06:00"))
    assert (remind(), reminded(who), reminded(other)) == (1, ["first"], [])


def test_when_the_window_moves_the_moments_move_with_it(who: Driver, stay: Stay, lot: Lot, at: At) -> None:
    with transaction() as session:
        its_window = (OpenWindow.lot_id == lot.id, OpenWindow.during.contains(stay.entered_at))
        earlier = func.tstzrange(func.lower(OpenWindow.during), morning("06:00"))
        session.execute(update(OpenWindow).where(*its_window).values(during=earlier))
    at(morning("05:00"))
    assert (remind(), reminded(who)) == (1, ["first"])
    at(morning("06:00"))
    assert (remind(), reminded(who)) == (1, ["first", "closing"])


def test_sweepers_at_once_remind_once(app: Flask, who: Driver, stay: Stay, at: At) -> None:
    at(morning("07:00"))
    assert at_once(app, *[remind] * 4) == ["done"] * 4
    assert reminded(who) == ["first"]


def test_a_car_that_nobody_owns_is_passed_over_and_a_forgotten_one_too(
    who: Driver, stay: Stay, lot: Lot, at: At
) -> None:
    drive(gate(lot), driver().plate)
    at(morning("08:01") + timedelta(days=1))
    assert remind() == 0


def test_wechat_shows_the_reminder(wechat_stand_in: Stand, evening: datetime, at: At, app: Flask) -> None:
    templates(wechat_stand_in)
    of = listener(wechat_stand_in).accepts(2)
    parked_stay(of.who, gate(open_lot()))
    at(morning("07:00"))
    remind()
    deliver_messages()
    [shown] = of.shown()
    assert (shown["time2"], shown["thing3"]) == ("2026年06月11日 08:00", "共享时段即将结束，请按时驶离")
