"""What is sealed of persons in rows that stay, and who forgets it when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, InsufficientPrivilege, IntegrityConstraintViolation
from sqlalchemy import func, select

from app.domain.erasure.actions import forget_what_is_old
from app.domain.gates import actions as gates
from app.domain.gates.models import GateDecision, GateEvent, GateRejection
from app.domain.gates.queries import passages, picture_of
from app.domain.gates.rules import LONG_AGO
from app.domain.lots.models import Lot
from app.domain.motorists.actions.erase import ERASED
from app.domain.motorists.models import NumberPlate
from app.domain.motorists.plates import Plate
from app.domain.motorists.queries import plate_characters
from app.domain.policies.actions import lay_down
from app.domain.stays.actions import decide
from app.domain.stays.models import Stay
from app.domain.stays.queries.rebuild import rebuilt
from app.jobs.sweepers import sweepers
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from payments.charges.actions.settle import expected_of, payer_of
from payments.charges.models import CallbackInbox, Order
from payments.charges.rules import discrepancies
from payments.ledger.queries import trial_balance
from tests.erasure.scene import Person
from tests.races import all_waiting_for, at_once
from tests.world import ask, drive, gate, gate_event, some_plate, staff, vouched

At = Callable[[datetime], None]
DAYS = timedelta(days=1)


@pytest.fixture
def later(evening: datetime, at: At) -> Callable[[int], None]:
    """So many days after the evening."""
    return lambda days: at(evening + days * DAYS)


def order_of(person: Person) -> Order:
    with transaction() as session:
        return session.get_one(Order, person.payment.order_id)


def events_of(plate_id: int | None) -> list[GateEvent]:
    with transaction() as session:
        return list(session.scalars(select(GateEvent).filter_by(plate_id=plate_id).order_by(GateEvent.id)))


def plate_of(plate_id: int | None) -> str:
    with transaction() as session:
        return plate_characters(session.get_one(NumberPlate, plate_id or 0))


def strangers_visit(lot: Lot, car: Plate) -> Stay:
    """A car of nobody's that came, and left before anything was owed."""
    ask(gate(lot), car)
    event_id = drive(gate(lot), car)
    drive(gate(lot, "out"), car)
    with transaction() as session:
        return session.scalars(select(Stay).filter_by(entry_event_id=event_id)).one()


def test_for_400_days_nothing_is_forgotten(person: Person, later: Callable[[int], None]) -> None:
    later(399)
    assert forget_what_is_old() == 0
    assert payer_of(order_of(person)) is not None
    assert all(each.plate_enc for each in events_of(person.stay.plate_id))


def test_then_the_payer_goes_and_the_money_stays(person: Person, later: Callable[[int], None]) -> None:
    before, books = order_of(person), trial_balance(person.payment.payee_id)
    later(401)
    assert forget_what_is_old() > 0
    order = order_of(person)
    assert (order.payer, order.body, payer_of(order)) == (None, None, None)
    assert (order.amount_fen, order.out_trade_no, order.transaction_id, order.state, order.created_at) == (
        before.amount_fen, before.out_trade_no, before.transaction_id, before.state, before.created_at,
    )  # fmt: skip
    assert trial_balance(person.payment.payee_id) == books


def test_what_wechat_says_later_of_a_forgotten_order_is_held_against_all_but_its_payer(
    person: Person, later: Callable[[int], None]
) -> None:
    later(401)
    forget_what_is_old()
    with transaction():
        order = order_of(person)
        told, expected = vouched(order), expected_of(order)
    assert discrepancies(expected, told) == []


def test_what_gates_read_goes_and_the_stays_still_follow_from_what_they_told(
    person: Person, lot: Lot, later: Callable[[int], None]
) -> None:
    seen = [(each.id, each.plate_id, each.event_time) for each in events_of(person.stay.plate_id)]
    later(401)
    forget_what_is_old()
    events = events_of(person.stay.plate_id)
    assert {(each.plate_enc, each.body_enc) for each in events} == {(None, None)}
    assert [(each.id, each.plate_id, each.event_time) for each in events] == seen
    assert {each.plate_raw for each in passages([each.id for each in events])} == {None}
    assert picture_of(events[0].id) is None
    with transaction() as session:
        assert set(session.scalars(select(GateDecision.answer_enc))) == {None}
    [whole] = list(rebuilt(staff("regulator"), lot.id))
    assert (whole.lived, whole.rebuilt, whole.different) == (1, 1, ())


def test_a_gate_that_asks_about_a_car_of_long_ago_is_sent_an_attendant(lot: Lot, later: Callable[[int], None]) -> None:
    [passage] = passages([gate_event(gate(lot), some_plate(), clock.now(), "arrived")])
    first = gates.decide_once(gates.Arrival(passage, is_new=True), lambda: decide(passage))
    later(401)
    forget_what_is_old()
    again = gates.decide_once(gates.Arrival(passage, is_new=False), lambda: decide(passage))
    assert (again.key, again.decision) == (first.key, LONG_AGO)


def test_a_strangers_plate_goes_with_the_last_that_gates_told_of_it_and_an_accounts_stays(
    person: Person, lot: Lot, later: Callable[[int], None]
) -> None:
    stranger = strangers_visit(lot, some_plate())
    assert plate_of(stranger.plate_id) != ERASED
    later(401)
    forget_what_is_old()
    assert plate_of(stranger.plate_id) == ERASED
    assert plate_of(person.stay.plate_id) == person.who.plate.characters


def test_a_strangers_plate_stays_while_it_is_seen_or_owes(
    lot: Lot, evening: datetime, at: At, later: Callable[[int], None]
) -> None:
    regular, debtor = some_plate(), some_plate()
    strangers_visit(lot, regular)
    drive(gate(lot), debtor)
    at(evening + timedelta(hours=3))
    drive(gate(lot, "out"), debtor)
    later(200)
    gate_event(gate(lot), regular, clock.now(), "denied")
    later(401)
    forget_what_is_old()
    with transaction() as session:
        erased = session.scalars(select(NumberPlate.erased_at)).all()
    assert erased == [None] * len(erased)


def test_a_strangers_plate_stays_while_a_partner_tells_of_it(
    lot: Lot, admin: psycopg.Connection[Any], later: Callable[[int], None], evening: datetime
) -> None:
    stranger = strangers_visit(lot, some_plate())
    later(401)
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(
            "INSERT INTO partner_visit_report"
            " (visit_id, number, kind, plate_id, entered_at, told_at, digest, received_at)"
            " VALUES (1, 1, 'report', %(plate)s, %(at)s, %(at)s, sha256(''), %(at)s)",
            {"plate": stranger.plate_id, "at": evening + 300 * DAYS},
        )
    forget_what_is_old()
    assert plate_of(stranger.plate_id) != ERASED


def test_nobody_waits_for_a_car_that_stands_at_a_gate(
    person: Person, lot: Lot, admin: psycopg.Connection[Any], later: Callable[[int], None]
) -> None:
    stranger = strangers_visit(lot, some_plate())
    later(401)
    with admin.transaction():
        admin.execute("SELECT FROM plate WHERE id = %s FOR UPDATE", [person.stay.plate_id])
        forget_what_is_old()
    assert plate_of(stranger.plate_id) == ERASED


def test_it_is_done_once_however_many_do_it_and_written_down(
    app: Flask, person: Person, later: Callable[[int], None]
) -> None:
    later(401)
    assert at_once(app, *[forget_what_is_old] * 3) == ["done"] * 3
    assert forget_what_is_old() == 0
    with transaction() as session:
        told = select(AuditEntry.action, AuditEntry.actor).where(AuditEntry.action.like("%forget%"))
        assert {tuple(each) for each in session.execute(told)} == {
            ("payers.forget", "platform"), ("gates.forget_cars", "platform"),
        }  # fmt: skip
        forgotten = select(func.sum(AuditEntry.detail["gate_event"].as_integer())).filter_by(action="gates.forget_cars")
        events = session.scalar(select(func.count()).select_from(GateEvent))
        assert session.scalar(forgotten) == events


def test_the_city_says_for_how_long_but_not_less_than_refunds_and_disputes_need(
    person: Person, evening: datetime, later: Callable[[int], None]
) -> None:
    lay_down("forget_payers_days", 1, evening, "test")
    lay_down("forget_cars_days", 1000, evening, "test")
    later(364)
    assert forget_what_is_old() == 0
    later(401)
    forget_what_is_old()
    assert payer_of(order_of(person)) is None
    assert all(each.plate_enc for each in events_of(person.stay.plate_id))


def test_an_order_that_may_still_be_paid_knows_its_payer(
    person: Person, later: Callable[[int], None], admin: psycopg.Connection[Any]
) -> None:
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE payment_order SET state = 'unknown', transaction_id = NULL")
    later(401)
    forget_what_is_old()
    assert payer_of(order_of(person)) is not None


def test_who_paid_for_what_is_not_rendered_yet_is_known(
    person: Person, later: Callable[[int], None], admin: psycopg.Connection[Any]
) -> None:
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE charge SET state = 'paid'")
    later(401)
    forget_what_is_old()
    assert payer_of(order_of(person)) is not None


def test_a_notice_keeps_what_came_of_it(database: object, later: Callable[[int], None], evening: datetime) -> None:
    told = {
        "channel": "wechat", "kind": "transaction", "event_type": "TRANSACTION.SUCCESS", "raw": b"sealed",
        "verified_by": "1", "outcome": "paid",
    }  # fmt: skip
    with transaction() as session:
        session.add_all(
            CallbackInbox(notify_id=f"N{day}", received_at=evening + day * DAYS, **told) for day in (0, 1, 300)
        )
    later(402)
    assert forget_what_is_old() == 2
    with transaction() as session:
        rows = session.execute(select(CallbackInbox.raw, CallbackInbox.outcome).order_by(CallbackInbox.received_at))
        assert [tuple(each) for each in rows] == [(None, "paid"), (None, "paid"), (b"sealed", "paid")]


def test_a_notice_that_somebody_holds_is_waited_for_and_not_passed_by(
    app: Flask, admin: psycopg.Connection[Any], later: Callable[[int], None], evening: datetime
) -> None:
    with transaction() as session:
        session.add_all(
            CallbackInbox(
                notify_id=f"N{day}", received_at=evening + day * DAYS, channel="wechat", kind="transaction",
                event_type="TRANSACTION.SUCCESS", raw=b"sealed", verified_by="1", outcome="paid",
            )
            for day in (0, 1)
        )  # fmt: skip
    later(402)
    held: LiteralString = "SELECT FROM callback_inbox WHERE notify_id = 'N0' FOR UPDATE"
    assert all_waiting_for(admin, [held], app, forget_what_is_old) == ["done"]
    with transaction() as session:
        assert session.scalars(select(CallbackInbox.raw)).all() == [None, None]


def test_what_no_gate_could_be_understood_by_goes_too(lot: Lot, later: Callable[[int], None]) -> None:
    gates.note_unreadable(gate(lot).id, b"plate: \xe6\xb5\x99A12345", "not_json")
    later(401)
    assert forget_what_is_old() == 1
    with transaction() as session:
        assert [tuple(each) for each in session.execute(select(GateRejection.body_enc, GateRejection.code))] == [
            (None, "not_json")
        ]


def test_the_sweepers_do_it() -> None:
    assert forget_what_is_old in {each.sweep for each in sweepers()}


SOON: LiteralString = "UPDATE gate_event SET plate_enc = NULL, body_enc = NULL, forgotten_at = "
MANY: list[tuple[LiteralString, type[psycopg.Error], str]] = [
    (SOON + "received_at + interval '89 days'", CheckViolation, "a_gate_event_is_kept_90_days"),
    (SOON + "received_at + interval '90 days', type = 'denied'", IntegrityConstraintViolation,
     "gate_event_is_append_only"),
    (SOON + "received_at + interval '90 days', plate_id = NULL", IntegrityConstraintViolation,
     "gate_event_is_append_only"),
    ("UPDATE gate_event SET plate_enc = NULL", IntegrityConstraintViolation, "gate_event_is_append_only"),
    ("UPDATE gate_event SET plate_enc = '', body_enc = '', forgotten_at = received_at + interval '90 days'",
     CheckViolation, "a_gate_event_is_forgotten_whole"),
    ("DELETE FROM gate_event", IntegrityConstraintViolation, "gate_event_is_append_only"),
    ("UPDATE gate_decision SET answer_enc = ''", IntegrityConstraintViolation, "gate_decision_is_append_only"),
    ("UPDATE gate_decision SET answer_enc = NULL, forgotten_at = decided_at", CheckViolation,
     "a_gate_decision_is_kept_90_days"),
    ("UPDATE payment_order SET payer = NULL, body = NULL, forgotten_at = created_at + interval '364 days'",
     CheckViolation, "a_payment_order_is_kept_365_days"),
    ("UPDATE payment_order SET payer = '', forgotten_at = created_at + interval '365 days'", CheckViolation,
     "a_payment_order_is_forgotten_whole"),
    ("UPDATE payment_order SET payer = ''", IntegrityConstraintViolation, "payment_order_terms_are_fixed"),
    ("UPDATE payment_order SET payer = NULL, body = NULL, amount_fen = 1, forgotten_at = now()",
     IntegrityConstraintViolation, "payment_order_terms_are_fixed"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "refusal", "constraint"), MANY)
def test_rows_lose_what_is_sealed_in_them_whole_and_in_time_and_nothing_else(
    person: Person, admin: psycopg.Connection[Any], statement: LiteralString, refusal: type[psycopg.Error],
    constraint: str,
) -> None:  # fmt: skip
    with pytest.raises(refusal) as told, admin.transaction():
        admin.execute(statement)
    assert told.value.diag.constraint_name == constraint


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gate_event SET forgotten_at = NULL",
        "UPDATE gate_event SET body_enc = ''",
        "UPDATE payment_order SET payer = '', forgotten_at = NULL",
    ],
)
def test_what_was_forgotten_does_not_come_back(
    person: Person, admin: psycopg.Connection[Any], later: Callable[[int], None], change: LiteralString
) -> None:
    later(401)
    forget_what_is_old()
    with pytest.raises(IntegrityConstraintViolation), admin.transaction():
        admin.execute(change)


def test_the_program_itself_changes_nothing_else_of_what_gates_told(database_urls: tuple[str, str]) -> None:
    with psycopg.connect(database_urls[1].replace("+psycopg", "")) as program, pytest.raises(InsufficientPrivilege):
        program.execute("UPDATE gate_event SET plate_id = NULL")
