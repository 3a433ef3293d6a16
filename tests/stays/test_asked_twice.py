"""A gate that lost the answer asks again at once: both questions have one answer, and it is thought of once."""

from datetime import datetime

from flask import Flask
from sqlalchemy import func, select

from app.domain.gates import actions as gates
from app.domain.gates.queries import passages
from app.domain.stays.actions import decide
from app.domain.stays.models import TurnAway
from app.kernel import clock
from app.kernel.db import transaction
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
