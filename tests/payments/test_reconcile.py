"""Every line and every payment of ours is matched or in one difference, of the right class, however often one looks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text

from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from payments.bills.actions import load
from payments.bills.queries import TRADE
from payments.bills.rules import BillRefused
from payments.charges.models import ExceptionCase
from payments.reconciliation import actions
from payments.reconciliation.actions.explain import ExplainedAlready, NotExplained, NotToBeExplained, OwnExplanation
from payments.reconciliation.actions.sign import (
    DayNotCompared,
    DayNotExplained,
    DayNotProposed,
    DayProposedAlready,
    DaySignedOff,
    OwnProposal,
)
from payments.reconciliation.models import Difference, ReconRun
from payments.reconciliation.queries import latest_run, unexplained
from simulators.wechat.bill_papers import Flowed, Traded
from tests.payments.months import LOADED, Shop
from tests.payments.papers import DAY, KEEP_DAYS, at, digits, part, payment, refund, trades
from tests.payments.world import books, enterprise_payee, treasury_payee
from tests.races import at_once

NEXT = DAY + timedelta(days=1)
MAKER, CHECKER = "staff:1", "staff:2"
Move = Callable[[datetime], None]


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Move) -> Shop:
    """An organ's merchant, on the morning after the day."""
    at(datetime(2026, 6, 11, 10, 30, tzinfo=SHANGHAI).astimezone(UTC))
    return Shop(admin, treasury_payee())


def own(shop: Shop, *hours: int, fen: int = 1250, day: date = DAY) -> list[Traded]:
    """Payments of a day to this merchant."""
    return [payment(fen, hour, shop.owner(day)) for hour in hours]


def run(shop: Shop, day: date = DAY) -> ReconRun:
    actions.reconcile(shop.channel_id, day)
    found = latest_run(shop.channel_id, day)
    assert found is not None
    return found


def only(shop: Shop, day: date = DAY) -> Difference:
    [found] = shop.differs(day)
    return found


def compared(shop: Shop, ours: Sequence[Traded], theirs: Sequence[Traded]) -> Difference:
    shop.knows(ours)
    shop.has_bill(DAY, theirs)
    run(shop)
    return only(shop)


def kinds() -> set[tuple[str, int]]:
    with transaction() as session:
        return {(each.kind, each.severity) for each in session.scalars(select(ExceptionCase))}


def test_a_day_on_which_both_say_the_same_is_matched_line_by_line(shop: Shop) -> None:
    first, second = own(shop, 9, 12)
    back = refund(second)
    shop.knows([first, second, back])
    shop.has_bill(DAY, [first, second, back])
    told = run(shop)
    assert (told.theirs, told.ours, told.matched) == (3, 3, 3)
    assert told.theirs_fen == told.ours_fen == told.matched_fen == 2200
    assert shop.differs(DAY) == []


def test_a_large_bill_is_loaded_and_compared_however_long_it_takes(shop: Shop) -> None:
    one = own(shop, 9)
    shop.knows(one)
    asked = text("SHOW statement_timeout")
    with transaction() as session:
        shop.has_bill(DAY, one)
        assert session.scalar(asked) == "0"
    with transaction() as session:
        assert (session.scalar(asked), run(shop).matched, session.scalar(asked)) == ("5s", 1, "0")


def test_what_only_the_bill_has_is_missing_here(shop: Shop) -> None:
    [known, strange] = own(shop, 9, 12)
    found = compared(shop, [known], [known, strange])
    assert (found.klass, found.subject, found.state) == ("missing_here", strange.transaction_id, "open")
    assert (found.theirs_fen, found.ours_fen, found.gap_fen) == (1250, 0, 1250)
    assert found.next_check_at is not None
    assert kinds() == {("bill_missing_here", 2)}


def test_what_only_we_have_is_missing_there(shop: Shop) -> None:
    [known, lost] = own(shop, 9, 12)
    found = compared(shop, [known, lost], [known])
    assert (found.klass, found.subject, found.gap_fen) == ("missing_there", f"{lost.transaction_id}/ours", -1250)
    assert found.payment_id is not None


@pytest.mark.parametrize("fen", [1249, 1251])
def test_another_sum_is_never_right(shop: Shop, fen: int) -> None:
    [known] = own(shop, 9)
    found = compared(shop, [known], [replace(known, paid_fen=fen)])
    assert (found.klass, found.gap_fen, found.next_check_at) == ("amount_mismatch", fen - 1250, None)


def test_a_second_payment_of_one_order_is_a_duplicate(shop: Shop) -> None:
    [known] = own(shop, 9)
    again = replace(known, transaction_id=f"42{digits(26)}", at=known.at + 60)
    found = compared(shop, [known], [known, again])
    assert (found.klass, found.subject, found.gap_fen) == ("duplicate_there", again.transaction_id, 1250)


def test_money_that_reached_another_merchant_is_the_gravest_on_both_sides(shop: Shop) -> None:
    other = Shop(shop.admin, enterprise_payee())
    [known, astray] = own(shop, 9, 12)
    shop.knows([known, astray])
    shop.has_bill(DAY, [known])
    other.has_bill(DAY, [replace(astray, sub_mchid=other.owner(DAY).sub_mchid)])
    run(other)
    run(shop)
    assert [only(each).klass for each in (shop, other)] == ["channel_mismatch"] * 2
    assert [only(each).gap_fen for each in (shop, other)] == [-1250, 1250]
    assert kinds() == {("bill_channel_mismatch", 1)}


def test_a_refund_that_ended_on_one_side_only_is_stale(shop: Shop) -> None:
    [known] = own(shop, 9)
    back = refund(known, status="PROCESSING")
    found = compared(shop, [known, back], [known, replace(back, status="SUCCESS")])
    assert (found.klass, found.subject, found.gap_fen) == ("status_stale", back.refund_id, 0)
    assert found.refund_id is not None


def test_a_fee_that_its_rate_does_not_give_is_shown_to_finance(shop: Shop) -> None:
    [known] = own(shop, 9)
    shop.knows([known])
    day = shop.expects(DAY, TRADE)
    load(day, [part(trades(known).replace("`0.08000", "`0.09000"))], LOADED, KEEP_DAYS)
    run(shop)
    assert (only(shop).klass, only(shop).gap_fen) == ("fee_mismatch", 0)


@pytest.mark.parametrize("theirs", [True, False])
def test_one_side_alone_near_midnight_is_held_until_the_day_after_next(shop: Shop, at: Move, theirs: bool) -> None:
    [known, late] = own(shop, 9, 12)
    late = replace(late, at=late.at + 11.9 * 3600)
    shop.knows([known] if theirs else [known, late])
    shop.has_bill(DAY, [known, late] if theirs else [known])
    run(shop)
    assert (only(shop).klass, only(shop).state) == ("cross_day", "held")
    at(datetime(2026, 6, 13, 10, 1, tzinfo=SHANGHAI))
    run(shop)
    assert only(shop).klass == ("missing_here" if theirs else "missing_there")


def test_what_was_held_agrees_when_the_next_days_bill_has_it(shop: Shop) -> None:
    [late] = own(shop, 12)
    late = replace(late, at=late.at + 11.9 * 3600)
    shop.knows([late])
    shop.has_bill(DAY, [])
    run(shop)
    assert only(shop).state == "held"
    shop.has_bill(NEXT, [replace(late, at=late.at + 600)])
    actions.match_again(shop.expects(NEXT, TRADE))
    assert [(only(shop, day).klass, only(shop, day).state) for day in (DAY, NEXT)] == [("cross_day", "agreed")] * 2


def test_looking_again_finds_the_same_and_what_agrees_by_then_is_gone(shop: Shop) -> None:
    [known, strange] = own(shop, 9, 12)
    shop.knows([known])
    shop.has_bill(DAY, [known, strange])
    first = run(shop)
    before = only(shop)
    second = run(shop)
    assert (second.id > first.id, only(shop).id, only(shop).last_run_id) == (True, before.id, second.id)
    shop.knows([strange])
    run(shop)
    assert shop.differs(DAY) == []


def test_a_corrected_bill_supersedes_the_first(shop: Shop) -> None:
    [known] = own(shop, 9)
    shop.knows([known])
    shop.has_bill(DAY, [replace(known, paid_fen=1)])
    run(shop)
    shop.has_bill(DAY, [known])
    run(shop)
    assert shop.differs(DAY) == []


def test_an_empty_day_of_ours_against_a_full_bill_and_the_reverse(shop: Shop) -> None:
    lines = own(shop, *range(8, 20))
    shop.has_bill(DAY, lines)
    run(shop)
    assert {klass for klass, _, _ in shop.found(DAY)} == {"missing_here"}
    other = Shop(shop.admin, enterprise_payee())
    other.knows(own(other, 9, 10))
    other.has_bill(DAY, [])
    run(other)
    assert [each.klass for each in other.differs(DAY)] == ["missing_there"] * 2


def test_the_account_must_show_what_the_trades_lead_one_to_expect(shop: Shop) -> None:
    first, second, third = own(shop, 9, 12, 15)
    shop.knows([first, second, third])
    moved = [
        Flowed(first.at, first.transaction_id, "交易", 1250),
        Flowed(first.at, first.transaction_id, "扣除交易手续费", -8),
        Flowed(second.at, second.transaction_id, "交易", 1250),
        Flowed(at(16), "4200000000000000000000000099", "其他", 77),
        Flowed(at(8), "TX1", "提现", -5000),
    ]
    shop.has_bill(DAY, [first, second, third], moved=moved)
    run(shop)
    assert {(each.klass, each.gap_fen) for each in shop.differs(DAY)} == {
        ("flow_mismatch", 8), ("flow_missing", -1242), ("flow_extra", 77),
    }  # fmt: skip


def test_an_explanation_of_one_accepted_by_another_puts_the_money_into_suspense_with_an_owner(shop: Shop) -> None:
    [known, strange] = own(shop, 9, 12)
    found = compared(shop, [known], [known, strange])
    actions.explain(found.key, MAKER, "商户平台收款码误收")
    with pytest.raises(ExplainedAlready):
        actions.explain(found.key, CHECKER, "重复说明")
    with pytest.raises(OwnExplanation):
        actions.accept(found.key, MAKER, "同意")
    closed = actions.accept(found.key, CHECKER, "同意挂账")
    assert (closed.state, closed.owner, books(shop.payee)) == (
        "suspended", MAKER, {"wx_receivable": 1250, "suspense_long": -1250},
    )  # fmt: skip
    with pytest.raises(NotToBeExplained):
        actions.explain(found.key, MAKER, "再说明")


def test_a_rejected_explanation_leaves_all_open(shop: Shop) -> None:
    [known, strange] = own(shop, 9, 12)
    found = compared(shop, [known], [known, strange])
    with pytest.raises(NotExplained):
        actions.accept(found.key, CHECKER, "同意")
    actions.explain(found.key, MAKER, "不清楚")
    actions.reject(found.key, CHECKER, "请查明")
    assert (only(shop).state, books(shop.payee)) == ("open", {})
    actions.explain(found.key, MAKER, "已查明：误收")
    assert actions.accept(found.key, CHECKER, "同意").state == "suspended"


def test_what_stood_in_suspense_returns_when_the_payment_is_known_after_all(shop: Shop) -> None:
    [known, strange] = own(shop, 9, 12)
    found = compared(shop, [known], [known, strange])
    suspended(found)
    shop.knows([strange])
    run(shop)
    assert (shop.differs(DAY), books(shop.payee)) == ([], {})


def suspended(found: Difference) -> None:
    actions.explain(found.key, MAKER, "误收")
    actions.accept(found.key, CHECKER, "同意")


def explained(shop: Shop, *moved: Flowed) -> list[Traded]:
    """A day that can be signed off; yesterday's money was settled in the morning."""
    lines = own(shop, 9, 12)
    shop.knows(lines)
    settled = Flowed(at(8), "TX2026061000001", "提现", -4200, "", "TX2026061000001")
    flow = [Flowed(each.at, each.transaction_id, "交易", each.paid_fen - each.fee_fen) for each in lines]
    shop.has_bill(DAY, lines, moved=[settled, *flow, *moved])
    run(shop)
    return lines


def test_a_day_is_signed_off_by_two_and_its_fees_and_settlement_are_posted(shop: Shop) -> None:
    explained(shop)
    with pytest.raises(DayNotProposed):
        actions.sign(shop.channel_id, DAY, CHECKER)
    actions.propose(shop.channel_id, DAY, MAKER)
    with pytest.raises(DayProposedAlready):
        actions.propose(shop.channel_id, DAY, MAKER)
    with pytest.raises(OwnProposal):
        actions.sign(shop.channel_id, DAY, MAKER)
    actions.sign(shop.channel_id, DAY, CHECKER)
    assert books(shop.payee) == {"bank": 4200, "wx_fee": 16, "wx_receivable": -4216}
    with pytest.raises(DaySignedOff):
        actions.sign(shop.channel_id, DAY, CHECKER)
    assert actions.reconcile(shop.channel_id, DAY) is None


def test_a_day_with_anything_unexplained_is_not_signed_off(shop: Shop) -> None:
    [known, strange] = own(shop, 9, 12)
    found = compared(shop, [known], [known, strange])
    with pytest.raises(DayNotExplained):
        actions.propose(shop.channel_id, DAY, MAKER)
    suspended(found)
    assert unexplained(shop.channel_id, DAY) == 0
    actions.propose(shop.channel_id, DAY, MAKER)
    actions.sign(shop.channel_id, DAY, CHECKER)


def test_a_day_without_its_fund_flow_is_not_signed_off(shop: Shop) -> None:
    load(shop.expects(DAY, TRADE), [part(trades(*own(shop, 9)))], LOADED, KEEP_DAYS)
    with pytest.raises(DayNotCompared):
        actions.propose(shop.channel_id, DAY, MAKER)
    actions.reconcile(shop.channel_id, DAY)
    with pytest.raises(DayNotCompared):
        actions.propose(shop.channel_id, DAY, MAKER)


def signed(shop: Shop) -> list[Traded]:
    lines = explained(shop)
    actions.propose(shop.channel_id, DAY, MAKER)
    actions.sign(shop.channel_id, DAY, CHECKER)
    return lines


def test_a_signed_off_day_takes_no_other_bill(shop: Shop) -> None:
    [first, _] = signed(shop)
    with pytest.raises(BillRefused) as refusal:
        shop.has_bill(DAY, [first])
    assert refusal.value.code == "day_signed_off"


A_RUN: LiteralString = """
INSERT INTO recon_run (channel_id, payee_id, day, trade_file_id, at, theirs, theirs_fen, ours, ours_fen, matched,
                       matched_fen, theirs_differing, theirs_differing_fen, ours_differing, ours_differing_fen)
SELECT channel_id, payee_id, day, trade_file_id, now(), %(theirs)s, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM recon_run ORDER BY id DESC LIMIT 1
"""
A_SIGNATURE: LiteralString = """
INSERT INTO day_sign_off (key, proposal_id, channel_id, payee_id, day, made_by, signed_by, signed_at)
SELECT gen_random_uuid(), id, channel_id, %(payee)s, day, made_by, %(by)s, now() FROM day_proposal
"""


def hand_written(url: str, statement: LiteralString, **words: object) -> str | None:
    """The constraint that refuses hand-written SQL of the program's role."""
    with (
        pytest.raises(psycopg.IntegrityError) as refusal,
        psycopg.connect(url) as connection,
        connection.transaction(),
    ):
        connection.execute(statement, words)
    return refusal.value.diag.constraint_name


def test_what_no_run_nor_signature_may_be_cannot_be_written(shop: Shop, program: str) -> None:
    explained(shop)
    actions.propose(shop.channel_id, DAY, MAKER)
    who = {"payee": shop.payee.id, "by": MAKER}
    assert hand_written(program, A_SIGNATURE, **who) == "a_day_is_signed_off_by_another_person"
    assert hand_written(program, A_RUN, theirs=1) == "a_run_accounts_for_every_line_of_the_bill"
    actions.sign(shop.channel_id, DAY, CHECKER)
    assert hand_written(program, A_RUN, theirs=0) == "a_signed_day_stays_as_it_is"


def test_a_proposal_is_void_once_a_newer_run_found_something(shop: Shop, program: str) -> None:
    lines = explained(shop)
    actions.propose(shop.channel_id, DAY, MAKER)
    shop.has_bill(DAY, lines[:1])
    who = {"payee": shop.payee.id, "by": CHECKER}
    assert hand_written(program, A_SIGNATURE, **who) == "a_signed_day_is_explained"
    run(shop)
    assert hand_written(program, A_SIGNATURE, **who) == "a_signed_day_is_explained"
    with pytest.raises(DayNotExplained):
        actions.sign(shop.channel_id, DAY, CHECKER)


def test_nobody_closes_a_difference_without_an_explanation_that_another_accepted(shop: Shop, program: str) -> None:
    [known, strange] = own(shop, 9, 12)
    found = compared(shop, [known], [known, strange])
    close: LiteralString = "UPDATE difference SET state = 'settled' WHERE id = %(id)s"
    assert hand_written(program, close, id=found.id) == "a_difference_is_closed_by_two"
    actions.explain(found.key, MAKER, "误收")
    decide: LiteralString = (
        "UPDATE explanation SET decided_by = made_by, decided_at = now(), decided_because = 'x', accepted = true"
    )
    assert hand_written(program, decide) == "an_explanation_is_decided_by_another_person"


def test_a_bill_and_a_signature_at_the_same_moment_never_both_count(shop: Shop, app: Flask) -> None:
    lines = explained(shop)
    actions.propose(shop.channel_id, DAY, MAKER)
    refused = list[str]()

    def another_bill() -> None:
        try:
            shop.has_bill(DAY, lines[:1], moved=[])
        except BillRefused as refusal:
            refused.append(refusal.code)

    told = at_once(app, lambda: actions.sign(shop.channel_id, DAY, CHECKER), another_bill)
    assert (told, refused) in ((["done", "done"], ["day_signed_off"]), (["DayNotExplained", "done"], []))
