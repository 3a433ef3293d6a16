"""Each line of a payee's bank is a thing that was expected, or what two persons say; and the bank holds enough."""

import uuid
from datetime import date
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask

from app.kernel import clock
from payments.bank.actions import accept_line, explain_line, import_statement, reject_line, watch_lines
from payments.bank.actions.lines import (
    LineExplained,
    MeaningDecided,
    MeaningReasonMissing,
    NoFeeToBear,
    OwnMeaning,
)
from payments.bank.queries import BankBalance, NoSuchLine, balances, unexplained
from payments.bank.rules.meanings import borne_lines
from payments.ledger.actions import post
from payments.parity.actions import NothingToCorrect, correct
from payments.parity.queries import differences
from payments.reconciliation.rules import fee_lines, settlement_lines
from payments.remittance.actions import send
from payments.remittance.queries import batch
from tests.commands import refused, told
from tests.payments.test_reconcile import hand_written
from tests.payments.world import cases
from tests.races import all_waiting_for, at_once
from tests.remittance.scene import CHECKER, DOCUMENT, MAKER, Unit
from tests.world import payee, staff

THIRD = "staff:3"
ACCOUNT = "571900000000009"


def shows(unit: Unit, *lines: str, opening: int = 1_000_000, day: date | None = None) -> uuid.UUID:
    """The bank's table of a day, today's if none is named: `+12.50|words` came in, `-12.50|words` left."""
    held, on = opening, day or unit.today
    rows = ["记账日期,收入,支出,余额,附言", f"{on},,,{opening / 100:.2f},期初余额"]
    for each in lines:
        fen, words = each.split("|")
        held += round(float(fen) * 100)
        came, left = (fen[1:], "") if fen.startswith("+") else ("", fen[1:])
        rows.append(f"{on},{came},{left},{held / 100:.2f},{words}")
    return import_statement(unit.payee.id, "csv", ACCOUNT, "\n".join(rows).encode(), MAKER).key


def loose(unit: Unit) -> list[tuple[int, int]]:
    return [(each.line, each.amount_fen) for each in unexplained(payees=[unit.payee.id], limit=None)]


def balance_of(unit: Unit) -> BankBalance:
    [found] = balances(payees=[unit.payee.id])
    return found


def kept_fees(unit: Unit, fen: int = 6) -> None:
    """WeChat kept this of what it paid out."""
    post("channel_fee", "fees:test", unit.payee.id, clock.now(), fee_lines(fen))


@pytest.mark.parametrize("words", ["退汇0042", f"缴款书{DOCUMENT}退回", "退"])
def test_what_the_bank_gave_back_is_found_by_the_number_that_its_line_names_or_as_the_only_choice(
    words: str, unit: Unit
) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    shows(unit, f"-12.50|缴款书{DOCUMENT}")
    unit.bounced(sent)
    shows(unit, f"+12.50|{words}", opening=998_750)
    assert (loose(unit), balance_of(unit).gap_fen) == ([], 0)


def test_what_came_back_is_nobodys_while_two_lines_fit_and_neither_names_it(unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    unit.bounced(unit.sent())
    shows(unit, "+12.50|退", "+12.50|退")
    assert loose(unit) == [(1, 1250), (2, 1250)]
    shows(unit, "+12.50|退汇0042", opening=1_002_500)
    assert loose(unit) == [(1, 1250), (2, 1250)]


def test_a_line_that_was_explained_before_its_document_was_sent_proves_no_batch_and_holds_up_no_statement(
    unit: Unit,
) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.approved()
    statement = shows(unit, f"-12.50|缴款书{DOCUMENT}")
    accept_line(explain_line(statement, 1, "elsewhere", MAKER, "不明").key, CHECKER, "同意")
    send(made.key, DOCUMENT, MAKER, "已缴")
    shows(unit, "-1.00|账户管理费", opening=998_750)
    assert (batch(made.key).state, loose(unit)) == ("sent", [(1, -100)])
    shows(unit, f"-12.50|缴款书{DOCUMENT}", opening=998_650)
    assert batch(made.key).state == "left"


def test_what_two_persons_say_of_a_line_while_it_is_found_to_be_a_batch_fails_no_statement(
    app: Flask, unit: Unit, admin: psycopg.Connection[Any]
) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.approved()
    statement = shows(unit, f"-12.50|缴款书{DOCUMENT}")
    asked = explain_line(statement, 1, "elsewhere", MAKER, "不明")
    send(made.key, DOCUMENT, MAKER, "已缴")
    deeds = (lambda: accept_line(asked.key, CHECKER, "同意"), lambda: shows(unit, "-1.00|x", opening=998_750))
    told_ = all_waiting_for(admin, ["SELECT FROM bank_line FOR UPDATE"], app, *deeds)
    assert (told_, batch(made.key).state) in ((["done", "done"], "sent"), (["LineExplained", "done"], "left"))


def test_fees_that_the_unit_paid_in_are_posted_by_two_and_the_bank_is_even_again(unit: Unit) -> None:
    unit.takes(1250)
    kept_fees(unit)
    unit.next_day()
    unit.sent()
    statement = shows(unit, f"-12.50|缴款书{DOCUMENT}", "+0.06|6月手续费")
    asked = explain_line(statement, 2, "fee_borne", MAKER, "6月手续费补足")
    assert [each.waiting for each in unexplained(payees=[unit.payee.id], limit=None)] == [asked.key]
    before = unit.books()
    accept_line(asked.key, CHECKER, "拨款单已核")
    assert (unit.books()["bank"], before["bank"]) == (before["bank"] + 6, -1250)
    assert ("wx_fee" in unit.books(), loose(unit)) == (False, [])
    assert [each for each in differences(unit.today) if each.kind == "fee_borne"] == []
    with pytest.raises(NothingToCorrect):
        correct("fee_borne", f"bank:{statement}:2", MAKER, "看错了")
    assert (balance_of(unit).gap_fen, balance_of(unit).closing_fen) == (0, 1_000_000 - 1250 + 6)


def test_no_more_is_borne_than_was_kept_and_only_of_what_came_in(unit: Unit) -> None:
    statement = shows(unit, "+0.06|6月手续费", "-0.06|账户管理费")
    kept_fees(unit, 5)
    with pytest.raises(NoFeeToBear):
        explain_line(statement, 2, "fee_borne", MAKER, "手续费")
    asked = explain_line(statement, 1, "fee_borne", MAKER, "手续费")
    with pytest.raises(NoFeeToBear):
        accept_line(asked.key, CHECKER, "已核")


def test_two_fees_that_are_accepted_at_once_are_no_more_than_was_kept(
    app: Flask, unit: Unit, admin: psycopg.Connection[Any]
) -> None:
    kept_fees(unit, 6)
    statement = shows(unit, "+0.06|6月手续费", "+0.06|6月手续费")
    asked = [explain_line(statement, line, "fee_borne", MAKER, "手续费").key for line in (1, 2)]
    deeds = (lambda key=key: accept_line(key, CHECKER, "已核") for key in asked)
    told_ = all_waiting_for(admin, ["SELECT FROM payee FOR UPDATE"], app, *deeds)
    assert (told_, "wx_fee" in unit.books()) == (["NoFeeToBear", "done"], False)


def test_a_line_is_explained_by_two_persons_once_with_a_reason(app: Flask, unit: Unit) -> None:
    statement = shows(unit, "-2.00|账户管理费")
    with pytest.raises(NoSuchLine):
        explain_line(statement, 9, "elsewhere", MAKER, "账户管理费")
    with pytest.raises(MeaningReasonMissing):
        explain_line(statement, 1, "elsewhere", MAKER, " ")
    asked = explain_line(statement, 1, "elsewhere", MAKER, "账户管理费")
    with pytest.raises(LineExplained):
        explain_line(statement, 1, "elsewhere", THIRD, "账户管理费")
    with pytest.raises(OwnMeaning):
        accept_line(asked.key, MAKER, "同意")
    reject_line(asked.key, CHECKER, "请附凭证")
    with pytest.raises(MeaningDecided):
        accept_line(asked.key, CHECKER, "同意")
    again = explain_line(statement, 1, "elsewhere", MAKER, "凭证已附")
    told_ = at_once(app, *(lambda by=by: accept_line(again.key, by, "同意") for by in (CHECKER, THIRD)))
    assert (told_, loose(unit)) == (["MeaningDecided", "done"], [])
    with pytest.raises(LineExplained):
        explain_line(statement, 1, "elsewhere", MAKER, "再说一次")


def test_the_banks_balance_is_held_against_the_books_and_a_statement_that_is_missing_or_told_twice_is_seen(
    unit: Unit,
) -> None:
    post("settlement", "settlement:77", unit.payee.id, clock.now(), settlement_lines(994))
    shows(unit, "-2.00|账户管理费")
    seen = balance_of(unit)
    assert (seen.ledger_fen, seen.in_transit_fen, seen.unexplained_fen, seen.gap_fen) == (994, 994, -200, 0)
    unit.next_day()
    shows(unit, "-3.00|账户管理费", opening=990_000)
    assert balance_of(unit).gap_fen == -9_800
    post("gift", "gift:1", unit.payee.id, clock.now(), settlement_lines(9_800))
    assert balance_of(unit).gap_fen == -19_600


def test_a_person_hears_of_each_line_that_nothing_explains_for_three_days_and_of_balances_apart(unit: Unit) -> None:
    statement = shows(unit, "-2.00|账户管理费")
    assert watch_lines() == 0
    for _ in range(4):
        unit.next_day()
    shows(unit, "-3.00|账户管理费", opening=990_000)
    assert (watch_lines(), watch_lines()) == (2, 2)
    [found] = cases(f"bank:{statement}:1")
    assert (found.kind, found.detail["owner"]) == ("bank_line_unexplained", "finance:330106")
    assert [each.kind for each in cases(f"bank_balance:{unit.payee.id}:")] == ["bank_balance_differs"]


def test_nobody_is_told_of_lines_that_came_before_lines_were_explained(
    unit: Unit, admin: psycopg.Connection[Any]
) -> None:
    shows(unit, "-2.00|账户管理费")
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE bank_statement SET is_watched = false")
    for _ in range(4):
        unit.next_day()
    assert (watch_lines(), loose(unit)) == (0, [(1, -200)])


ACCEPT: LiteralString = (
    "UPDATE line_meaning SET state = 'accepted', decided_by = %(by)s, decided_at = now(), decided_because = 'x'"
)
ACCEPT_ONE: LiteralString = ACCEPT + " WHERE line = %(line)s"
A_SETTLEMENT: LiteralString = """
INSERT INTO settlement_arrival (flow_id, statement_id, line, by_reference, found_at)
SELECT '77', id, 1, true, now() FROM bank_statement
"""
ANOTHERS_FEE: LiteralString = """
INSERT INTO line_meaning (key, statement_id, line, payee_id, regime, amount_fen, meaning, because, made_by, made_at,
                          state)
SELECT gen_random_uuid(), id, 2, payee_id, 'TREASURY', -6, 'fee_borne', 'x', 'staff:9', now(), 'waiting'
FROM bank_statement
"""


def test_the_database_itself_lets_a_bank_line_be_one_thing_by_two_persons_and_in_the_books(
    unit: Unit, program: str
) -> None:
    kept_fees(unit)
    statement = shows(unit, "+0.06|6月手续费", "-0.06|账户管理费")
    assert hand_written(program, ANOTHERS_FEE) == "a_unit_bears_the_treasurys_fees"
    asked = explain_line(statement, 1, "fee_borne", MAKER, "手续费")
    assert hand_written(program, ACCEPT, by=MAKER) == "a_meaning_is_decided_by_another_person"
    assert hand_written(program, ACCEPT, by=CHECKER) == "a_borne_fee_is_in_the_books"
    accept_line(asked.key, CHECKER, "已核")
    assert hand_written(program, A_SETTLEMENT) == "a_bank_line_is_one_thing"
    assert hand_written(program, "UPDATE line_meaning SET state = 'rejected'") == "a_meaning_is_decided_once"


def test_the_database_itself_lets_no_other_sum_be_borne_no_other_payee_bear_it_and_no_more_than_was_kept(
    unit: Unit, program: str
) -> None:
    kept_fees(unit, 5)
    statement = shows(unit, "+0.06|1", "+0.06|2", "+0.06|3")
    posted_ = ((payee().id, 6), (unit.payee.id, 4), (unit.payee.id, 6))
    told_ = []
    for line, (bearer, fen) in enumerate(posted_, 1):
        explain_line(statement, line, "fee_borne", MAKER, "手续费")
        post("fee_borne", f"bank:{statement}:{line}", bearer, clock.now(), borne_lines(fen))
        told_.append(hand_written(program, ACCEPT_ONE, by=CHECKER, line=line))
    assert told_ == ["a_borne_fee_is_in_the_books"] * 2 + ["no_more_is_borne_than_was_kept"]


def test_finance_people_explain_bank_lines_at_a_terminal(app: Flask, unit: Unit) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    kept_fees(unit)
    statement = shows(unit, "+0.06|6月手续费")
    [seen] = told(app, maker, "reconciliation", "bank-lines")
    assert (seen["statement"], seen["line"], seen["owner"]) == (str(statement), 1, "finance:330106")
    named = ("reconciliation", "explain-line", statement, 1, "--is", "fee_borne", "--because", "手续费补足")
    asked = told(app, maker, *named)["key"]
    assert refused(app, maker, "reconciliation", "accept-line", asked, "--because", "同意") == "not_permitted"
    told(app, checker, "reconciliation", "reject-line", asked, "--because", "请附拨款单")
    again = told(app, maker, *named)["key"]
    told(app, checker, "reconciliation", "accept-line", again, "--because", "拨款单已核")
    states = [each["state"] for each in told(app, checker, "reconciliation", "line-meanings")]
    [balance] = told(app, checker, "reconciliation", "bank-balances")
    assert (states, balance["ledger_fen"], balance["gap_fen"]) == (["accepted", "rejected"], 6, 0)
