"""What hand-written SQL cannot do to the books, neither as the program nor as the schema's owner."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import (
    CheckViolation,
    ForeignKeyViolation,
    InsufficientPrivilege,
    IntegrityConstraintViolation,
    UniqueViolation,
)

from payments.ledger.actions import post
from payments.ledger.models import Journal
from payments.ledger.queries import journals_of
from payments.ledger.rules import paid_lines
from payments.payees.models import Payee
from tests.payments.world import books, enterprise_payee, treasury_payee

AT = datetime(2026, 5, 1, 4, tzinfo=UTC)
ENTER = "SELECT post_journal('test', %s, %s, now(), current_date, sha256('x'), NULL, %s, %s)"
Sql = Callable[..., Any]


@pytest.fixture
def payee(app: Flask) -> Payee:
    return treasury_payee()


@pytest.fixture
def journal(payee: Payee) -> Journal:
    reference = f"test:{uuid.uuid4()}"
    post("payment", reference, payee.id, AT, paid_lines(1250))
    return journals_of(reference)[0]


def run(url: str, *statements: tuple[LiteralString, tuple[object, ...]]) -> None:
    """All statements in one transaction, with its commit."""
    with psycopg.connect(url) as connection, connection.transaction():
        for statement, values in statements:
            connection.execute(statement, values)


def name() -> str:
    return f"sql:{uuid.uuid4()}"


@pytest.mark.parametrize(
    ("codes", "amounts"),
    [
        (["wx_receivable", "customer_prepaid"], [100, -99]),
        (["wx_receivable"], [100]),
        ([], []),
    ],
    ids=["unequal", "one line", "empty"],
)
def test_the_program_cannot_enter_an_unbalanced_journal(
    payee: Payee, program: str, codes: list[str], amounts: list[int]
) -> None:
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, (ENTER, (name(), payee.id, codes, amounts)))
    assert refusal.value.diag.constraint_name == "a_journal_balances"
    assert books(payee) == {}


def test_the_program_enters_a_balanced_journal_only_through_the_function(payee: Payee, program: str) -> None:
    run(program, (ENTER, (name(), payee.id, ["wx_receivable", "customer_prepaid"], [100, -100])))
    assert books(payee) == {"wx_receivable": 100, "customer_prepaid": -100}


def test_a_posting_of_nothing_is_refused(payee: Payee, program: str) -> None:
    with pytest.raises(CheckViolation):
        run(program, (ENTER, (name(), payee.id, ["wx_receivable", "customer_prepaid"], [0, 0])))


A_JOURNAL: LiteralString = (
    "INSERT INTO journal (kind, business_ref, payee_id, event_at, posted_on, intent_hash) "
    "SELECT 'x', gen_random_uuid()::text, payee_id, now(), current_date, intent_hash FROM journal LIMIT 1"
)
SOME_POSTINGS: LiteralString = (
    "INSERT INTO posting (journal_id, account_id, payee_id, amount_fen) "
    "SELECT journal_id, account_id, payee_id, amount_fen FROM posting"
)


@pytest.mark.parametrize(
    "statement",
    [
        A_JOURNAL,
        SOME_POSTINGS,
        "UPDATE journal SET event_at = now()",
        "UPDATE posting SET amount_fen = amount_fen * 2",
        "UPDATE account SET code = 'bank'",
        "DELETE FROM posting",
        "DELETE FROM journal",
        "TRUNCATE posting CASCADE",
        "TRUNCATE journal, posting CASCADE",
        "ALTER TABLE posting DISABLE TRIGGER ALL",
        "DROP TRIGGER a_journal_balances_by_journal ON journal",
        "CREATE OR REPLACE FUNCTION a_journal_balances() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ],
)
def test_the_program_has_no_right_to_touch_the_books(journal: Journal, program: str, statement: LiteralString) -> None:
    with pytest.raises(InsufficientPrivilege):
        run(program, (statement, ()))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET event_at = now()",
        "UPDATE posting SET amount_fen = amount_fen * 2",
        "DELETE FROM posting",
        "DELETE FROM journal",
        "DELETE FROM account",
        "TRUNCATE posting CASCADE",
        "TRUNCATE journal, posting CASCADE",
        "TRUNCATE account CASCADE",
        "UPDATE payee SET regime = 'SOE'",
    ],
)
def test_not_even_the_owner_changes_or_removes_what_is_written(
    journal: Journal, owner: str, statement: LiteralString
) -> None:
    with pytest.raises(IntegrityConstraintViolation, match=r"append-only|is fixed"):
        run(owner, (statement, ()))


def test_a_journal_without_postings_is_found_though_nothing_was_posted(payee: Payee, owner: str) -> None:
    empty: LiteralString = (
        "INSERT INTO journal (kind, business_ref, payee_id, event_at, posted_on, intent_hash) "
        "VALUES ('test', %s, %s, now(), current_date, sha256('x'))"
    )
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(owner, (empty, (name(), payee.id)))
    assert refusal.value.diag.constraint_name == "a_journal_balances"


def test_nothing_joins_a_journal_after_its_commit_not_even_balanced(journal: Journal, owner: str) -> None:
    again: LiteralString = (
        "INSERT INTO posting (journal_id, account_id, payee_id, amount_fen) "
        "SELECT journal_id, account_id, payee_id, amount_fen FROM posting WHERE journal_id = %s"
    )
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(owner, (again, (journal.id,)))
    assert refusal.value.diag.constraint_name == "a_journal_balances"


def test_a_journal_cannot_mix_payees(payee: Payee, journal: Journal, owner: str) -> None:
    other = enterprise_payee()
    mixed: LiteralString = (
        "INSERT INTO posting (journal_id, account_id, payee_id, amount_fen) "
        "SELECT %s, id, %s, 100 FROM account WHERE payee_id = %s AND code = 'bank'"
    )
    with pytest.raises(ForeignKeyViolation) as by_account:
        run(owner, (mixed, (journal.id, payee.id, other.id)))
    with pytest.raises(ForeignKeyViolation) as by_journal:
        run(owner, (mixed, (journal.id, other.id, other.id)))
    assert by_account.value.diag.constraint_name == "a_posting_has_its_accounts_payee"
    assert by_journal.value.diag.constraint_name == "a_posting_has_its_journals_payee"


def test_treasury_money_cannot_become_revenue(payee: Payee, program: str) -> None:
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, (ENTER, (name(), payee.id, ["customer_prepaid", "revenue"], [100, -100])))
    assert refusal.value.diag.constraint_name == "a_line_names_the_payees_account"


def test_an_enterprises_account_cannot_be_opened_for_a_treasury_payee(payee: Payee, program: str) -> None:
    revenue: LiteralString = (
        "INSERT INTO account (payee_id, regime, code, kind, normal_side) VALUES (%s, %s, 'revenue', 'income', 'credit')"
    )
    with pytest.raises(CheckViolation) as by_code:
        run(program, (revenue, (payee.id, "TREASURY")))
    with pytest.raises(ForeignKeyViolation) as by_regime:
        run(program, (revenue, (payee.id, "SOE")))
    assert by_code.value.diag.constraint_name == "only_an_enterprise_has_revenue"
    assert by_regime.value.diag.constraint_name == "an_account_has_its_payees_regime"


def test_a_treasury_account_cannot_be_opened_for_an_enterprise(app: Flask, program: str) -> None:
    due: LiteralString = (
        "INSERT INTO account (payee_id, regime, code, kind, normal_side) "
        "VALUES (%s, 'SOE', 'due_to_treasury', 'liability', 'credit')"
    )
    with pytest.raises(CheckViolation) as refusal:
        run(program, (due, (enterprise_payee().id,)))
    assert refusal.value.diag.constraint_name == "only_a_treasury_payee_owes_the_treasury"


def test_a_table_of_the_callers_own_does_not_deceive_the_function(payee: Payee, program: str) -> None:
    run(
        program,
        ("CREATE TEMP TABLE journal (LIKE public.journal INCLUDING ALL)", ()),
        ("CREATE TEMP TABLE posting (LIKE public.posting)", ()),
        (ENTER, (name(), payee.id, ["wx_receivable", "customer_prepaid"], [100, -100])),
    )
    assert books(payee) == {"wx_receivable": 100, "customer_prepaid": -100}


def test_a_journal_is_reversed_once_at_most(journal: Journal, payee: Payee, program: str) -> None:
    back: LiteralString = (
        "SELECT post_journal('reversal', %s, %s, now(), current_date, sha256('x'), %s, "
        "ARRAY['wx_receivable', 'customer_prepaid'], ARRAY[-1250, 1250])"
    )
    run(program, (back, (name(), payee.id, journal.id)))
    with pytest.raises(UniqueViolation) as refusal:
        run(program, (back, (name(), payee.id, journal.id)))
    assert refusal.value.diag.constraint_name == "a_journal_is_reversed_once"
