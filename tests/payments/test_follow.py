"""What bill and books say differently WeChat is asked about; what it confirms is done, the rest is a person's."""

from collections.abc import Iterator
from datetime import date, datetime
from importlib import import_module
from typing import Any

import psycopg
import pytest

from app.kernel.clock import SHANGHAI
from payments.bills.actions import expect_bills, fetch
from payments.bills.queries import FUND_FLOW, TRADE, bill_day
from payments.charges.actions import ask_about
from payments.charges.actions.rounds import LEASE
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from payments.reconciliation import actions
from payments.reconciliation.queries import differences_of
from tests.payments.months import Shop
from tests.payments.papers import KEEP_DAYS, payment
from tests.payments.world import Till, books, cases, now_of, payments, promised, sent, state_of

JOB = "tests.bill_loaded"


@pytest.fixture
def noon(till: Till) -> Iterator[datetime]:
    """It is noon for us and for WeChat."""
    now = datetime.now(SHANGHAI)
    till.clock_file.write_text(str((now.replace(hour=12, minute=0) - now).total_seconds()))
    yield now
    till.wechat.control("DELETE", "/bills")


def morning(till: Till, payee: Payee, day: date) -> None:
    """It is 10:01 of the next day, and both bills have come and were compared."""
    till.later(22 * 3600 + 60)
    expect_bills()
    for kind in (TRADE, FUND_FLOW):
        due = bill_day(channel_of(payee.id).sub_mchid, day, kind).id
        fetch(due, till.pay, JOB, KEEP_DAYS)
        actions.match_again(due)


def differing(payee: Payee, day: date) -> list[tuple[str, str]]:
    return [(each.klass, each.state) for each in differences_of(channel_of(payee.id).id, day)]


def test_a_payment_of_which_nobody_told_us_is_found_by_the_bill_and_takes_the_usual_path(
    till: Till, payee: Payee, noon: datetime
) -> None:
    charge, order = till.ordered(payee)
    till.paid(order)
    morning(till, payee, noon.date())
    assert differing(payee, noon.date()) == [("missing_here", "open")]
    assert books(payee) == {}
    assert actions.follow(till.pay) >= 1
    assert (state_of(charge), differing(payee, noon.date())) == ("paid", [])
    assert books(payee) == {"wx_receivable": 1250, "customer_prepaid": -1250}


def test_a_day_that_agrees_is_signed_off_and_both_books_say_the_same(till: Till, payee: Payee, noon: datetime) -> None:
    _, paid = till.paid_charge(payee)
    back = promised(paid, 300)
    till.bring(back)
    till.later(6)
    till.later(60)
    till.bring(now_of(back))
    morning(till, payee, noon.date())
    assert differing(payee, noon.date()) == []
    actions.propose(channel_of(payee.id).id, noon.date(), "staff:1")
    actions.sign(channel_of(payee.id).id, noon.date(), "staff:2")
    assert books(payee)["wx_receivable"] == 1250 - 300 - 6
    assert books(payee)["wx_fee"] == 6


def test_a_refund_that_ended_after_the_bill_was_made_is_confirmed_by_wechat(
    till: Till, payee: Payee, noon: datetime
) -> None:
    _, paid = till.paid_charge(payee)
    back = sent(till, paid)
    till.later(21 * 3600 + 1800)
    till.comes_to(back, "SUCCESS")
    till.bring(back)
    till.later(-21 * 3600 - 1800)
    morning(till, payee, noon.date())
    assert differing(payee, noon.date()) == [("status_stale", "open")]
    actions.follow(till.pay)
    assert differing(payee, noon.date()) == [("status_stale", "agreed")]


def test_while_wechat_is_silent_nothing_is_concluded(till: Till, payee: Payee, noon: datetime) -> None:
    charge, order = till.ordered(payee)
    till.paid(order)
    morning(till, payee, noon.date())
    till.fail("error_500", "query")
    actions.follow(till.pay)
    assert (differing(payee, noon.date()), payments(charge)) == ([("missing_here", "open")], [])
    [found] = differences_of(channel_of(payee.id).id, noon.date())
    assert found.next_check_at is not None
    till.later(601)
    actions.follow(till.pay)
    assert differing(payee, noon.date()) == []


def test_whoever_dies_after_the_last_look_and_before_the_comparison_leaves_it_due(
    till: Till, payee: Payee, noon: datetime, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, order = till.ordered(payee)
    till.paid(order)
    morning(till, payee, noon.date())
    [found] = differences_of(channel_of(payee.id).id, noon.date())
    admin.execute("UPDATE difference SET tries = 4 WHERE id = %s", (found.id,))
    monkeypatch.setattr(import_module("payments.reconciliation.actions.follow"), "reconcile", _die)
    with pytest.raises(SystemExit):
        actions.follow(till.pay)
    monkeypatch.undo()
    assert differing(payee, noon.date()) == [("missing_here", "open")]
    till.later(LEASE.total_seconds() + 1)
    actions.follow(till.pay)
    assert differing(payee, noon.date()) == []


def _die(*_: object) -> None:
    raise SystemExit


def test_a_difference_that_cannot_be_looked_at_keeps_no_other_from_being_compared(
    till: Till, payee: Payee, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [till.ordered(payee)[1] for _ in range(2)]
    for order in orders:
        till.paid(order)
    morning(till, payee, noon.date())

    def failing(number: str, *told: Any) -> str:
        if number == orders[0].out_trade_no:
            raise RuntimeError
        return ask_about(number, *told)

    monkeypatch.setattr(import_module("payments.reconciliation.actions.follow"), "ask_about", failing)
    with pytest.raises(ExceptionGroup):
        actions.follow(till.pay)
    assert differing(payee, noon.date()) == [("missing_here", "open")]


def test_what_we_have_and_wechat_never_got_is_a_case_of_the_first_rank(
    till: Till, payee: Payee, noon: datetime, admin: psycopg.Connection[Any]
) -> None:
    shop = Shop(admin, payee)
    line = payment(owner=shop.owner(noon.date()))
    shop.knows([line])
    morning(till, payee, noon.date())
    assert differing(payee, noon.date()) == [("missing_there", "open")]
    actions.follow(till.pay)
    [found] = differences_of(shop.channel_id, noon.date())
    assert [(each.kind, each.severity) for each in cases(str(found.key))] == [("paid_here_not_there", 1)]
