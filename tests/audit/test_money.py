"""What moves money writes itself down, whoever moves it and by whatever way."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
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
from payments.reconciliation import actions
from payments.refunds.actions import ask
from tests.audit.scene import seal_all
from tests.ground import Addresses
from tests.payments.months import Shop
from tests.payments.papers import DAY, payment
from tests.world import paid, payee

PRICES = {"policy_number", "cap_rule", "reference_version", "lot_price", "waiver_basis"}
"""What decides how much is asked for; the tables of the money themselves: tests/house/test_money_log.py."""


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
    payment_key = payments_of(owed.id)[0].key
    ask(payment_key, 300, reason="overpaid", basis="出口道闸离线", asked_by="staff:1", alone_up_to_fen=1000,
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


def test_a_day_of_bills_is_in_the_log_from_its_files_to_its_signature(
    admin: psycopg.Connection[Any], database: Addresses, at: Callable[[datetime], None]
) -> None:
    at(datetime(2026, 6, 12, 2, 30, tzinfo=UTC))
    shop = Shop(admin, payee("enterprise"))
    shop.has_bill(DAY, [payment(1250, 12, shop.owner(DAY))])
    actions.reconcile(shop.channel_id, DAY)
    [found] = shop.differs(DAY)
    actions.explain(found.key, "staff:1", "误收")
    actions.accept(found.key, "staff:2", "同意挂账")
    actions.propose(shop.channel_id, DAY, "staff:1")
    actions.sign(shop.channel_id, DAY, "staff:2")
    assert [(detail["kind"], detail["paid_fen"]) for _, detail in told("bill_file")] == [
        ("trade", 1250), ("fund_flow", 1250),
    ]  # fmt: skip
    assert [(action, detail["state"], detail["owner"]) for action, detail in told("difference")] == [
        ("difference.written", "open", None),
        ("difference.moved", "open", "staff:1"),
        ("difference.moved", "suspended", "staff:1"),
    ]
    assert [detail["theirs_fen"] for _, detail in told("recon_run")] == [1250]
    assert [detail["made_by"] for _, detail in told("day_proposal")] == ["staff:1"]
    assert [detail["signed_by"] for _, detail in told("day_sign_off")] == ["staff:2"]


def test_each_line_of_a_bank_statement_is_in_the_log_without_what_the_bank_wrote_there(
    admin: psycopg.Connection[Any], database: Addresses
) -> None:
    of = payee("enterprise")
    statement = admin.execute(
        "INSERT INTO bank_statement (key, payee_id, format, account, sha256, lines, opening_fen, moved_fen, "
        "closing_fen, imported_by, imported_at) "
        "VALUES (gen_random_uuid(), %s, 'csv', %s, 'x', 1, 0, 4200, 4200, 'staff:1', now()) RETURNING id",
        [of.id, of.bank_account],
    ).fetchone()  # fmt: skip
    assert statement is not None
    admin.execute("INSERT INTO bank_line VALUES (%s, 1, '2026-06-10', 4200, '某某 转账')", statement)
    assert told("bank_line") == [
        ("bank_line.written", {
            "statement_id": statement[0], "number": 1, "booked_on": "2026-06-10", "amount_fen": 4200,
        }),
    ]  # fmt: skip


def test_whatever_decides_prices_tells_the_log_even_of_hand_written_sql(
    admin: psycopg.Connection[Any], database: Addresses
) -> None:
    rows = admin.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%is_written_down' AND tgenabled = 'O'"
    ).fetchall()
    assert {name for (name,) in rows} >= PRICES
    admin.execute(
        "INSERT INTO policy_number (name, scope, scope_id, value, valid) VALUES ('by hand', 'city', 0, 1, '[,)')"
    )
    assert [detail["name"] for _, detail in told("policy_number")] == ["by hand"]
