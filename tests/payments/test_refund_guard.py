"""Never above what was paid: rivals in parallel, and hand-written SQL as the program's role."""

from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import (
    CheckViolation,
    ForeignKeyViolation,
    InsufficientPrivilege,
    IntegrityConstraintViolation,
)

from payments.charges.models import Charge, Payment
from payments.payees.models import Payee
from payments.refunds.queries import refunds_of
from tests.payments.world import Till, books, promised, reserved
from tests.races import at_once

A_REFUND: LiteralString = """
WITH born AS (
    INSERT INTO refund (key, payment_id, charge_id, channel_id, payee_id, regime, paid_fen, surplus, amount_fen,
                        from_prepaid_fen, reason, basis, asked_by, asked_at, alone_up_to_fen, out_refund_no, state,
                        moved_at, checks, on_moved)
    SELECT gen_random_uuid(), id, charge_id, channel_id, payee_id, %(regime)s, paid_fen, surplus, %(fen)s, 0,
           %(reason)s, %(basis)s, %(by)s, now(), 0, gen_random_uuid()::text, 'requested', now(), 0, 'job'
    FROM payment WHERE id = %(payment)s RETURNING id
)
INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at)
SELECT 'refund', id, '', 'requested', 'born', 'test', now() FROM born
"""
RESERVE: LiteralString = "UPDATE payment SET refund_reserved_fen = %(fen)s WHERE id = %(payment)s"
FIT = {"regime": "TREASURY", "reason": "overpaid", "basis": "多收", "by": "staff:1", "fen": 300}


def run(url: str, *statements: LiteralString, **words: object) -> None:
    with psycopg.connect(url) as connection, connection.transaction():
        for each in statements:
            connection.execute(each, words)


def test_of_rivals_who_each_want_most_of_a_payment_one_gets_it(
    till: Till, payee: Payee, paid: tuple[Charge, Payment]
) -> None:
    charge, payment = paid
    told = at_once(till.app, *[lambda: promised(payment, 700)] * 4)
    assert told == ["TooMuchRefunded"] * 3 + ["done"]
    assert (reserved(payment), books(payee)["refund_payable"]) == (700, -700)
    assert len(refunds_of(charge.id)) == 1


def test_small_rivals_together_never_take_more_than_was_paid(till: Till, payment: Payment) -> None:
    told = at_once(till.app, *[lambda: promised(payment, 300)] * 6)
    assert (told.count("done"), reserved(payment)) == (4, 1200)


def test_a_refund_cannot_be_added_without_being_reserved(payment: Payment, program: str) -> None:
    run(program, A_REFUND, RESERVE, payment=payment.id, **FIT)
    for statements in ([A_REFUND], [RESERVE]):
        with pytest.raises(IntegrityConstraintViolation) as refusal:
            run(program, *statements, payment=payment.id, **(FIT | {"fen": 301}))
        assert refusal.value.diag.constraint_name == "a_payment_reserves_what_is_refunded"


def test_two_transactions_that_both_saw_enough_cannot_both_commit(payment: Payment, program: str) -> None:
    words = FIT | {"fen": 700, "payment": payment.id}
    with psycopg.connect(program) as first, psycopg.connect(program) as second:
        first.execute(A_REFUND, words)
        second.execute(A_REFUND, words)
        first.execute(RESERVE, words)
        first.commit()
        second.execute(RESERVE, words)
        with pytest.raises(IntegrityConstraintViolation) as refusal:
            second.commit()
    assert refusal.value.diag.constraint_name == "a_payment_reserves_what_is_refunded"


@pytest.mark.parametrize(
    ("words", "constraint"),
    [
        ({"fen": 1251}, "a_refund_is_for_money_that_was_paid"),
        ({"fen": 0}, "a_refund_is_for_money_that_was_paid"),
        ({"reason": "whim"}, "a_refund_has_a_reason_from_the_list"),
        ({"reason": "goodwill"}, "nobody_gives_the_treasurys_money_away"),
        ({"basis": None}, "the_platform_returns_what_the_law_says_and_persons_say_why"),
        ({"by": "platform"}, "the_platform_returns_what_the_law_says_and_persons_say_why"),
        ({"by": "platform", "basis": None, "reason": "paid_late"}, "the_platform_returns_whole_payments"),
    ],
)
def test_what_no_refund_may_be_cannot_be_written(
    payment: Payment, program: str, words: dict[str, object], constraint: str
) -> None:
    with pytest.raises(CheckViolation) as refusal:
        run(program, A_REFUND, payment=payment.id, **(FIT | words))
    assert refusal.value.diag.constraint_name == constraint


def test_a_refund_is_of_its_payees_regime(payment: Payment, program: str) -> None:
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(program, A_REFUND, payment=payment.id, **(FIT | {"regime": "SOE"}))
    assert refusal.value.diag.constraint_name == "a_refund_has_its_payees_regime"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (
            "UPDATE refund SET decided_by = 'staff:1', decided_at = now() WHERE id = %(id)s",
            "a_refund_is_decided_by_another_person",
        ),
        ("UPDATE refund SET state = 'rejected' WHERE id = %(id)s", "somebody_rejects_a_refund"),
        ("UPDATE refund SET body = 'x' WHERE id = %(id)s", "a_refund_that_was_sent_says_what"),
    ],
)
def test_one_person_alone_cannot_let_a_large_refund_go(
    payment: Payment, program: str, change: LiteralString, constraint: str
) -> None:
    made = promised(payment, 300, alone_up_to=0)
    with pytest.raises(CheckViolation) as refusal:
        run(program, change, id=made.id)
    assert refusal.value.diag.constraint_name == constraint


def approved_by_hand(program: str, refund_id: int) -> str | None:
    """Write that a refund is approved, as the program's role; which constraint refuses it."""
    with pytest.raises(psycopg.IntegrityError) as refusal:
        run(program, "UPDATE refund SET state = 'approved' WHERE id = %(id)s", id=refund_id)
    return refusal.value.diag.constraint_name


def test_a_large_refund_of_an_enterprise_is_not_approved_by_one_person(till: Till, program: str) -> None:
    _, payment = till.paid_charge(till.enterprise_payee())
    made = promised(payment, 300, alone_up_to=299)
    assert approved_by_hand(program, made.id) == "a_large_refund_needs_two_persons"


def test_no_refund_of_the_treasurys_money_is_approved_by_one_person_whatever_number_it_names(
    payment: Payment, program: str
) -> None:
    generous = A_REFUND.replace("now(), 0, gen_random", "now(), 1000000, gen_random")
    run(program, generous, RESERVE, payment=payment.id, **FIT)
    [made] = refunds_of(payment.charge_id)
    assert approved_by_hand(program, made.id) == "the_treasurys_money_needs_two_persons"


@pytest.mark.parametrize("reason", ["paid_late", "paid_twice"])
def test_what_was_paid_once_and_in_time_does_not_go_back_as_if_the_law_said_so(
    payment: Payment, program: str, reason: str
) -> None:
    words = {"payment": payment.id, "by": "platform", "basis": None, "reason": reason, "fen": 1250}
    run(program, A_REFUND, RESERVE, **(FIT | words))
    [made] = refunds_of(payment.charge_id)
    assert approved_by_hand(program, made.id) == "the_treasurys_money_needs_two_persons"


def test_what_was_asked_for_never_changes(payment: Payment, owner: str, program: str) -> None:
    made = promised(payment, 300)
    raised: LiteralString = "UPDATE refund SET amount_fen = 400 WHERE id = %(id)s"
    with pytest.raises(InsufficientPrivilege):
        run(program, raised, id=made.id)
    for statement in (raised, "DELETE FROM refund WHERE id = %(id)s"):
        with pytest.raises(IntegrityConstraintViolation, match="terms of a refund are fixed"):
            run(owner, statement, id=made.id)


def test_a_refund_moves_only_along_its_graph(payment: Payment, program: str) -> None:
    made = promised(payment, 300)
    with pytest.raises(CheckViolation):
        run(program, "UPDATE refund SET state = 'success', body = 'x' WHERE id = %(id)s", id=made.id)
