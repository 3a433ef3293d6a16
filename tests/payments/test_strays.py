"""A payment of which only WeChat knows pays an open debt or goes back, by the word of two persons and WeChat's own."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import IntegrityConstraintViolation

from app.domain.refunds.actions import tell_of
from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.crypto import seal
from app.kernel.db import transaction
from payments.charges.actions import check_order
from payments.charges.actions.settle import payer_place
from payments.charges.models import Charge
from payments.charges.queries import payments_of
from payments.parity.queries import differences as out_of_parity
from payments.payees.actions import end_terms, retire_channel
from payments.payees.models import Payee
from payments.payees.queries import VatNotConfirmed, channel_of, terms_of
from payments.receipts.queries import own_receipts
from payments.reconciliation import actions
from payments.reconciliation.actions.place import (
    ChargeUnfit,
    NotAStray,
    OwnPlacement,
    PaidForAnOrder,
    PlacementDecided,
    PlacementReasonMissing,
    PlacementWaits,
    StrayTooOld,
)
from payments.reconciliation.models import Difference, StrayPlacement
from payments.reconciliation.queries import differences_of, placements, suspense
from payments.refunds.actions import give_back_due
from payments.refunds.queries import refunds_of
from payments.wechat import Done, JsapiOrder
from tests.payments.papers import digits
from tests.payments.test_charge_guard import AN_ORDER, run
from tests.payments.test_follow import morning
from tests.payments.test_reconcile import hand_written
from tests.payments.world import (
    MOVED,
    OPENID,
    Till,
    books,
    cases,
    jobs,
    motorist_of,
    now_of,
    owed,
    state_of,
)

MAKER, CHECKER, THIRD = "staff:1", "staff:2", "staff:3"


@pytest.fixture
def noon(till: Till) -> Iterator[datetime]:
    """It is noon for us and for WeChat."""
    now = datetime.now(SHANGHAI)
    till.clock_file.write_text(str((now.replace(hour=12, minute=0) - now).total_seconds()))
    yield now
    till.wechat.control("DELETE", "/bills")


def strayed(till: Till, payee: Payee, day: date, fen: int = 1250) -> Difference:
    """Somebody paid the payee's merchant under a number that we never gave; the next morning it stands in suspense."""
    number = f"X{digits(20)}"
    ends = datetime.now(SHANGHAI) + timedelta(days=2)
    order = JsapiOrder(
        number, channel_of(payee.id).sub_mchid, "停车费", fen, OPENID, till.settings.wechat.notify_url, ends
    )
    assert isinstance(till.pay.create_order(order.body()), Done)
    till.wechat.control("POST", "/pay", {"out_trade_no": number})
    morning(till, payee, day)
    [found] = differences_of(channel_of(payee.id).id, day)
    actions.explain(found.key, MAKER, "来历不明")
    return actions.accept(found.key, CHECKER, "同意挂账")


def now_is(found: Difference) -> str:
    with transaction() as session:
        return session.get_one(Difference, found.id).state


def states() -> list[str]:
    return [each.state for each in placements()]


def test_a_stray_payment_pays_an_open_charge_by_the_path_of_all_payments(
    till: Till, payee: Payee, noon: datetime
) -> None:
    stray, debt = strayed(till, payee, noon.date()), owed(payee)
    assert books(payee) == {"wx_receivable": 1250, "suspense_long": -1250}
    asked = actions.place(stray.key, debt.key, MAKER, "车主出示支付凭证")
    assert [each.waiting for each in suspense(payees=[payee.id])] == [asked.key]
    actions.accept_placement(asked.key, CHECKER, "凭证已核")
    assert (actions.follow(till.pay), now_is(stray)) == (1, "gone")
    assert (state_of(debt), jobs(debt), states()) == ("paid", 1, ["placed"])
    assert len(own_receipts(motorist_of(debt))) == 1
    assert books(payee) == {"wx_receivable": 1250, "customer_prepaid": -1250}
    assert (suspense(payees=[payee.id]), out_of_parity(noon.date())) == ([], [])
    assert actions.follow(till.pay) == 0


def test_a_stray_payment_goes_back_whole_to_whoever_paid_it_and_nobody_is_told(
    till: Till, payee: Payee, noon: datetime
) -> None:
    stray = strayed(till, payee, noon.date())
    asked = actions.give_back(stray.key, MAKER, "误付")
    agreed = actions.accept_placement(asked.key, CHECKER, "同意退回")
    actions.follow(till.pay)
    assert give_back_due(on_moved=MOVED) == 1
    with transaction() as session:
        assert agreed.charge_id is not None
        made = session.get_one(Charge, agreed.charge_id)
    [back] = refunds_of(made.id)
    till.bring(back)
    till.later(6)
    till.later(60)
    till.bring(now_of(back))
    assert (state_of(made), now_of(back).state, back.amount_fen) == ("refund_full", "success", 1250)
    tell_of(back.id)
    assert (books(payee), now_is(stray), states()) == ({}, "gone", ["placed"])
    assert out_of_parity(noon.date()) == []


def test_a_stray_is_placed_by_two_persons_once_with_a_reason_and_where_it_fits_to_the_fen(
    till: Till, payee: Payee, noon: datetime
) -> None:
    stray = strayed(till, payee, noon.date())
    others = [owed(payee, 1249), owed(till.enterprise_payee()), till.paid_charge(payee)[0]]
    for unfit in others:
        with pytest.raises(ChargeUnfit):
            actions.place(stray.key, unfit.key, MAKER, "车主出示支付凭证")
    with pytest.raises(PlacementReasonMissing):
        actions.give_back(stray.key, MAKER, " ")
    asked = actions.give_back(stray.key, MAKER, "误付")
    with pytest.raises(PlacementWaits):
        actions.place(stray.key, owed(payee).key, THIRD, "车主出示支付凭证")
    with pytest.raises(OwnPlacement):
        actions.accept_placement(asked.key, MAKER, "同意")
    actions.reject_placement(asked.key, CHECKER, "请附凭证")
    with pytest.raises(PlacementDecided):
        actions.accept_placement(asked.key, CHECKER, "同意")
    assert (actions.follow(till.pay), now_is(stray)) == (0, "suspended")
    till.later(366 * 86_400)
    with pytest.raises(StrayTooOld):
        actions.give_back(stray.key, MAKER, "误付")


def test_what_is_not_in_suspense_or_was_never_there_is_no_stray(till: Till, payee: Payee, noon: datetime) -> None:
    stray, debt = strayed(till, payee, noon.date()), owed(payee)
    actions.accept_placement(actions.place(stray.key, debt.key, MAKER, "凭证").key, CHECKER, "同意")
    actions.follow(till.pay)
    with pytest.raises(NotAStray):
        actions.give_back(stray.key, MAKER, "误付")


def test_while_wechat_is_silent_or_the_charge_is_being_paid_nothing_is_concluded(
    till: Till, payee: Payee, noon: datetime
) -> None:
    stray = strayed(till, payee, noon.date())
    debt, order = till.ordered(payee)
    actions.accept_placement(actions.place(stray.key, debt.key, MAKER, "凭证").key, CHECKER, "同意")
    till.fail("error_500", "query")
    actions.follow(till.pay)
    till.later(601)
    actions.follow(till.pay)
    assert (now_is(stray), states(), state_of(debt)) == ("suspended", ["accepted"], "created")
    till.paid(order)
    check_order(order.id, till.pay)
    till.later(3601)
    actions.follow(till.pay)
    assert (now_is(stray), states(), state_of(debt)) == ("suspended", ["failed"], "paid")
    assert len(payments_of(debt.id)) == 1
    [told] = cases(str(placements()[0].key))
    assert (told.kind, told.detail["why"]) == ("stray_not_placed", "charge_unfit")


@pytest.mark.parametrize("way", ["settle", "give_back"])
def test_a_stray_of_a_merchant_that_has_retired_since_is_placed_and_nobody_else_is_asked_for_an_order_there(
    till: Till, payee: Payee, noon: datetime, program: str, way: str
) -> None:
    stray, debt, retired = strayed(till, payee, noon.date()), owed(payee), channel_of(payee.id)
    retire_channel(retired.key, clock.now() + timedelta(seconds=30), "finance:7")
    till.later(60)
    asked = (
        actions.place(stray.key, debt.key, MAKER, "凭证")
        if way == "settle"
        else actions.give_back(stray.key, MAKER, "误付")
    )
    later = AN_ORDER.replace("now()", "'2099-01-01'")
    names = (retired.id, payee.id, 1250, stray.out_trade_no, debt.id)
    with pytest.raises(IntegrityConstraintViolation, match="takes no order"):
        run(program, later, *names)
    actions.accept_placement(asked.key, CHECKER, "同意")
    with pytest.raises(IntegrityConstraintViolation, match="takes no order"):
        run(program, later, *names[:3], "another", debt.id)
    actions.follow(till.pay)
    assert (now_is(stray), states(), out_of_parity(noon.date())) == ("gone", ["placed"], [])


def test_what_the_database_refuses_of_a_stray_is_given_up_and_a_person_hears_of_it(
    till: Till, payee: Payee, noon: datetime, admin: psycopg.Connection[Any]
) -> None:
    stray, debt = strayed(till, payee, noon.date()), owed(payee)
    actions.accept_placement(actions.place(stray.key, debt.key, MAKER, "凭证").key, CHECKER, "同意")
    refuses = "CHECK (out_trade_no NOT LIKE 'X%') NOT VALID"
    admin.execute(f"ALTER TABLE payment_order ADD CONSTRAINT nothing_of_the_kind {refuses}")
    actions.follow(till.pay)
    admin.execute("ALTER TABLE payment_order DROP CONSTRAINT nothing_of_the_kind")
    assert (now_is(stray), states(), state_of(debt)) == ("suspended", ["failed"], "created")
    [told] = cases(str(placements()[0].key))
    assert (told.kind, told.detail["why"]) == ("stray_not_placed", "nothing_of_the_kind")


def test_what_was_paid_under_a_number_of_ours_with_something_wrong_is_no_stray(
    till: Till, payee: Payee, noon: datetime, admin: psycopg.Connection[Any]
) -> None:
    debt, order = till.ordered(payee)
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        payer = seal("somebody-else", payer_place(order))
        admin.execute("UPDATE payment_order SET payer = %s WHERE id = %s", [payer, order.id])
    till.paid(order)
    morning(till, payee, noon.date())
    actions.follow(till.pay)
    [found] = differences_of(channel_of(payee.id).id, noon.date())
    actions.explain(found.key, MAKER, "付款人不符")
    actions.accept(found.key, CHECKER, "同意挂账")
    with pytest.raises(PaidForAnOrder):
        actions.give_back(found.key, MAKER, "误付")
    with pytest.raises(PaidForAnOrder):
        actions.place(found.key, debt.key, MAKER, "误付")
    assert [each.kind for each in cases(order.out_trade_no)] == ["payment_mismatch"]


def test_a_stray_of_an_enterprise_goes_back_though_its_vat_is_confirmed_no_longer(till: Till, noon: datetime) -> None:
    payee = till.enterprise_payee()
    stray = strayed(till, payee, noon.date())
    [terms] = terms_of(payee.id)
    end_terms(terms.key, clock.now() + timedelta(seconds=30), "finance:7")
    till.later(60)
    with pytest.raises(VatNotConfirmed):
        owed(payee)
    actions.accept_placement(actions.give_back(stray.key, MAKER, "误付").key, CHECKER, "同意")
    actions.follow(till.pay)
    assert (now_is(stray), states()) == ("gone", ["placed"])


@pytest.mark.parametrize("way", ["settle", "give_back"])
def test_money_that_went_back_on_wechats_own_site_pays_nothing_and_goes_back_no_second_time(
    till: Till, payee: Payee, noon: datetime, way: str
) -> None:
    stray, debt = strayed(till, payee, noon.date()), owed(payee)
    asked = (
        actions.place(stray.key, debt.key, MAKER, "凭证")
        if way == "settle"
        else actions.give_back(stray.key, MAKER, "误付")
    )
    till.wechat.control("POST", "/refund", {"out_trade_no": stray.out_trade_no})
    actions.accept_placement(asked.key, CHECKER, "同意")
    actions.follow(till.pay)
    assert (now_is(stray), states(), state_of(debt)) == ("suspended", ["failed"], "created")
    [told] = cases(str(asked.key))
    assert (told.kind, told.detail["why"]) == ("stray_not_placed", "given_back_at_wechat")


def test_a_person_hears_of_a_placement_of_which_wechat_does_not_tell_for_more_than_a_day(
    till: Till, payee: Payee, noon: datetime
) -> None:
    stray = strayed(till, payee, noon.date())
    asked = actions.give_back(stray.key, MAKER, "误付")
    actions.accept_placement(asked.key, CHECKER, "同意")
    for hours in (0, 1, 2, 7):
        till.later(hours * 3600)
        till.fail("error_500", "query", 2)
        actions.follow(till.pay)
    assert (states(), cases(str(asked.key))) == (["accepted"], [])
    till.later(25 * 3600)
    till.fail("error_500", "query", 2)
    actions.follow(till.pay)
    assert (states(), [each.kind for each in cases(str(asked.key))]) == (["accepted"], ["stray_waits"])


PLACED: LiteralString = "UPDATE stray_placement SET state = 'placed', next_check_at = NULL"
ACCEPTED: LiteralString = (
    "UPDATE stray_placement SET state = 'accepted', decided_by = %(by)s, decided_at = now(), decided_because = 'x'"
)
ELSEWHERE: LiteralString = """
INSERT INTO stray_placement (key, difference_id, payee_id, amount_fen, way, charge_id, because, made_by, made_at, state,
                             tries)
SELECT gen_random_uuid(), difference.id, difference.payee_id, gap_fen, 'settle', %(charge)s, 'x', 'staff:9', now(),
       'waiting', 0 FROM difference WHERE difference.id = %(stray)s
"""


def test_the_database_itself_places_nothing_alone_elsewhere_or_without_a_payment(
    till: Till, payee: Payee, noon: datetime, program: str
) -> None:
    stray, debt = strayed(till, payee, noon.date()), owed(payee)
    for unfit in (owed(payee, 1249), owed(till.enterprise_payee())):
        refused = hand_written(program, ELSEWHERE, charge=unfit.id, stray=stray.id)
        assert refused == "a_stray_pays_its_payees_charge_to_the_fen"
    asked: StrayPlacement = actions.place(stray.key, debt.key, MAKER, "凭证")
    assert hand_written(program, ELSEWHERE, charge=debt.id, stray=stray.id) == "a_stray_is_placed_once"
    assert hand_written(program, ACCEPTED, by=MAKER) == "a_placement_is_decided_by_another_person"
    actions.accept_placement(asked.key, CHECKER, "同意")
    assert hand_written(program, PLACED) == "a_placed_stray_is_a_payment"
    assert hand_written(program, "UPDATE stray_placement SET decided_by = 'staff:7'") == (
        "stray_placement_terms_are_fixed"
    )
    orphaned: LiteralString = "UPDATE charge SET motorist_id = NULL WHERE id = %(charge)s"
    with pytest.raises(Exception, match="permission denied"):
        hand_written(program, orphaned, charge=debt.id)
