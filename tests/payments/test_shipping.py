"""WeChat is told that what was paid for was rendered, where it wants to know (发货信息管理)."""

import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.adapters.trade import Told
from app.kernel import clock
from app.kernel.db import transaction
from app.wiring import wiring
from launcher.processes import await_that
from payments.charges.actions import check_order, recognise
from payments.charges.models import Charge, Payment
from payments.payees.models import Payee
from payments.shipping.actions import ask_whether_managed, find_rendered, report_due
from payments.shipping.models import Shipment
from payments.shipping.queries import shipment_of, word_on_trade
from tests.mortals import born
from tests.payments.mortal import tell_of_services
from tests.payments.servers import in_parallel
from tests.payments.world import OPENID, Till, cases, order_of, owed, payments, promised
from tests.races import somebody_waits

Paid = tuple[Charge, Payment]


@pytest.fixture
def managed(till: Till) -> Till:
    """WeChat wants to be told, and we know it."""
    comes_to_want_it(till)
    return till


def comes_to_want_it(till: Till) -> None:
    """WeChat wants to be told from now on, and we hear of it."""
    till.wechat.control("POST", "/switches", {"trade_managed": True})
    till.later(601)
    assert ask_whether_managed(wiring().trade)


def rendered(paid: Paid) -> Shipment:
    charge, payment = paid
    recognise(charge.key)
    return shipment(payment)


def shipment(payment: Payment) -> Shipment:
    found = shipment_of(payment.id)
    assert found is not None
    return found


def told(till: Till, charge: Charge) -> list[dict[str, object]]:
    """What WeChat was told of the charge's order."""
    shown: list[dict[str, object]] = till.wechat.order(order_of(charge).out_trade_no)["shipped"]
    return shown


def test_what_was_rendered_is_reported_once(managed: Till, paid: Paid) -> None:
    assert rendered(paid).state == "due"
    assert (report_due(wiring().trade), report_due(wiring().trade)) == (1, 0)
    assert shipment(paid[1]).state == "reported"
    [said] = told(managed, paid[0])
    assert (said["logistics_type"], said["payer"]) == (3, {"openid": OPENID})
    assert said["shipping_list"] == [{"item_desc": paid[0].description}]


def test_what_goes_back_whole_is_not_reported(managed: Till, paid: Paid) -> None:
    promised(paid[1], 1250)
    recognise(paid[0].key)
    assert shipment_of(paid[1].id) is None


def test_where_wechat_wants_nothing_nothing_is_noted(till: Till, paid: Paid) -> None:
    till.later(601)
    ask_whether_managed(wiring().trade)
    recognise(paid[0].key)
    assert find_rendered() == 0
    assert shipment_of(paid[1].id) is None


@pytest.mark.parametrize("asked_before", [False, True], ids=["never-asked", "said-no"])
def test_what_was_rendered_before_wechat_wanted_to_know_is_reported_when_it_does(
    till: Till, paid: Paid, asked_before: bool
) -> None:
    if asked_before:
        assert ask_whether_managed(wiring().trade)
    recognise(paid[0].key)
    done = clock.now()
    comes_to_want_it(till)
    assert (find_rendered(), find_rendered()) == (1, 0)
    assert shipment(paid[1]).rendered_at <= done
    assert report_due(wiring().trade) == 1
    assert (shipment(paid[1]).state, len(told(till, paid[0]))) == ("reported", 1)


def test_what_is_paid_and_not_rendered_yet_is_noted_when_it_is_and_not_before(till: Till, paid: Paid) -> None:
    comes_to_want_it(till)
    assert find_rendered() == 1
    assert shipment_of(paid[1].id) is None
    assert rendered(paid).state == "due"


def test_looking_back_goes_on_where_it_was_left_and_ends_at_thirty_days(till: Till, payee: Payee) -> None:
    old, young, younger = [paid_and_rendered(till, payee, days) for days in (25, 6, 0)]
    comes_to_want_it(till)
    assert [find_rendered(limit=1) for _ in range(3)] == [1, 1, 0]
    assert [shipment_of(each[1].id) is not None for each in (old, young, younger)] == [False, True, True]


def paid_and_rendered(till: Till, payee: Payee, days: int) -> Paid:
    """Paid and rendered, and then so many days pass."""
    paid = till.paid_charge(payee)
    recognise(paid[0].key)
    till.later(timedelta(days=days).total_seconds())
    return paid


def test_of_what_was_paid_together_one_report_is_found_and_of_what_went_back_whole_none(
    till: Till, payee: Payee
) -> None:
    charges = [owed(payee), owed(payee)]
    till.pays(till.prepare_together(charges))
    check_order(order_of(charges[0]).id, till.pay)
    returned = till.paid_charge(payee)
    promised(returned[1], 1250)
    for each in (*charges, returned[0]):
        recognise(each.key)
    comes_to_want_it(till)
    find_rendered()
    assert [shipment_of(each.id) is not None for each in (payments(charges[0])[0], payments(charges[1])[0])] == [
        True, False,
    ]  # fmt: skip
    assert shipment_of(returned[1].id) is None


def test_whoever_notes_nothing_while_wechat_comes_to_want_it_is_waited_for(
    till: Till, paid: Paid, admin: psycopg.Connection[Any]
) -> None:
    def want_and_find() -> int:
        comes_to_want_it(till)
        return find_rendered()

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            recognise(paid[0].key)
            sought = pool.submit(in_parallel, till.app, 1, want_and_find)
            assert await_that(lambda: sought.done() or somebody_waits(admin), seconds=5)
        sought.result()
    assert shipment(paid[1]).state == "due"


def test_of_what_is_older_than_its_wish_wechat_may_want_nothing(till: Till, paid: Paid) -> None:
    recognise(paid[0].key)
    comes_to_want_it(till)
    find_rendered()
    till.wechat.control("POST", "/faults", {"kind": "errcode", "operation": "upload_shipping", "errcode": 10060004})
    report_due(wiring().trade)
    assert shipment(paid[1]).state == "refused"
    assert cases(f"shipment:{shipment(paid[1]).id}") == []


def test_wechats_word_holds_for_ten_minutes_and_through_its_silence(managed: Till) -> None:
    assert not ask_whether_managed(wiring().trade)
    managed.wechat.control("POST", "/switches", {"trade_managed": False})
    managed.later(601)
    managed.fail("error_500", "is_trade_managed", times=2)
    ask_whether_managed(wiring().trade)
    assert (word := word_on_trade()) is not None
    assert word.managed
    managed.wechat.control("DELETE", "/faults")
    ask_whether_managed(wiring().trade)
    assert (word := word_on_trade()) is not None
    assert not word.managed


@pytest.mark.parametrize("fault", ["error_500", "reset_after", "error_500_after"])
def test_without_an_answer_it_is_told_again_and_counts_once(managed: Till, paid: Paid, fault: str) -> None:
    rendered(paid)
    managed.fail(fault, "upload_shipping")
    report_due(wiring().trade)
    assert shipment(paid[1]).state == "due"
    managed.later(61)
    report_due(wiring().trade)
    assert (shipment(paid[1]).state, len(told(managed, paid[0]))) == ("reported", 1)


def test_a_token_that_wechat_dislikes_is_replaced(managed: Till, paid: Paid) -> None:
    rendered(paid)
    managed.wechat.control("POST", "/revoke-tokens", {})
    report_due(wiring().trade)
    assert shipment(paid[1]).state == "reported"


def test_what_wechat_refuses_is_a_persons(managed: Till, paid: Paid) -> None:
    made = rendered(paid)
    managed.wechat.control("POST", "/faults", {"kind": "errcode", "operation": "upload_shipping", "errcode": 10060004})
    report_due(wiring().trade)
    assert (shipment(paid[1]).state, shipment(paid[1]).errcode) == ("refused", 10060004)
    assert [each.kind for each in cases(f"shipment:{made.id}")] == ["shipment_refused"]


def test_of_what_could_not_be_told_for_two_days_a_person_hears(managed: Till, paid: Paid) -> None:
    made = rendered(paid)
    managed.fail("error_500", "upload_shipping", times=2)
    managed.later(timedelta(days=2).total_seconds() + 1)
    report_due(wiring().trade)
    assert [each.kind for each in cases(f"shipment:{made.id}")] == ["shipment_late"]
    assert shipment(paid[1]).state == "due"


def test_whoever_dies_after_telling_tells_again_without_harm(
    managed: Till, paid: Paid, environment: Mapping[str, str]
) -> None:
    rendered(paid)
    dying = born({**environment, "FAULT_PLAN": "shipping.answered"}, tell_of_services)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert shipment(paid[1]).state == "due"
    managed.later(121)
    report_due(wiring().trade)
    assert (shipment(paid[1]).state, len(told(managed, paid[0]))) == ("reported", 1)


def test_an_order_that_wechat_does_not_know_is_refused(managed: Till) -> None:
    answer = wiring().trade.report("42" + "0" * 26, OPENID, "停车费", clock.now())
    assert answer == Told("refused", 10060001)
