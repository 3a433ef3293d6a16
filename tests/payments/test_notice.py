from collections.abc import Callable
from typing import Any

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from payments.charges import queries
from payments.charges.actions import apply_notice, check_order, withdraw
from payments.ledger.queries import lines_of
from payments.receipts.queries import own_receipts
from payments.reconciliation.actions import assign
from payments.reconciliation.queries import suspense
from payments.refunds.queries import to_be_given_back
from tests.payments.servers import Door, in_parallel
from tests.payments.world import (
    Till,
    books,
    cases,
    content,
    jobs,
    motorist_of,
    notice,
    order_of,
    owed,
    payments,
    state_of,
)
from tests.statements import statements

PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}
Twist = Callable[[dict[str, Any]], Any]


def test_a_notice_pays_the_charge_posts_it_asks_for_a_receipt_and_announces_it(till: Till, door: Door) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    assert till.redeliver(order) == [200]
    assert (state_of(charge), order_of(charge).state, jobs(charge)) == ("paid", "paid", 1)
    assert books(payee) == PAID
    assert [(each.request.kind, each.amount_fen) for each in own_receipts(motorist_of(charge))] == [
        ("fiscal_ebill", 1250)
    ]
    assert payments(charge)[0].transaction_id == till.wechat.order(order.out_trade_no)["transaction_id"]
    [journal] = queries.journals_of_charge(charge.key)
    assert [each.amount_fen for each in lines_of(journal.id)] == [1250, -1250]


def test_an_enterprises_customer_is_owed_a_tax_invoice(till: Till, door: Door) -> None:
    charge, order = till.ordered(till.enterprise_payee())
    till.paid(order)
    till.redeliver(order)
    assert [each.request.kind for each in own_receipts(motorist_of(charge))] == ["tax_invoice"]


def test_twenty_copies_at_the_same_moment_move_the_money_once(till: Till, door: Door) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    assert set(till.redeliver(order, copies=20)) == {200}
    assert (books(payee), jobs(charge), len(payments(charge))) == (PAID, 1, 1)


def test_twenty_notices_with_ids_of_their_own_about_one_payment_move_the_money_once(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    said = content(till, order, payee)
    in_parallel(till.app, 20, lambda: apply_notice(notice(said)))
    assert (books(payee), jobs(charge), len(payments(charge))) == (PAID, 1, 1)
    assert not cases(order.out_trade_no)


def test_a_notice_takes_two_statements_that_psycopg_converts_once(till: Till) -> None:
    payee = till.treasury_payee()
    _, order = till.ordered(payee)
    told = notice(content(till, order, payee))
    with statements() as sent:
        apply_notice(told)
    assert len(sent) == 2, sent
    assert max(map(len, sent)) <= MAX_CACHED_STATEMENT_LENGTH


def test_a_reissued_notice_is_thanked_and_changes_nothing(till: Till, door: Door) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    assert till.redeliver(order) + till.redeliver(order, new_id=True) == [200, 200]
    assert (books(payee), jobs(charge)) == (PAID, 1)


def test_a_notice_and_a_query_about_one_payment_move_the_money_once(till: Till, door: Door) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    check_order(order.id, till.pay)
    assert till.redeliver(order) == [200]
    assert (books(payee), jobs(charge)) == (PAID, 1)


FLIPS: dict[str, Twist] = {
    "sp_appid": lambda said: said.update(sp_appid="wx0000000000000000"),
    "sp_mchid": lambda said: said.update(sp_mchid="1600000009"),
    "sub_mchid": lambda said: said.update(sub_mchid="1999999999"),
    "out_trade_no": lambda said: said.update(out_trade_no=said["out_trade_no"][::-1]),
    "total": lambda said: said["amount"].update(total=1251),
    "total absent": lambda said: said["amount"].pop("total"),
    "currency": lambda said: said["amount"].update(currency="USD"),
    "currency absent": lambda said: said["amount"].pop("currency"),
    "payer": lambda said: said["payer"].update(sp_openid="o-somebody-else"),
    "payer absent": lambda said: said.pop("payer"),
    "transaction_id absent": lambda said: said.pop("transaction_id"),
    "success_time absent": lambda said: said.pop("success_time"),
}


@pytest.mark.parametrize("flip", FLIPS.values(), ids=FLIPS.keys())
def test_an_authentic_notice_with_one_wrong_field_moves_no_money_and_leaves_a_case(till: Till, flip: Twist) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    said = content(till, order, payee)
    flip(said)
    apply_notice(notice(said))
    assert (state_of(charge), books(payee), jobs(charge), payments(charge)) == ("created", {}, 0, [])
    assert len(cases(said["out_trade_no"])) == 1
    assert not own_receipts(motorist_of(charge))


def test_money_at_another_payees_sub_merchant_is_the_gravest_case(till: Till) -> None:
    payee = till.treasury_payee()
    _, order = till.ordered(payee)
    apply_notice(notice(content(till, order, payee) | {"sub_mchid": "1999999999"}))
    [case] = cases(order.out_trade_no)
    assert (case.severity, case.detail["fields"]) == (1, ["sub_mchid"])


def test_a_case_is_opened_once_though_the_wrong_notice_comes_again(till: Till) -> None:
    payee = till.treasury_payee()
    _, order = till.ordered(payee)
    said = content(till, order, payee) | {"sub_mchid": "1999999999"}
    apply_notice(notice(said))
    apply_notice(notice(said))
    assert len(cases(order.out_trade_no)) == 1


def test_after_a_wrong_notice_the_right_one_still_pays(till: Till, door: Door) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    assert till.forge(order, "wrong_amount") == [200]
    till.paid(order)
    assert till.redeliver(order) == [200]
    assert (state_of(charge), books(payee)) == ("paid", PAID)


def test_a_second_transaction_for_a_paid_order_is_a_case_and_no_money(till: Till) -> None:
    payee = till.treasury_payee()
    _, order = till.ordered(payee)
    apply_notice(notice(content(till, order, payee)))
    apply_notice(notice(content(till, order, payee)))
    assert books(payee) == PAID
    assert [each.kind for each in cases(order.out_trade_no)] == ["transaction_mismatch"]


def test_one_transaction_cannot_pay_two_orders(till: Till) -> None:
    payee = till.treasury_payee()
    _, first = till.ordered(payee)
    other, second = till.ordered(payee)
    said = content(till, first, payee)
    apply_notice(notice(said))
    apply_notice(notice(content(till, second, payee) | {"transaction_id": said["transaction_id"]}))
    assert (state_of(other), books(payee)) == ("created", PAID)
    assert [each.kind for each in cases(second.out_trade_no)] == ["transaction_mismatch"]


def test_a_refunded_order_counts_as_paid(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    apply_notice(notice(content(till, order, payee) | {"trade_state": "REFUND"}))
    assert (state_of(charge), books(payee)) == ("paid", PAID)


def test_a_coupon_of_wechats_does_not_lessen_what_was_paid(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    apply_notice(
        notice(content(till, order, payee) | {"amount": {"total": 1250, "payer_total": 1000, "currency": "CNY"}})
    )
    assert (state_of(charge), books(payee)) == ("paid", PAID)


@pytest.mark.parametrize("state", ["NOTPAY", "CLOSED", "SOMETHING_NEW"])
def test_a_success_notice_about_an_unpaid_order_moves_no_money_and_leaves_a_case(till: Till, state: str) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    told = notice(content(till, order, payee) | {"trade_state": state})
    apply_notice(told)
    assert (state_of(charge), books(payee)) == ("created", {})
    assert [each.kind for each in cases(told.id)] == ["unexpected_trade_state"]


def test_a_notice_of_an_unknown_kind_is_kept_and_leaves_a_case(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    told = notice(content(till, order, payee), event="TRANSACTION.SOMETHING_NEW")
    apply_notice(told)
    assert (state_of(charge), books(payee)) == ("created", {})
    assert [each.kind for each in cases(told.id)] == ["unknown_event"]


UNSTORABLE = rb'{"out_trade_no": "T\u0000", "trade_state": "SUCCESS"}'


@pytest.mark.parametrize("poison", [b"", b"\xff\xfe", b"[]", b'{"amount": 7}', b'{"a":' * 2000, UNSTORABLE])
def test_an_authentic_notice_that_nobody_can_read_is_kept_and_leaves_a_case(till: Till, poison: bytes) -> None:
    told = notice(poison)
    apply_notice(told)
    assert [each.kind for each in cases(told.id)] == ["unreadable_notice"]


def test_a_success_on_a_closed_charge_is_honoured_as_late_and_a_refund_is_due(till: Till) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    withdraw(charge.key, "test")
    check_order(order.id, till.pay)
    assert state_of(charge) == "closed"
    apply_notice(notice(content(till, order, payee)))
    assert (state_of(charge), books(payee), jobs(charge)) == ("paid_late", PAID, 0)
    assert to_be_given_back(1) == [payments(charge)[0].key]


def test_a_second_order_of_a_paid_charge_is_kept_in_suspense_until_it_goes_back(till: Till) -> None:
    payee = till.treasury_payee()
    charge, first = till.ordered(payee)
    till.later(14 * 60)
    till.prepare(charge)
    second = order_of(charge)
    apply_notice(notice(content(till, first, payee)))
    apply_notice(notice(content(till, second, payee)))
    assert books(payee) == {"wx_receivable": 2500, "customer_prepaid": -1250, "suspense_long": -1250}
    assert [each.surplus for each in payments(charge)] == [False, True]
    assert [(each.klass, each.fen) for each in suspense(payees=[payee.id])] == [("surplus", 1250)]
    [held] = suspense(payees=[payee.id])
    assign(held.key, "staff:7", "staff:1")
    [named] = suspense(payees=[payee.id])
    assert (held.owner, named.owner) == ("finance:330106", "staff:7")
    assert jobs(charge) == 1
    assert to_be_given_back(1) == [payments(charge)[1].key]


def test_when_an_older_order_is_paid_the_open_one_is_closed_at_wechat(till: Till) -> None:
    payee = till.treasury_payee()
    charge, first = till.ordered(payee)
    till.later(14 * 60)
    till.prepare(charge)
    second = order_of(charge)
    apply_notice(notice(content(till, first, payee)))
    check_order(second.id, till.pay)
    assert till.wechat.order(second.out_trade_no)["trade_state"] == "CLOSED"
    assert (order_of(charge).state, state_of(charge)) == ("closed", "paid")


def test_a_failure_in_the_middle_leaves_nothing_behind(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    told = notice(content(till, order, payee))
    monkeypatch.setattr("payments.charges.actions.settle._record_surplus", _refuse)
    with pytest.raises(ConnectionError):
        apply_notice(told)
    assert (state_of(charge), books(payee), payments(charge)) == ("created", {}, [])
    monkeypatch.undo()
    apply_notice(told)
    assert (state_of(charge), books(payee), jobs(charge)) == ("paid", PAID, 1)


def _refuse(*_: object, **__: object) -> None:
    raise ConnectionError


def test_charges_of_different_payees_never_share_a_book(till: Till) -> None:
    treasury, enterprise = till.treasury_payee(), till.enterprise_payee()
    for payee in (treasury, enterprise):
        _, order = till.ordered(payee)
        apply_notice(notice(content(till, order, payee)))
    assert books(treasury) == books(enterprise) == PAID
    assert owed(treasury).payee_id != owed(enterprise).payee_id
