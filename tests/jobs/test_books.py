"""The ledger as a command shows it: by payee, to people in yuan and to programs in fen."""

import json

from flask import Flask

from app.kernel import clock
from payments.ledger.actions import post
from payments.ledger.rules import paid_lines, recognised_lines
from payments.payees.models import Payee
from tests.payments.world import enterprise_payee, treasury_payee


def earned(payee: Payee, fen: int) -> None:
    """Paid and done, as far as the books know."""
    post("paid", f"test:{payee.id}", payee.id, clock.now(), paid_lines(fen))
    post("recognised", f"test:{payee.id}", payee.id, clock.now(), recognised_lines(payee.regime, fen))


def test_the_ledger_is_printed_by_payee_in_yuan_and_sums_to_zero(app: Flask) -> None:
    earned(treasury_payee(), 1250)
    said = app.test_cli_runner().invoke(args=["ledger"]).output.splitlines()
    assert said[0].startswith("某区机关事务管理中心 (TREASURY, 19")
    assert [line.split() for line in said[1:]] == [
        ["wx_receivable", "12.50"], ["due_to_treasury", "12.50"], ["sum", "of", "all", "postings", "0.00"],
    ]  # fmt: skip


def test_a_program_reads_all_payees_in_fen_with_their_sub_merchants(app: Flask) -> None:
    company, idle = enterprise_payee(), treasury_payee()
    earned(company, 5)
    told = json.loads(app.test_cli_runner().invoke(args=["ledger", "--json"]).output)
    assert told["sum_fen"] == 0
    books = {each["payee"]: each for each in told["payees"]}
    assert books[company.name]["accounts"] == {"wx_receivable": 5, "revenue": -5}
    assert books[company.name]["sub_mchid"].startswith("19")
    assert books[idle.name]["accounts"] == {}
