"""A motorist appeals once within 15 days; a person who wrote none of it decides once; what is lifted ends at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.conduct.actions import appeal, assess_forgotten, decide
from app.domain.conduct.models import Measure
from app.domain.conduct.queries.own import own_measures
from app.domain.conduct.rules import (
    AlreadyAppealed,
    AppealDecided,
    AppealTooLate,
    MeasureNotFound,
    OwnIncident,
    WordsMissing,
)
from app.domain.lots.models import Lot
from app.domain.messages.models import Message
from app.domain.stays.actions import record_dispute
from app.domain.tasks.queries import tasks
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from app.kernel.spans import bounds
from tests.commands import refused, told
from tests.conduct.scene import kinds, measures, missed_often, noted
from tests.races import at_once
from tests.world import Driver, driver, gate, paper, parked_stay, reservation_ready_to_cancel, staff

At = Callable[[datetime], None]
WORDS = "当晚道闸离线，我在门口等了半小时"


@pytest.fixture
def held(who: Driver, lot: Lot) -> Measure:
    """A measure that keeps from reserving."""
    return missed_often(who, lot)


def test_a_measure_that_is_lifted_ends_at_once(app: Flask, who: Driver, lot: Lot, held: Measure) -> None:
    made, by = appeal(who.id, held.key, WORDS), staff("complaint_handler")
    [seen] = told(app, by, "conduct", "appeals")
    assert (seen["key"], seen["words"], len(seen["incidents"])) == (str(made.key), WORDS, 3)
    told(app, by, "conduct", "decide", made.key, "--lifted", "--reason", "道闸记录显示离线")
    reservation_ready_to_cancel(who, lot)
    with transaction() as session:
        message = session.scalars(select(Message).filter_by(motorist_id=who.id, kind="appeal_decided")).one()
    assert message.body == "您对停车信用暂缓预约的申诉已有决定：撤销。道闸记录显示离线"
    assert told(app, by, "conduct", "appeals") == []
    assert told(app, by, "conduct", "appeals", "--decided")[0]["outcome"] == "lifted"


def test_a_measure_that_is_upheld_goes_on(who: Driver, held: Measure) -> None:
    made = appeal(who.id, held.key, WORDS)
    decide(staff("regulator"), made.key, "upheld", "记录属实")
    assert measures(who)[-1].valid == held.valid


def test_the_incidents_of_a_lifted_measure_count_no_more(who: Driver, lot: Lot, held: Measure) -> None:
    decide(staff("regulator"), appeal(who.id, held.key, WORDS).key, "lifted", "道闸离线")
    noted(who, lot, 4, 5)
    assess_forgotten()
    assert "suspension" not in kinds(who)


def test_a_task_asks_for_a_decision_and_is_settled_by_it(who: Driver, held: Measure) -> None:
    made, by = appeal(who.id, held.key, WORDS), staff("regulator")
    assert [(each.kind, each.subject_id) for each in tasks(by)] == [("appeal_to_decide", made.id)]
    decide(by, made.key, "upheld", "记录属实")
    assert tasks(by) == []


def test_an_appeal_is_made_once(app: Flask, who: Driver, held: Measure) -> None:
    twice = at_once(app, *[lambda: appeal(who.id, held.key, WORDS)] * 3)
    assert twice == ["AlreadyAppealed", "AlreadyAppealed", "done"]


def test_an_appeal_is_made_within_15_days_also_when_the_measure_is_over(
    who: Driver, held: Measure, evening: datetime, at: At
) -> None:
    at(held.began_at + timedelta(days=15, minutes=1))
    with pytest.raises(AppealTooLate):
        appeal(who.id, held.key, WORDS)
    at(held.began_at + timedelta(days=14, hours=23))
    made = appeal(who.id, held.key, WORDS)
    decide(staff("regulator"), made.key, "lifted", "记录有误")
    assert bounds(measures(who)[-1].valid) == bounds(held.valid)


def test_who_reads_an_appeals_words_is_written_down(app: Flask, who: Driver, held: Measure) -> None:
    made, by = appeal(who.id, held.key, WORDS), staff("complaint_handler")
    told(app, by, "conduct", "appeals")
    assert told(app, by, "conduct", "appeals", "--decided") == []
    with transaction() as session:
        [entry] = session.scalars(select(AuditEntry).filter_by(action="conduct.hear"))
    assert (entry.subject, entry.subject_id, entry.actor) == ("appeal", made.id, by.label)


def test_nobody_appeals_for_somebody_else_or_without_words(who: Driver, held: Measure) -> None:
    with pytest.raises(MeasureNotFound):
        appeal(driver().id, held.key, WORDS)
    with pytest.raises(WordsMissing):
        appeal(who.id, held.key, "  ")
    assert appeal(who.id, held.key, WORDS).measure_id == held.id
    with pytest.raises(AlreadyAppealed):
        appeal(who.id, held.key, WORDS)


def test_deciders_at_once_decide_once(app: Flask, who: Driver, held: Measure) -> None:
    made, by = appeal(who.id, held.key, WORDS), staff("regulator")
    outcomes = [lambda: decide(by, made.key, "lifted", "示例"), lambda: decide(by, made.key, "upheld", "示例")]
    assert at_once(app, *outcomes) == ["AppealDecided", "done"]
    with pytest.raises(AppealDecided):
        decide(by, made.key, "lifted", "示例")


def test_who_wrote_an_incident_does_not_decide(who: Driver, lot: Lot) -> None:
    by, stay = staff("regulator"), parked_stay(who, gate(lot))
    record_dispute(by, stay.key, "撞损道闸", paper())
    assess_forgotten()
    made = appeal(who.id, measures(who)[-1].key, WORDS)
    with pytest.raises(OwnIncident):
        decide(by, made.key, "upheld", "属实")
    decide(staff("regulator"), made.key, "upheld", "属实")


def test_only_people_of_the_city_decide(app: Flask, who: Driver, lot: Lot, held: Measure) -> None:
    made = appeal(who.id, held.key, WORDS)
    words = ("conduct", "decide", made.key, "--lifted", "--reason", "示例")
    assert refused(app, staff("unit", unit_id=lot.unit_id), *words) == "not_permitted"
    assert refused(app, staff("regulator", district_code="330106"), *words) == "not_found"


def test_the_words_of_an_appeal_rest_sealed_and_its_motorist_reads_them(
    who: Driver, held: Measure, admin: psycopg.Connection[Any]
) -> None:
    appeal(who.id, held.key, WORDS)
    [(row,)] = admin.execute("SELECT a::text FROM appeal a").fetchall()
    assert WORDS not in row
    assert WORDS.encode().hex() not in row
    shown = own_measures(who.id)[0].appeal
    assert shown is not None
    assert (shown.words, shown.outcome) == (WORDS, None)
