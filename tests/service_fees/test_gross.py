"""Whatever an operator gets, the treasury gets everything: a fee is netted from no money and stands in no account."""

import ast
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.domain.finance.actions import check_books
from app.domain.service_fees.actions import issue
from payments.parity.queries import differences
from tests.finance.scene import promised, went
from tests.remittance.scene import CHECKER, DOCUMENT, MAKER
from tests.service_fees.scene import JUNE, Entrusted

ROOM = Path(__file__).resolve().parents[2] / "app/domain/service_fees"
TABLES = ["service_fee_terms", "service_fee_statement", "service_fee_line"]


def books_of_all(admin: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Every posting, with its account."""
    return admin.execute("SELECT posting.*, code FROM posting JOIN account ON account.id = account_id").fetchall()


@pytest.mark.parametrize(("permille", "monthly_fen"), [(1000, 10**9), (85, 0), (0, 3100)])
def test_what_is_remitted_is_gross_whatever_a_statement_says(
    entrusted: Entrusted, admin: psycopg.Connection[Any], permille: int, monthly_fen: int
) -> None:
    entrusted.agrees(permille=permille, monthly_fen=monthly_fen)
    went(promised(entrusted.takes(), 130), "succeed")
    entrusted.takes()
    entrusted.is_over(JUNE)
    before = books_of_all(admin)
    made = issue(entrusted.checker, entrusted.drafts().key, "已核对")
    assert made.fee_fen > 0
    assert books_of_all(admin) == before
    assert entrusted.books.books() == {"due_to_treasury": -870, "wx_receivable": 870}
    assert entrusted.books.sent().amount_fen == made.base_fen == 870
    assert entrusted.books.books() == {"bank": -870, "wx_receivable": 870}
    assert (differences(JUNE), check_books()) == ([], 0)


def test_a_statement_waits_for_no_remittance_and_no_remittance_for_a_statement(entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.takes()
    entrusted.is_over(JUNE)
    assert entrusted.books.sent(DOCUMENT).amount_fen == 500
    assert entrusted.drafts().base_fen == 500, "what was remitted was collected all the same"
    assert MAKER != CHECKER


def test_no_fee_leads_to_an_account(admin: psycopg.Connection[Any], entrusted: Entrusted) -> None:
    leading = admin.execute(
        "SELECT confrelid::regclass::text FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
        [TABLES],
    ).fetchall()
    named = {name for (name,) in leading}
    assert named == {
        "lot",
        "operator",
        "service_fee_statement",
        "service_fee_terms",
        "staff_account",
        "stored_file",
        "unit",
    }


def test_the_room_of_fees_can_move_no_money() -> None:
    imported = {
        node.module
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert [each for each in imported if each and each.startswith("payments")] == []
