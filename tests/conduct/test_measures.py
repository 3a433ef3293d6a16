"""What follows from incidents: by rule, for a finite time, told with its reason, and each incident counted once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from app.domain.conduct.actions import assess, assess_forgotten, set_rule
from app.domain.conduct.rules import ReservationsSuspended, RuleInThePast, RuleOutOfRange, Terms
from app.domain.lots.models import Lot
from app.domain.messages.models import Message
from app.domain.reservations.actions import cancel, join, reserve
from app.kernel.db import LOCK_NOT_AVAILABLE, sqlstate, transaction
from app.kernel.spans import bounds
from app.kernel.terms import ChangeOutOfOrder
from tests.commands import refused, told
from tests.conduct.scene import incidents, kinds, measures, missed_often, noted
from tests.races import at_once
from tests.world import Driver, ask, gate, reservation_ready_to_cancel, staff

At = Callable[[datetime], None]
DAY = timedelta(days=1)


def test_the_first_no_show_is_a_warning_that_stops_nothing(who: Driver, lot: Lot, evening: datetime) -> None:
    warning = missed_often(who, lot, times=1)
    assert (warning.kind, warning.reason) == ("warning", "30天内预约后未到场1次")
    assert bounds(warning.valid)[1] - warning.began_at == 30 * DAY
    reservation_ready_to_cancel(who, lot)


def test_the_third_keeps_from_reserving_and_from_waiting_for_three_days(
    who: Driver, lot: Lot, evening: datetime, at: At
) -> None:
    held = missed_often(who, lot)
    assert kinds(who) == ["warning", "cooling_off"]
    hour = timedelta(hours=1)
    for promise in (reserve, join):
        with pytest.raises(ReservationsSuspended) as refusal:
            promise(who.id, who.vehicle_key, lot.key, evening + hour, evening + 2 * hour)
    assert refusal.value.details["reason"] == "30天内预约后未到场3次"
    assert str(held.key) in refusal.value.details["appeal_at"]
    assert datetime.fromisoformat(refusal.value.details["until"]) - evening < 3 * DAY + hour
    at(evening + 3 * DAY + timedelta(minutes=1))
    reservation_ready_to_cancel(who, lot)


def test_the_gate_lets_in_whom_a_measure_keeps_from_reserving(who: Driver, lot: Lot) -> None:
    missed_often(who, lot)
    assert ask(gate(lot), who.plate).decision == "open"


def test_what_was_reserved_before_a_measure_stays_and_can_be_cancelled(who: Driver, lot: Lot) -> None:
    made = reservation_ready_to_cancel(who, lot)
    missed_often(who, lot)
    assert cancel(who.id, made.key).in_time


def test_the_motorist_is_told_why_until_when_and_how_to_appeal(who: Driver, lot: Lot) -> None:
    missed_often(who, lot)
    with transaction() as session:
        [_, message] = session.scalars(select(Message).filter_by(motorist_id=who.id).order_by(Message.id))
    assert (message.kind, message.title) == ("conduct", "停车信用暂缓预约")
    assert message.body.startswith("30天内预约后未到场3次，现予以暂缓预约，至2026年06月13日20:0")
    assert "可在2026年06月25日20:0" in message.body


def test_an_incident_counts_once_for_a_kind_of_measure(who: Driver, lot: Lot, evening: datetime, at: At) -> None:
    missed_often(who, lot)
    at(evening + 4 * DAY)
    noted(who, lot, 4)
    assess_forgotten()
    assert kinds(who) == ["warning", "cooling_off"]
    noted(who, lot, 5, 6)
    assess_forgotten()
    assert kinds(who) == ["warning", "cooling_off", "cooling_off", "suspension"]


def test_what_is_long_ago_counts_no_more(who: Driver, lot: Lot, evening: datetime, at: At) -> None:
    noted(who, lot, 1, 2)
    assess_forgotten()
    at(evening + 31 * DAY)
    noted(who, lot, 3)
    assess_forgotten()
    assert "cooling_off" not in kinds(who)


def test_kinds_are_counted_apart_and_people_too(who: Driver, lot: Lot) -> None:
    noted(who, lot, 1, 2)
    noted(who, lot, 3, kind="late_cancellation")
    assess_forgotten()
    assert kinds(who) == ["warning"]


def test_an_assessment_is_made_once(who: Driver, lot: Lot) -> None:
    noted(who, lot, 1)
    [incident] = incidents(who)
    assert (assess(incident.id), assess(incident.id)) == (True, False)


def _assess_briefly(incident_id: int) -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL lock_timeout = '50ms'"))
        assess(incident_id)


def test_an_assessor_waits_for_whoever_assesses_the_same_motorist(
    who: Driver, lot: Lot, admin: psycopg.Connection[Any]
) -> None:
    noted(who, lot, 1)
    [incident] = incidents(who)
    with admin.transaction():
        admin.execute("SELECT FROM motorist WHERE id = %s FOR NO KEY UPDATE", [who.id])
        with pytest.raises(OperationalError) as waited:
            _assess_briefly(incident.id)
        assert sqlstate(waited.value) == LOCK_NOT_AVAILABLE
    assert assess(incident.id)


def test_assessors_at_once_impose_one_measure(app: Flask, who: Driver, lot: Lot) -> None:
    noted(who, lot, 1, 2, 3)
    each = [lambda row=row: assess(row.id) for row in incidents(who)]
    assert at_once(app, *each, *each) == ["done"] * 6
    assert sorted(kinds(who)) == ["cooling_off", "warning"]


def test_a_rule_of_the_city_takes_the_place_of_the_default(app: Flask, who: Driver, lot: Lot) -> None:
    by = staff("regulator")
    words = ("--count", 2, "--within-days", 10, "--days", 5)
    told(app, by, "conduct", "set-rule", "no_show", "suspension", *words)
    held = missed_often(who, lot, times=2)
    assert (held.kind, held.reason, held.rule_id is not None) == ("suspension", "10天内预约后未到场2次", True)
    [row] = [
        each
        for each in told(app, by, "conduct", "rules")
        if (each["kind"], each["measure"]) == ("no_show", "suspension")
    ]
    assert (row["count"], row["begins_at"] is not None, row["ends_at"]) == (2, True, None)


def test_what_happened_before_a_rule_is_judged_by_the_one_that_held(
    who: Driver, lot: Lot, evening: datetime, at: At
) -> None:
    noted(who, lot, 1)
    at(evening + DAY)
    set_rule(staff("regulator"), "no_show", "suspension", Terms(1, 30, 30))
    assess_forgotten()
    assert kinds(who) == ["warning"]
    noted(who, lot, 2)
    assess_forgotten()
    assert kinds(who) == ["warning", "suspension"]


@pytest.mark.parametrize("terms", [Terms(0, 30, 3), Terms(101, 30, 3), Terms(1, 0, 3), Terms(1, 30, 366)])
def test_a_rule_out_of_range_is_refused(evening: datetime, terms: Terms) -> None:
    with pytest.raises(RuleOutOfRange):
        set_rule(staff("regulator"), "no_show", "warning", terms)


def test_the_past_is_not_changed_and_rules_are_laid_down_in_order(evening: datetime) -> None:
    by, terms = staff("regulator"), Terms(1, 30, 3)
    with pytest.raises(RuleInThePast):
        set_rule(by, "no_show", "warning", terms, evening - DAY)
    set_rule(by, "no_show", "warning", terms, evening + DAY)
    with pytest.raises(ChangeOutOfOrder):
        set_rule(by, "no_show", "warning", terms)


def test_only_a_regulator_of_the_city_sets_rules(app: Flask, evening: datetime) -> None:
    words = ("conduct", "set-rule", "no_show", "warning", "--count", 1, "--within-days", 30, "--days", 3)
    assert refused(app, staff("administrator"), *words) == "not_permitted"
    assert refused(app, staff("regulator", district_code="330106"), *words) == "not_found"


def test_a_measure_ends_by_itself(app: Flask, who: Driver, lot: Lot, evening: datetime, at: At) -> None:
    missed_often(who, lot)
    by = staff("complaint_handler")
    assert {row["kind"] for row in told(app, by, "conduct", "measures", "--running")} == {"warning", "cooling_off"}
    at(evening + 31 * DAY)
    assert told(app, by, "conduct", "measures", "--running") == []
    assert len(measures(who)) == 2
