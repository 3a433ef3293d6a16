"""A gate that lost the answer asks again at once: both questions have one answer, and it is thought of once."""

from datetime import datetime
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import func, select, text

from app.domain.gates import actions as gates
from app.domain.gates.models import GateDecision
from app.domain.gates.queries import passages
from app.domain.gates.rules import Decision
from app.domain.stays.actions import decide
from app.domain.stays.models import TurnAway
from app.kernel import clock
from app.kernel.db import current, transaction
from tests.payments.servers import in_parallel
from tests.world import ask, gate, gate_event, open_lot, some_plate


def test_questions_about_one_arrival_at_one_instant_have_one_answer_and_leave_one_trace(
    app: Flask, evening: datetime
) -> None:
    lot = open_lot(bays=1)
    entrance = gate(lot)
    assert ask(entrance, some_plate()).decision == "open"
    [passage] = passages([gate_event(entrance, some_plate(), clock.now(), "arrived")])
    arrival = gates.Arrival(passage, is_new=True)
    told = in_parallel(app, 8, lambda: gates.decide_once(arrival, lambda: decide(passage)))
    assert {given.decision.reason for given in told} == {"full"}
    assert len({given.key for given in told}) == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(TurnAway)) == 1


def test_a_car_whose_row_somebody_holds_for_long_is_not_kept_waiting_an_attendant_is_called(
    evening: datetime, admin: psycopg.Connection[Any]
) -> None:
    [passage] = passages([gate_event(gate(open_lot()), some_plate(), clock.now(), "arrived")])

    def impatient() -> Decision:
        current().execute(text("SET LOCAL lock_timeout = '10ms'"))
        return decide(passage)

    with admin.transaction():
        admin.execute("SELECT FROM plate WHERE id = %s FOR UPDATE", [passage.plate_id])
        given = gates.decide_once(gates.Arrival(passage, is_new=True), impatient)
    assert (given.decision.decision, given.decision.reason) == ("manual", "busy")
    assert gates.decide_once(gates.Arrival(passage, is_new=False), impatient).key == given.key
    with transaction() as session:
        assert session.scalars(select(GateDecision.reason)).all() == ["busy"]
