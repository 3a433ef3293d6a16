"""What moves money writes itself down, whoever moves it and by whatever way."""

import uuid
from typing import Any

import psycopg
from sqlalchemy import select

from app.domain.policies.actions import lay_down
from app.kernel import clock
from app.kernel.audit import DATABASE, AuditEntry
from app.kernel.db import transaction
from payments.charges.actions import open_charge, recognise
from payments.charges.models import Charge
from payments.charges.queries import payments_of
from payments.refunds.actions import ask
from tests.audit.scene import seal_all
from tests.ground import Addresses
from tests.world import paid, payee

MONEY = {
    "payee", "payee_confirmation", "merchant_channel", "payment", "refund", "journal", "exception_case", "lot_payee",
    "policy_number", "cap_rule", "reference_version", "lot_price", "waiver_basis", "explanation", "day_sign_off",
    "bank_statement",
}  # fmt: skip


def told(subject: str) -> list[tuple[str, dict[str, Any]]]:
    """What the tables themselves told of a kind of thing."""
    with transaction() as session:
        wanted = select(AuditEntry).filter_by(subject=subject, actor=DATABASE).order_by(AuditEntry.id)
        return [(each.action, each.detail) for each in session.scalars(wanted)]


def paid_charge() -> Charge:
    owed = open_charge(
        source_kind="test", source_key=uuid.uuid4(), payee_id=payee().id, amount_fen=1250, motorist_id=1,
        description="停车费 测试车场", on_paid="tests.paid",
    )  # fmt: skip
    paid(owed.key)
    return owed


def test_a_payment_its_journals_and_its_refund_are_all_in_the_log(database: Addresses) -> None:
    owed = paid_charge()
    recognise(owed.key)
    payment = payments_of(owed.id)[0]
    ask(payment.key, 300, reason="overpaid", basis="出口道闸离线", asked_by="staff:1", alone_up_to_fen=1000,
        on_moved="tests.moved")  # fmt: skip
    ((action, detail),) = told("payment")
    assert (action, detail["paid_fen"], detail["charge_id"]) == ("payment.written", 1250, owed.id)
    assert [detail["kind"] for _, detail in told("journal")] == ["payment", "recognition", "refund_request"]
    assert [(action, detail["state"]) for action, detail in told("refund")] == [
        ("refund.written", "requested"),
        ("refund.moved", "approved"),
    ]
    assert seal_all().faults == []


def test_a_policy_and_its_end_are_in_the_log(database: Addresses) -> None:
    for value in (15, 20):
        lay_down("kept_until_minutes_before", value, clock.now(), "test")
    assert [(action, detail["value"]) for action, detail in told("policy_number")] == [
        ("policy_number.written", 15),
        ("policy_number.moved", 15),
        ("policy_number.written", 20),
    ]


def test_every_money_table_tells_the_log_even_of_hand_written_sql(
    admin: psycopg.Connection[Any], database: Addresses
) -> None:
    rows = admin.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%is_written_down' AND tgenabled = 'O'"
    ).fetchall()
    assert {name for (name,) in rows} >= MONEY
    admin.execute(
        "INSERT INTO policy_number (name, scope, scope_id, value, valid) VALUES ('by hand', 'city', 0, 1, '[,)')"
    )
    assert [detail["name"] for _, detail in told("policy_number")] == ["by hand"]
