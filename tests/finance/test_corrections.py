"""A journal that is not what happened is reversed by two persons, and what happened stands in its place."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask

from app.domain.finance.actions import check_books
from app.kernel.db import transaction
from payments.charges.models import Order, Payment
from payments.ledger.actions import post
from payments.ledger.queries import closed_through, journal_named, trial_balance
from payments.ledger.rules import paid_lines
from payments.parity.actions import (
    CorrectionDecided,
    CorrectionOutdated,
    CorrectionReasonMissing,
    CorrectionWaits,
    JournalReversed,
    NothingToCorrect,
    OwnCorrection,
    accept_correction,
    correct,
    reject_correction,
)
from payments.parity.models import Correction
from payments.parity.queries import corrections, differences
from tests.commands import refused, told
from tests.finance.scene import earned, kinds_found_right, paid_charge, paid_twice, promised, rejected, spoilt, went
from tests.payments.test_reconcile import hand_written
from tests.races import at_once
from tests.world import payee, staff

TODAY = date(2026, 6, 10)
DAY = timedelta(days=1)
MAKER, CHECKER, THIRD = "staff:1", "staff:2", "staff:3"
WRONG = ("settlement", "settlement:42")
Move = Callable[[datetime], None]


@pytest.fixture
def program(database_urls: tuple[str, str]) -> str:
    """A connection string of the program's own role, for hand-written SQL."""
    return database_urls[1].replace("postgresql+psycopg", "postgresql")


def books() -> dict[str, int]:
    return {each.code: each.amount_fen for each in trial_balance(payee().id) if each.amount_fen}


def posted_by_hand(at: datetime) -> None:
    post(*WRONG, payee().id, at, paid_lines(700))


def test_a_journal_that_nothing_explains_is_reversed_by_two_and_the_day_can_be_closed(
    evening: datetime, at: Move
) -> None:
    earned(paid_charge(payee()))
    before = books()
    posted_by_hand(evening)
    at(evening + DAY)
    assert (check_books(), closed_through()) == (2, None)
    asked = correct(*WRONG, MAKER, "手工凭证无依据")
    assert check_books() == 2
    accept_correction(asked.key, CHECKER, "已核")
    assert (books(), differences(TODAY), check_books(), closed_through()) == (before, [], 0, TODAY)


def test_what_stands_for_a_promise_is_taken_back_with_it(evening: datetime, admin: psycopg.Connection[Any]) -> None:
    payment = paid_charge(payee())
    earned(payment)
    before = books()
    made = promised(payment, 300, alone_up_to_fen=0)
    reference = spoilt(admin, "refund_request")
    accept_correction(correct("refund_request", reference, MAKER, "金额有误").key, CHECKER, "已核")
    rejected(made)
    assert (books(), [each for each in differences(TODAY) if each.what != "altered"]) == (before, [])
    with pytest.raises(JournalReversed):
        correct("reversal", f"correction/refund_request/{reference}", MAKER, "再冲一次")


@pytest.mark.parametrize("kind", ["payment", "recognition", "refund_request"])
def test_what_happened_is_posted_in_place_of_what_was_wrong_and_nobody_types_it(
    kind: str, evening: datetime, at: Move, admin: psycopg.Connection[Any]
) -> None:
    payment = paid_charge(payee())
    earned(payment)
    promised(payment, 300)
    before = books()
    reference = spoilt(admin, kind)
    at(evening + 3 * DAY)
    assert {each.what for each in differences(TODAY)} >= {"posted", "expected"}
    accept_correction(correct(kind, reference, MAKER, "金额有误").key, CHECKER, "已核")
    for since in (TODAY, TODAY + 3 * DAY):
        assert [each for each in differences(since) if each.what != "altered"] == []
    assert books() == before
    assert journal_named("correction", f"{kind}/{reference}").event_at == journal_named(kind, reference).event_at


def test_the_books_are_corrected_by_two_persons_with_a_reason_and_only_where_they_are_wrong(evening: datetime) -> None:
    payment = paid_charge(payee())
    with pytest.raises(NothingToCorrect):
        correct("payment", "order:" + _number(payment), MAKER, "看错了")
    posted_by_hand(evening)
    with pytest.raises(CorrectionReasonMissing):
        correct(*WRONG, MAKER, " ")
    asked = correct(*WRONG, MAKER, "手工凭证无依据")
    with pytest.raises(CorrectionWaits):
        correct(*WRONG, THIRD, "手工凭证无依据")
    with pytest.raises(OwnCorrection):
        accept_correction(asked.key, MAKER, "同意")
    reject_correction(asked.key, CHECKER, "请附依据")
    with pytest.raises(CorrectionDecided):
        accept_correction(asked.key, CHECKER, "同意")
    again = correct(*WRONG, MAKER, "依据已附")
    accept_correction(again.key, CHECKER, "同意")
    for named in (WRONG, ("reversal", "settlement/settlement:42")):
        with pytest.raises(JournalReversed):
            correct(*named, MAKER, "再冲一次")
    assert [each.state for each in corrections()] == ["accepted", "rejected"]


def test_no_journal_of_payments_and_refunds_that_says_what_happened_is_corrected(evening: datetime) -> None:
    payment = paid_charge(payee())
    earned(payment)
    for words in (["succeed"], ["fail", "succeed"], ["fail", "close"]):
        went(promised(payment, 100), *words)
    rejected(promised(payment, 100, alone_up_to_fen=0))
    paid_twice(payee())
    assert kinds_found_right() == {
        "payment", "recognition", "surplus", "refund_request", "refund_success", "refund_abnormal",
        "refund_recovered", "reversal",
    }  # fmt: skip


def test_what_both_agreed_on_is_posted_or_nothing(evening: datetime, admin: psycopg.Connection[Any]) -> None:
    payment = paid_charge(payee())
    reference = spoilt(admin, "payment")
    asked = correct("payment", reference, MAKER, "金额有误")
    assert [each.instead for each in corrections()] == ["customer_prepaid -1250、wx_receivable 1250"]
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE payment SET paid_fen = 1200 WHERE id = %s", [payment.id])
    with pytest.raises(CorrectionOutdated):
        accept_correction(asked.key, CHECKER, "已核")


def test_two_who_agree_at_once_correct_once(app: Flask, evening: datetime) -> None:
    posted_by_hand(evening)
    asked = correct(*WRONG, MAKER, "手工凭证无依据")
    told_ = at_once(app, *(lambda by=by: accept_correction(asked.key, by, "同意") for by in (CHECKER, THIRD)))
    assert (told_, books()) == (["CorrectionDecided", "done"], {})


ACCEPT: LiteralString = (
    "UPDATE correction SET state = 'accepted', decided_by = %(by)s, decided_at = now(), decided_because = 'x'"
)
INSTEAD: LiteralString = """
SELECT post_journal('correction', 'settlement/settlement:42', payee_id, now(), current_date, sha256('x'), NULL,
                    ARRAY['wx_receivable', 'customer_prepaid'], ARRAY[7::bigint, -7]) FROM journal LIMIT 1
"""


def test_the_database_itself_corrects_nothing_by_one_person_or_without_its_reversal(
    evening: datetime, program: str
) -> None:
    posted_by_hand(evening)
    assert hand_written(program, INSTEAD) == "what_stands_for_a_journal_was_agreed"
    asked: Correction = correct(*WRONG, MAKER, "手工凭证无依据")
    assert hand_written(program, INSTEAD) == "what_stands_for_a_journal_was_agreed"
    assert hand_written(program, ACCEPT, by=MAKER) == "a_correction_is_decided_by_another_person"
    assert hand_written(program, ACCEPT, by=CHECKER) == "an_accepted_correction_is_posted"
    accept_correction(asked.key, CHECKER, "同意")
    assert hand_written(program, "UPDATE correction SET state = 'rejected'") == "a_correction_is_decided_once"


AGREED: LiteralString = """
SELECT post_journal('reversal', 'payment/' || business_ref, payee_id, now(), current_date, sha256('x'), id,
                    ARRAY['wx_receivable', 'customer_prepaid'], ARRAY[-2500::bigint, 2500])
FROM journal WHERE kind = 'payment';
SELECT post_journal('correction', 'payment/' || business_ref, coalesce({payee}, payee_id), now(), current_date,
                    sha256('x'), NULL, ARRAY['wx_receivable', 'customer_prepaid'], ARRAY[{fen}::bigint, -{fen}])
FROM journal WHERE kind = 'payment' AND {fen} > 0
"""


@pytest.mark.parametrize(
    ("payee_id", "fen", "broken"),
    [
        ("NULL", "0", "an_accepted_correction_is_posted"),
        ("NULL", "1249", "what_stands_for_a_journal_was_agreed"),
        (
            "(SELECT max(payee.id) FROM payee WHERE payee.id <> journal.payee_id)",
            "1250",
            "what_stands_for_a_journal_was_agreed",
        ),
    ],
)
def test_the_database_itself_posts_what_was_agreed_on_to_the_fen_and_for_no_other_payee(
    payee_id: LiteralString, fen: LiteralString, broken: str, evening: datetime, program: str,
    admin: psycopg.Connection[Any],
) -> None:  # fmt: skip
    paid_charge(payee())
    payee("fiscal")
    correct("payment", spoilt(admin, "payment"), MAKER, "金额有误")
    accepted = ACCEPT.replace("%(by)s", "'staff:2'")
    posted = AGREED.replace("{payee}", payee_id).replace("{fen}", fen)
    assert hand_written(program, accepted + ";" + posted) == broken


def test_finance_people_correct_a_journal_at_a_terminal(app: Flask, evening: datetime) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    posted_by_hand(evening)
    asked = told(app, maker, "ledger", "correct", *WRONG, "--because", "手工凭证无依据")["key"]
    assert refused(app, maker, "ledger", "accept-correction", asked, "--because", "同意") == "not_permitted"
    [seen] = told(app, checker, "ledger", "corrections", "--state", "waiting")
    assert (seen["kind"], seen["reference"], seen["made_by"]) == (*WRONG, maker.label)
    told(app, checker, "ledger", "reject-correction", asked, "--because", "请附依据")
    again = told(app, maker, "ledger", "correct", *WRONG, "--because", "依据已附")["key"]
    assert told(app, checker, "ledger", "accept-correction", again, "--because", "同意")["state"] == "accepted"
    assert told(app, None, "ledger", "parity")["differences"] == 0


def _number(payment: Payment) -> str:
    with transaction() as session:
        return session.get_one(Order, payment.order_id).out_trade_no
