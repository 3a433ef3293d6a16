"""The ledger as a command shows it: by payee, within one's reach, to people in yuan and to programs in fen."""

import json

from flask import Flask

from app.domain.staff.rules import NotPermitted
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from payments.ledger.actions import post
from payments.ledger.rules import paid_lines, recognised_lines
from payments.payees.models import Payee
from tests.commands import refused, run
from tests.payments.world import enterprise_payee, treasury_payee
from tests.world import staff

BOOKS = ("ledger", "books")


def earned(payee: Payee, fen: int) -> None:
    """Paid and done, as far as the books know."""
    post("paid", f"test:{payee.id}", payee.id, clock.now(), paid_lines(fen))
    post("recognised", f"test:{payee.id}", payee.id, clock.now(), recognised_lines(payee.regime, fen))


def test_the_ledger_is_printed_by_payee_in_yuan_and_both_sides_come_to_the_same(app: Flask) -> None:
    earned(treasury_payee(), 1250)
    said = run(app, staff("finance_checker"), *BOOKS).stdout.splitlines()
    rows = [line.replace("│", " ").split() for line in said if "│" in line]
    assert [row[-3:] for row in rows] == [
        ["wx_receivable", "12.50", "0.00"], ["due_to_treasury", "0.00", "12.50"], ["合计", "12.50", "12.50"],
    ]  # fmt: skip


def test_a_program_reads_the_payees_within_reach_in_fen_with_their_sub_merchants_and_it_is_written_down(
    app: Flask,
) -> None:
    company, organ, idle = enterprise_payee(), treasury_payee(), treasury_payee()
    earned(company, 5)
    earned(organ, 7)
    checker = staff("finance_checker")
    told = json.loads(run(app, checker, *BOOKS, "--format", "json").stdout)
    held = {(each["payee"], each["account"]): (each["debit_fen"], each["credit_fen"]) for each in told}
    assert held[company.name, "wx_receivable"] == (5, 0)
    assert held[organ.name, "due_to_treasury"] == (0, 7)
    assert {each["sub_mchid"][:2] for each in told} == {"19"}
    assert len(told) == 4, f"{idle.name} of the same name holds nothing"
    elsewhere = staff("finance_maker", district_code="330108")
    assert json.loads(run(app, elsewhere, *BOOKS, "--format", "json").stdout) == []
    with transaction() as session:
        looks = session.query(AuditEntry).filter_by(action="ledger.look").all()
        assert [(each.actor, each.detail["rows"]) for each in looks] == [(checker.label, 4), (elsewhere.label, 0)]
    assert refused(app, staff("price_officer"), *BOOKS) == NotPermitted.code
