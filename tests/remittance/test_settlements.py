"""Settlement statements say what the closed books say, are issued by another person, and stay."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import (
    CheckViolation,
    ExclusionViolation,
    ForeignKeyViolation,
    InsufficientPrivilege,
    IntegrityConstraintViolation,
)
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from payments.ledger.actions import post
from payments.reconciliation.rules import fee_lines, settlement_lines, suspense_lines
from payments.settlement.actions import DaysNotFinal, DaysSettled, NotAnEnterprise, OwnSettlement, draft, issue
from payments.settlement.models import SettlementStatement
from payments.settlement.queries import settlement, settlements
from tests.commands import refused, run, told
from tests.finance.scene import promised, went
from tests.ground import Addresses
from tests.races import at_once
from tests.remittance.scene import CHECKER, DAY, MAKER, Unit
from tests.world import payee, staff

FIRST = date(2026, 6, 10)


@pytest.fixture
def shop(database: Addresses, at: Callable[[datetime], None], admin: psycopg.Connection[Any]) -> Unit:
    """An enterprise on the evening of 10 June."""
    at(datetime(2026, 6, 10, 12, tzinfo=UTC))
    return Unit(admin, at, payee("enterprise"))


def business(shop: Unit) -> date:
    """A day of 30 yuan, 3 of them back, fees, a difference and a settlement of which the bank has shown nothing."""
    went(promised(shop.takes(2000), 300), "succeed")
    shop.takes(1000)
    for kind, lines in (
        ("channel_fee", fee_lines(18)), ("difference", suspense_lines(5)), ("settlement", settlement_lines(2000)),
    ):  # fmt: skip
        post(kind, f"{kind}:flow1", shop.payee.id, clock.now(), lines)
    return shop.next_day()


def figures(found: SettlementStatement) -> tuple[int, ...]:
    return (
        found.opening_fen, found.paid_fen, found.refunded_fen, found.fee_fen, found.difference_fen, found.settled_fen,
        found.closing_fen, found.arrived_fen, found.open_fen,
    )  # fmt: skip


def arrived(shop: Unit, flow_id: str) -> None:
    """The bank has shown a settlement."""
    with shop.admin.transaction():
        shop.admin.execute("SET LOCAL session_replication_role = replica")
        shop.admin.execute(
            "INSERT INTO settlement_arrival (flow_id, statement_id, line, by_reference, found_at) "
            "VALUES (%s, 0, 1, true, now())",
            [flow_id],
        )


def test_a_statement_leads_from_what_wechat_held_to_what_it_holds(shop: Unit) -> None:
    day = business(shop)
    first = draft(shop.payee.id, day, day, MAKER)
    assert figures(first) == (0, 3000, 300, 18, 5, 2000, 687, 0, 2000)
    shop.takes(400)
    post("settlement", "settlement:flow2", shop.payee.id, clock.now(), settlement_lines(600))
    arrived(shop, "flow2")
    shop.next_day()
    second = draft(shop.payee.id, day + DAY, day + DAY, MAKER)
    assert figures(second) == (687, 400, 0, 0, 0, 600, 487, 600, 0)


def test_only_final_days_are_settled_and_each_once(shop: Unit) -> None:
    day = business(shop)
    for first, last in ((day, day + DAY), (day + DAY, day)):
        with pytest.raises(DaysNotFinal):
            draft(shop.payee.id, first, last, MAKER)
    draft(shop.payee.id, day, day, MAKER)
    with pytest.raises(DaysSettled):
        draft(shop.payee.id, day - DAY, day, MAKER)
    with pytest.raises(NotAnEnterprise):
        draft(payee("fiscal").id, day, day, MAKER)


def test_a_day_that_nobody_signed_off_holds_back_no_statement_of_other_days(shop: Unit, program: str) -> None:
    shop.takes(700)
    unsigned = shop.next_day(signed=False)
    day = business(shop)
    for first in (unsigned, unsigned - DAY):
        with pytest.raises(DaysNotFinal) as refusal:
            draft(shop.payee.id, first, day, MAKER)
        assert refusal.value.details == {"first": unsigned}
    made = draft(shop.payee.id, day, day, MAKER)
    assert (made.opening_fen, made.paid_fen) == (700, 3000)
    with pytest.raises(IntegrityConstraintViolation) as told_off:
        by_hand(program, A_STATEMENT, payee=shop.payee.id, **(FIT | {"paid": 700, "closing": 700}))
    assert told_off.value.diag.constraint_name in {
        "a_settlement_is_of_signed_off_days", "a_settlement_says_what_the_books_say",
    }  # fmt: skip
    shop.signs(unsigned)
    assert draft(shop.payee.id, unsigned, unsigned, MAKER).closing_fen == made.opening_fen


def test_a_page_of_statements_is_full_of_those_that_were_asked_for(shop: Unit) -> None:
    day = business(shop)
    shop.next_day()
    later = draft(shop.payee.id, day + DAY, day + DAY, MAKER)
    draft(shop.payee.id, day, day, MAKER)
    assert [each.key for each in settlements(first=day + DAY, limit=1)] == [later.key]


def test_makers_at_once_make_one_statement(app: Flask, shop: Unit) -> None:
    day = business(shop)
    deed = lambda: draft(shop.payee.id, day, day, MAKER)  # noqa: E731
    assert at_once(app, deed, deed, deed) == ["DaysSettled", "DaysSettled", "done"]
    assert len(settlements()) == 1


def test_finance_people_settle_at_a_terminal_and_take_a_workbook_out(
    app: Flask, shop: Unit, tmp_path: Path, admin: psycopg.Connection[Any]
) -> None:
    day = business(shop)
    maker, checker = staff("finance_maker"), staff("finance_checker")
    span = ("--first", day, "--last", day)
    assert refused(app, checker, "settlements", "draft", shop.payee.name, *span) == "not_permitted"
    first = told(app, maker, "settlements", "draft", shop.payee.name, *span)
    told(app, checker, "settlements", "reject", first["key"], "--because", "请核对")
    assert refused(app, checker, "settlements", "issue", first["key"], "--because", "同意") == "settlement_decided"
    key = told(app, maker, "settlements", "draft", shop.payee.key, *span)["key"]
    assert refused(app, checker, "settlements", "issue", key, "--because", " ") == "settlement_reason_missing"
    number = told(app, checker, "settlements", "issue", key, "--because", "已核对")["number"]
    assert number.startswith("JS2026-")
    [listed] = json.loads(run(app, checker, "settlements", "list", "--state", "issued", "--format", "json").stdout)
    assert (listed["number"], listed["closing_fen"], listed["open_fen"]) == (number, 687, 2000)
    assert "20.00" in run(app, checker, "settlements", "list").stdout
    assert settlements(first=day + DAY) == []
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE payee SET name = '=HYPERLINK(1)' WHERE id = %s", [shop.payee.id])
    file = tmp_path / "june.xlsx"
    words = ("settlements", "list", "--state", "issued", "--format", "xlsx", "--output", file)
    run(app, checker, *words)
    rows = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    assert rows[1][:3] == [number, "=HYPERLINK(1)", "2026-06-10"]
    assert rows[1][rows[0].index("收入（元）")] == 30
    assert refused(app, staff("price_officer"), *words) == "not_permitted"
    with transaction() as session:
        looks = select(AuditEntry.detail["form"].astext).filter_by(action="settlements.look").order_by(AuditEntry.id)
        assert session.scalars(looks).all() == ["json", "table", "xlsx"]


def test_nobody_issues_the_own_statement(shop: Unit) -> None:
    day = business(shop)
    made = draft(shop.payee.id, day, day, MAKER)
    with pytest.raises(OwnSettlement):
        issue(made.key, MAKER, "同意")
    issue(made.key, CHECKER, "已核对")
    assert settlement(made.key).state == "issued"


A_STATEMENT: LiteralString = """
INSERT INTO settlement_statement (key, payee_id, regime, days, opening_fen, paid_fen, refunded_fen, fee_fen,
                                  difference_fen, settled_fen, closing_fen, arrived_fen, made_by, made_at, state)
VALUES (gen_random_uuid(), %(payee)s, %(regime)s, daterange('2026-06-10', %(last)s, '[]'), 0, %(paid)s, 300, 18, 5,
        2000, %(closing)s, %(arrived)s, 'staff:1', now(), 'draft')
"""
FIT = {"regime": "SOE", "last": "2026-06-10", "paid": 3000, "closing": 687, "arrived": 0}


def by_hand(url: str, statement: LiteralString, **words: object) -> None:
    with psycopg.connect(url) as connection, connection.transaction():
        connection.execute(statement, words)


@pytest.mark.parametrize(
    ("other", "refusal", "constraint"),
    [
        ({"paid": 3001, "closing": 688}, IntegrityConstraintViolation, "a_settlement_says_what_the_books_say"),
        ({"arrived": 1}, IntegrityConstraintViolation, "a_settlement_says_what_the_books_say"),
        ({"last": "2026-06-11"}, IntegrityConstraintViolation, "a_settlement_is_of_signed_off_days"),
    ],
)
def test_a_statement_by_hand_says_what_the_books_say(
    shop: Unit, program: str, other: dict[str, object], refusal: type[psycopg.Error], constraint: str
) -> None:
    business(shop)
    with pytest.raises(refusal) as told_off:
        by_hand(program, A_STATEMENT, payee=shop.payee.id, **(FIT | other))
    assert told_off.value.diag.constraint_name == constraint
    by_hand(program, A_STATEMENT, payee=shop.payee.id, **FIT)
    with pytest.raises(ExclusionViolation):
        by_hand(program, A_STATEMENT, payee=shop.payee.id, **FIT)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'issued', number = 'x'", "a_settlement_that_was_decided_says_who_and_why"),
        (
            "state = 'issued', number = 'x', decided_by = 'staff:1', decided_at = now(), decided_because = 'x'",
            "a_settlement_is_decided_by_another_person",
        ),
        (
            "state = 'issued', decided_by = 'staff:2', decided_at = now(), decided_because = 'x'",
            "an_issued_settlement_has_its_number",
        ),
    ],
)
def test_a_statement_is_issued_whole_or_not(shop: Unit, program: str, change: LiteralString, constraint: str) -> None:
    day = business(shop)
    draft(shop.payee.id, day, day, MAKER)
    statement: LiteralString = "UPDATE settlement_statement SET "
    with pytest.raises(CheckViolation) as refusal:
        by_hand(program, statement + change)
    assert refusal.value.diag.constraint_name == constraint


def test_an_issued_statement_says_the_same_for_ever(shop: Unit, program: str, owner: str) -> None:
    day = business(shop)
    made = draft(shop.payee.id, day, day, MAKER)
    with pytest.raises(InsufficientPrivilege):
        by_hand(program, "UPDATE settlement_statement SET paid_fen = 1")
    issue(made.key, CHECKER, "已核对")
    for change in (
        "UPDATE settlement_statement SET state = 'draft'", "UPDATE settlement_statement SET number = 'x'",
        "UPDATE settlement_statement SET paid_fen = 1, closing_fen = 0", "DELETE FROM settlement_statement",
        "TRUNCATE settlement_statement",
    ):  # fmt: skip
        with pytest.raises(IntegrityConstraintViolation):
            by_hand(owner, change)


def test_a_treasurys_payee_is_not_settled_with_by_hand_either(shop: Unit, program: str) -> None:
    business(shop)
    nothing = A_STATEMENT.replace("300, 18, 5,", "0, 0, 0,").replace("2000,", "0,")
    fiscal = Unit(shop.admin, shop.move_to, payee("fiscal"))
    fiscal.signs(FIRST)
    with pytest.raises(ForeignKeyViolation) as refusal:
        by_hand(program, nothing, payee=fiscal.payee.id, **(FIT | {"paid": 0, "closing": 0}))
    assert refusal.value.diag.constraint_name == "a_settlement_has_its_payees_regime"
