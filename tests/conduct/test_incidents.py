"""What goes wrong is written down once, with evidence: no-shows, late cancellations, overstays, disputes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.conduct.actions import note
from app.domain.departures.actions import note_overstays
from app.domain.lots.models import Lot
from app.domain.policies.actions import lay_down
from app.domain.reservations.actions import cancel, release_missed
from app.domain.stays.actions import record_dispute
from app.domain.stays.actions.dispute import DisputeRecorded, StayOfNobody
from app.domain.stays.models import Stay
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from tests.commands import told
from tests.conduct.scene import EVIDENCE, incidents
from tests.world import (
    ACTOR,
    Driver,
    drive,
    driver,
    gate,
    paper,
    parked_stay,
    reservation_ready_to_cancel,
    shanghai,
    staff,
)

At = Callable[[datetime], None]


def seen(who: Driver) -> list[tuple[str, str]]:
    return [(each.kind, each.subject) for each in incidents(who)]


def test_who_does_not_come_is_written_down_once(who: Driver, lot: Lot, at: At) -> None:
    made = reservation_ready_to_cancel(who, lot)
    at(made.begins_at + timedelta(minutes=36))
    release_missed()
    release_missed()
    [incident] = incidents(who)
    assert (incident.kind, incident.subject_id, incident.lot_id, incident.noted_by) == (
        "no_show", made.id, lot.id, None
    )  # fmt: skip
    assert incident.evidence["begins_at"] == made.begins_at.isoformat()


def test_a_late_cancellation_is_written_down_and_one_in_time_is_not(who: Driver, lot: Lot, at: At) -> None:
    made = reservation_ready_to_cancel(who, lot)
    cancel(who.id, made.key)
    assert seen(who) == []
    late = reservation_ready_to_cancel(who, lot)
    at(late.begins_at - timedelta(minutes=29))
    cancel(who.id, late.key)
    assert seen(who) == [("late_cancellation", "reservation")]


@pytest.mark.parametrize(("left", "expected"), [("08:14", []), ("08:16", [("overstay", "stay")])])
def test_who_leaves_after_the_grace_is_written_down(
    who: Driver, lot: Lot, at: At, left: str, expected: list[tuple[str, str]]
) -> None:
    parked_stay(who, gate(lot))
    at(shanghai(f"2026-06-11 {left}"))
    assert note_overstays() == 0
    drive(gate(lot, "out"), who.plate)
    assert (note_overstays(), note_overstays()) == (len(expected), 0)
    assert seen(who) == expected


def test_the_grace_is_the_lots_own(who: Driver, lot: Lot, at: At, evening: datetime) -> None:
    lay_down("overstay_grace_minutes", 60, evening, ACTOR, scope="lot", scope_id=lot.id)
    parked_stay(who, gate(lot))
    at(shanghai("2026-06-11 08:50"))
    drive(gate(lot, "out"), who.plate)
    assert note_overstays() == 0


def test_a_car_that_nobody_owns_burdens_nobody(lot: Lot, at: At) -> None:
    stranger = driver()
    drive(gate(lot), stranger.plate)
    at(shanghai("2026-06-11 09:00"))
    drive(gate(lot, "out"), stranger.plate)
    assert (note_overstays(), seen(stranger)) == (0, [])


def test_a_dispute_is_recorded_by_somebody_of_the_lot_once(who: Driver, lot: Lot) -> None:
    stay, by = parked_stay(who, gate(lot)), staff("unit", unit_id=lot.unit_id)
    record_dispute(by, stay.key, "撞损道闸", paper())
    [incident] = incidents(who)
    assert (incident.kind, incident.noted_by, incident.evidence["told"]) == ("dispute", by.account_id, "撞损道闸")
    with pytest.raises(DisputeRecorded):
        record_dispute(by, stay.key, "再次记录", paper())


def test_a_dispute_elsewhere_is_not_theirs_to_record(who: Driver, lot: Lot) -> None:
    stay = parked_stay(who, gate(lot))
    with pytest.raises(NotFound):
        record_dispute(staff("regulator", district_code="330102"), stay.key, "撞损道闸", paper())
    assert seen(who) == []


def test_without_an_account_there_is_nobody_to_record_a_dispute_against(lot: Lot) -> None:
    drive(gate(lot), driver().plate)
    with transaction() as session:
        stay = session.scalars(select(Stay)).one()
    with pytest.raises(StayOfNobody):
        record_dispute(staff("regulator"), stay.key, "撞损道闸", paper())


def test_people_see_the_incidents_of_their_own_lots(app: Flask, who: Driver, lot: Lot, evening: datetime) -> None:
    note("no_show", who.id, lot.id, "reservation", 1, EVIDENCE, evening)
    [row] = told(app, staff("unit", unit_id=lot.unit_id), "conduct", "incidents", "--lot", lot.key)
    assert (row["kind"], row["motorist"], row["noted_by"]) == ("no_show", str(who.key), None)
    assert told(app, staff("regulator", district_code="330102"), "conduct", "incidents") == []
