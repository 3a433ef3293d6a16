"""What stands in suspense leaves it against what offsets it, by two persons, once, and by reversals alone."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask

from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from payments.charges.models import Charge, Payment
from payments.parity.actions import accept_correction, correct
from payments.parity.queries import Difference as OutOfParity
from payments.parity.queries import differences as out_of_parity
from payments.reconciliation import actions
from payments.reconciliation.actions.clear import (
    ClearingDecided,
    ClearingNotEven,
    ClearingReasonMissing,
    ClearingWaits,
    NothingOffsetsIt,
    NotInSuspense,
    OwnClearing,
    SuspenseDayNotSigned,
)
from payments.reconciliation.models import Difference, SuspenseClearing
from payments.reconciliation.queries import clearings, suspense
from payments.refunds.models import Refund
from simulators.wechat.bill_papers import Flowed, Traded
from tests.finance.scene import kinds_found_right, spoilt
from tests.payments.months import Shop
from tests.payments.papers import DAY, flowing, payment, refund
from tests.payments.test_reconcile import hand_written
from tests.payments.world import books, cases, treasury_payee
from tests.races import at_once

MAKER, CHECKER, THIRD = "staff:1", "staff:2", "staff:3"
Move = Callable[[datetime], None]


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Move) -> Shop:
    """An organ's merchant, two mornings after the day."""
    at(datetime(2026, 6, 12, 10, 30, tzinfo=SHANGHAI).astimezone(UTC))
    return Shop(admin, treasury_payee())


def suspended(
    shop: Shop, ours: list[Traded], theirs: list[Traded], *, signed: bool = True, moved: list[Flowed] | None = None
) -> list[Difference]:  # fmt: skip
    """A day of which everything that differs stands in suspense: longest first."""
    shop.knows(ours)
    shop.has_bill(DAY, theirs, moved=moved)
    actions.reconcile(shop.channel_id, DAY)
    for each in shop.differs(DAY):
        actions.explain(each.key, MAKER, "待查")
        actions.accept(each.key, CHECKER, "同意挂账")
    if signed:
        actions.propose(shop.channel_id, DAY, MAKER)
        actions.sign(shop.channel_id, DAY, CHECKER)
    return sorted(shop.differs(DAY), key=lambda each: -each.gap_fen)


def twice_seen(shop: Shop, *, signed: bool = True) -> tuple[Difference, Difference]:
    """One payment that WeChat tells under a number of its own, and we under another."""
    ours, theirs = (payment(1250, hour, shop.owner(DAY)) for hour in (9, 10))
    there, here = suspended(shop, [ours], [theirs], signed=signed)
    return there, here


def charge_of(found: Difference) -> uuid.UUID:
    with transaction() as session:
        assert found.payment_id is not None
        return session.get_one(Charge, session.get_one(Payment, found.payment_id).charge_id).key


def refund_key(found: Difference) -> uuid.UUID:
    with transaction() as session:
        assert found.refund_id is not None
        return session.get_one(Refund, found.refund_id).key


def states(shop: Shop) -> list[str]:
    return [each.state for each in shop.differs(DAY)]


def test_the_same_money_seen_twice_leaves_suspense_by_reversals_alone(shop: Shop) -> None:
    there, here = twice_seen(shop)
    held = {"suspense_long": -1250, "suspense_short": 1250}
    before = books(shop.payee)
    assert before.items() >= held.items()
    asked = actions.clear_against_charge(there.key, charge_of(here), MAKER, "同一笔收款，单号登记有误")
    with pytest.raises(ClearingWaits):
        actions.give_back(there.key, MAKER, "误付")
    assert books(shop.payee) == before
    actions.accept_clearing(asked.key, CHECKER, "凭证已核")
    assert books(shop.payee) == {code: fen for code, fen in before.items() if code not in held}
    assert (states(shop), suspense(payees=[shop.payee.id])) == (["cleared", "cleared"], [])


def test_what_went_back_on_wechats_own_site_offsets_what_came_in(shop: Shop) -> None:
    came = payment(1250, 9, shop.owner(DAY))
    there, back = suspended(shop, [], [came, refund(came, 1250)])
    asked = actions.clear_against(there.key, [back.key], MAKER, "误收，商户平台已原路退回")
    assert actions.accept_clearing(asked.key, CHECKER, "退款回单已核").state == "accepted"
    assert (states(shop), set(books(shop.payee)) & {"suspense_long", "suspense_short"}) == (
        ["cleared", "cleared"],
        set(),
    )


def test_a_refund_told_under_another_number_offsets_ours(shop: Shop) -> None:
    paid = payment(1250, 9, shop.owner(DAY))
    ours, theirs = refund(paid, 300), refund(paid, 300)
    [ours_alone, theirs_alone] = suspended(shop, [paid, ours], [paid, theirs])
    assert (ours_alone.gap_fen, theirs_alone.gap_fen) == (300, -300)
    asked = actions.clear_against_refund(theirs_alone.key, refund_key(ours_alone), MAKER, "同一笔退款")
    actions.accept_clearing(asked.key, CHECKER, "已核")
    assert states(shop) == ["cleared", "cleared"]


def test_nothing_is_cleared_by_one_person_without_a_reason_or_when_it_does_not_come_to_nothing(shop: Shop) -> None:
    there, here = twice_seen(shop)
    for other in (uuid.uuid4(), charge_of(here)):
        with pytest.raises(NothingOffsetsIt):
            actions.clear_against_charge(here.key, other, MAKER, "同一笔收款")
    with pytest.raises(ClearingReasonMissing):
        actions.clear_against(there.key, [here.key], MAKER, " ")
    asked = actions.clear_against(there.key, [here.key], MAKER, "同一笔收款")
    with pytest.raises(OwnClearing):
        actions.accept_clearing(asked.key, MAKER, "同意")
    with pytest.raises(ClearingWaits):
        actions.clear_against(here.key, [there.key], THIRD, "同一笔收款")
    actions.reject_clearing(asked.key, CHECKER, "请附回单")
    with pytest.raises(ClearingDecided):
        actions.accept_clearing(asked.key, CHECKER, "同意")
    assert states(shop) == ["suspended", "suspended"]
    again = actions.clear_against(there.key, [here.key], MAKER, "回单已附")
    actions.accept_clearing(again.key, CHECKER, "同意")
    with pytest.raises(NotInSuspense):
        actions.clear_against(there.key, [here.key], MAKER, "再清一次")


def test_sums_that_do_not_meet_are_refused_and_tell_what_is_left(shop: Shop) -> None:
    long, short = payment(1250, 9, shop.owner(DAY)), payment(1200, 10, shop.owner(DAY))
    there, here = suspended(shop, [short], [long])
    with pytest.raises(ClearingNotEven) as refusal:
        actions.clear_against(there.key, [here.key], MAKER, "同一笔收款")
    assert refusal.value.details == {"left_fen": 50}


def test_while_a_bill_may_still_explain_it_nothing_is_cleared(shop: Shop) -> None:
    there, here = twice_seen(shop, signed=False)
    with pytest.raises(SuspenseDayNotSigned):
        actions.clear_against(there.key, [here.key], MAKER, "同一笔收款")


def test_two_who_agree_at_once_clear_once(app: Flask, shop: Shop) -> None:
    there, here = twice_seen(shop)
    asked = actions.clear_against(there.key, [here.key], MAKER, "同一笔收款")
    told = at_once(app, *(lambda by=by: actions.accept_clearing(asked.key, by, "同意") for by in (CHECKER, THIRD)))
    assert (told, states(shop)) == (["ClearingDecided", "done"], ["cleared", "cleared"])
    assert set(books(shop.payee)) & {"suspense_long", "suspense_short"} == set()


def test_two_who_ask_at_once_ask_once(app: Flask, shop: Shop) -> None:
    there, here = twice_seen(shop)
    told = at_once(
        app,
        lambda: actions.clear_against(there.key, [here.key], MAKER, "同一笔收款"),
        lambda: actions.clear_against(here.key, [there.key], THIRD, "同一笔收款"),
    )
    assert (told, len(clearings())) == (["ClearingWaits", "done"], 1)


ACCEPT: LiteralString = (
    "UPDATE suspense_clearing SET state = 'accepted', decided_by = %(by)s, decided_at = now(), decided_because = 'x'"
)
A_LINE: LiteralString = """
INSERT INTO suspense_clearing_line (clearing_id, difference_id, payee_id, gap_fen, state)
SELECT %(clearing)s, id, payee_id, gap_fen, 'waiting' FROM difference WHERE id = %(difference)s
"""
CLEAR: LiteralString = "UPDATE difference SET state = 'cleared' WHERE id = %(difference)s"
ANOTHER: LiteralString = """
WITH made AS (
    INSERT INTO suspense_clearing (key, payee_id, target, target_key, because, made_by, made_at, state)
    SELECT gen_random_uuid(), payee_id, 'return', key, 'x', 'staff:9', now(), 'waiting' FROM difference
    WHERE id = %(difference)s RETURNING id
)
INSERT INTO suspense_clearing_line (clearing_id, difference_id, payee_id, gap_fen, state)
SELECT made.id, difference.id, payee_id, gap_fen, 'waiting' FROM difference, made WHERE difference.id = %(difference)s
"""


def test_the_database_itself_clears_nothing_twice_by_one_person_or_without_its_reversals(
    shop: Shop, program: str
) -> None:
    there, here = twice_seen(shop)
    of: dict[str, object] = {"difference": there.id}
    assert hand_written(program, CLEAR, **of) == "suspense_is_cleared_by_two"
    assert hand_written(program, ANOTHER, **of) == "a_clearing_comes_to_nothing"
    asked = actions.clear_against(there.key, [here.key], MAKER, "同一笔收款")
    assert hand_written(program, ANOTHER, **of) == "a_difference_is_cleared_once"
    assert hand_written(program, ACCEPT, by=MAKER) == "a_clearing_is_decided_by_another_person"
    assert hand_written(program, ACCEPT, by=CHECKER) == "an_accepted_clearing_is_posted"
    actions.accept_clearing(asked.key, CHECKER, "同意")
    back: LiteralString = "UPDATE suspense_clearing SET state = 'rejected'"
    assert hand_written(program, back) == "a_clearing_is_decided_once"


def test_suspense_is_what_the_accounts_hold_and_parity_holds_through_clearing(shop: Shop) -> None:
    there, here = twice_seen(shop)
    held = suspense(payees=[shop.payee.id])
    assert [each.key for each in held] == [
        each.key for each in sorted((there, here), key=lambda one: (one.moved_at, one.key))
    ]
    assert {each.owner for each in held} == {MAKER}
    kept = books(shop.payee)
    assert sum(each.fen for each in held if each.fen > 0) == -kept["suspense_long"]
    assert sum(each.fen for each in held if each.fen < 0) == -kept["suspense_short"]
    known = out_of_parity(DAY)
    actions.accept_clearing(actions.clear_against(there.key, [here.key], MAKER, "同一笔").key, CHECKER, "同意")
    assert out_of_parity(DAY) == known


def test_parity_demands_what_suspense_and_a_signed_day_must_have_posted(
    shop: Shop, admin: psycopg.Connection[Any]
) -> None:
    there, here = twice_seen(shop)
    actions.accept_clearing(actions.clear_against(there.key, [here.key], MAKER, "同一笔").key, CHECKER, "同意")
    kinds = {"channel_fee", "difference", "reversal"}
    assert not kinds & {each.kind for each in out_of_parity(DAY)}
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("DELETE FROM journal WHERE kind = ANY(%s)", [list(kinds)])
    missing = [each for each in out_of_parity(DAY) if each.what == "expected" and each.kind in kinds]
    assert sorted((each.kind, each.account, each.amount_fen) for each in missing) == [
        ("channel_fee", "wx_fee", 8), ("channel_fee", "wx_receivable", -8),
        ("difference", "suspense_long", -1250), ("difference", "suspense_short", 1250),
        ("difference", "wx_receivable", -1250), ("difference", "wx_receivable", 1250),
        ("reversal", "suspense_long", 1250), ("reversal", "suspense_short", -1250),
        ("reversal", "wx_receivable", -1250), ("reversal", "wx_receivable", 1250),
    ]  # fmt: skip


IN_SUSPENSE = {"suspense_long", "suspense_short"}


def mended(shop: Shop) -> None:
    """One of what stands in suspense was posted with another sum, and two persons have put that right."""
    reference = spoilt(shop.admin, "difference")
    accept_correction(correct("difference", reference, MAKER, "金额有误").key, CHECKER, "已核")
    assert books(shop.payee).items() >= {"suspense_long": -1250, "suspense_short": 1250}.items()


def wrong_in_the_books() -> list[OutOfParity]:
    return [each for each in out_of_parity(DAY) if each.what != "altered" and each.kind in {"difference", "reversal"}]


def test_what_stands_for_a_posting_that_was_corrected_leaves_suspense_with_it(shop: Shop) -> None:
    there, here = twice_seen(shop)
    mended(shop)
    actions.accept_clearing(actions.clear_against(there.key, [here.key], MAKER, "同一笔").key, CHECKER, "同意")
    assert (set(books(shop.payee)) & IN_SUSPENSE, wrong_in_the_books()) == (set(), [])


def test_what_is_gone_from_a_bill_is_gone_from_suspense_though_it_was_corrected(shop: Shop) -> None:
    ours, theirs = (payment(1250, hour, shop.owner(DAY)) for hour in (9, 10))
    suspended(shop, [ours], [theirs], signed=False)
    mended(shop)
    shop.has_bill(DAY, [ours])
    actions.reconcile(shop.channel_id, DAY)
    assert (set(books(shop.payee)) & IN_SUSPENSE, wrong_in_the_books()) == (set(), [])


def test_who_clears_and_who_corrects_at_once_leave_nothing_in_suspense(app: Flask, shop: Shop) -> None:
    there, here = twice_seen(shop)
    wrong = correct("difference", spoilt(shop.admin, "difference"), MAKER, "金额有误")
    asked = actions.clear_against(there.key, [here.key], MAKER, "同一笔")
    at_once(
        app,
        lambda: accept_correction(wrong.key, CHECKER, "已核"),
        lambda: actions.accept_clearing(asked.key, CHECKER, "同意"),
    )
    assert set(books(shop.payee)) & IN_SUSPENSE == set()


def test_no_journal_of_a_signed_day_or_of_suspense_that_says_what_happened_is_corrected(shop: Shop) -> None:
    ours, theirs = (payment(1250, hour, shop.owner(DAY)) for hour in (9, 10))
    to_the_bank = Flowed(theirs.at + 3600, "42098334569702618703", "提现", -1000)
    there, here = suspended(shop, [ours], [theirs], moved=[*flowing([theirs]), to_the_bank])
    assert kinds_found_right() == {"channel_fee", "settlement", "difference"}
    actions.accept_clearing(actions.clear_against(there.key, [here.key], MAKER, "同一笔").key, CHECKER, "同意")
    assert "reversal" in kinds_found_right()


def test_what_is_old_in_suspense_is_a_case_once(shop: Shop, at: Move) -> None:
    there, here = twice_seen(shop)
    assert actions.watch_suspense(30) == 0
    at(datetime(2026, 6, 12, 10, 30, tzinfo=SHANGHAI) + timedelta(days=31))
    assert (actions.watch_suspense(30), actions.watch_suspense(30)) == (2, 2)
    assert [each.kind for key in (there.key, here.key) for each in cases(str(key))] == ["suspense_old"] * 2
    actions.accept_clearing(actions.clear_against(there.key, [here.key], MAKER, "同一笔").key, CHECKER, "同意")
    assert actions.watch_suspense(30) == 0


def test_a_clearing_tells_the_audit_log_itself(shop: Shop, admin: psycopg.Connection[Any]) -> None:
    there, here = twice_seen(shop)
    asked: SuspenseClearing = actions.clear_against(there.key, [here.key], MAKER, "同一笔")
    actions.accept_clearing(asked.key, CHECKER, "同意")
    told = admin.execute(
        "SELECT actor, action FROM audit_entry WHERE subject = 'suspense_clearing' ORDER BY id"
    ).fetchall()
    assert set(told) == {
        ("database", "suspense_clearing.written"), ("database", "suspense_clearing.moved"),
        (MAKER, "suspense.ask"), (CHECKER, "suspense.accept"),
    }  # fmt: skip
