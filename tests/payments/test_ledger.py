import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.db import transaction
from payments.ledger.actions import PostedDifferently, post, reverse
from payments.ledger.queries import balance, journals_of, lines_of, trial_balance
from payments.ledger.rules import (
    CHART,
    SOE,
    TREASURY,
    Line,
    Unbalanced,
    chart_of,
    check,
    credit,
    debit,
    paid_lines,
    recognised_lines,
)
from tests.payments.servers import in_parallel
from tests.payments.world import books, enterprise_payee, treasury_payee

AT = datetime(2026, 5, 1, 4, tzinfo=UTC)
ours = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def reference() -> str:
    return f"test:{uuid.uuid4()}"


@st.composite
def journals(draw: st.DrawFn) -> list[Line]:
    """Lines over a treasury payee's accounts that sum to zero, none of them zero."""
    codes = st.sampled_from([each.code for each in chart_of(TREASURY)])
    fen = st.integers(-(10**12), 10**12).filter(bool)
    lines = draw(st.lists(st.builds(Line, codes, fen), min_size=1, max_size=6))
    rest = sum(each.amount_fen for each in lines)
    return (
        [*lines, Line(draw(codes), -rest)]
        if rest
        else [*lines, *[Line(each.account, -each.amount_fen) for each in lines]]
    )


def test_the_same_event_posted_twice_moves_money_once(app: Flask) -> None:
    payee, name = treasury_payee(), reference()
    first = post("payment", name, payee.id, AT, paid_lines(1250))
    assert post("payment", name, payee.id, AT, paid_lines(1250)) == first
    assert books(payee) == {"wx_receivable": 1250, "customer_prepaid": -1250}


def test_a_reference_posted_with_other_lines_is_an_alarm_and_changes_nothing(app: Flask) -> None:
    payee, name = treasury_payee(), reference()
    post("payment", name, payee.id, AT, paid_lines(1250))
    with pytest.raises(PostedDifferently):
        post("payment", name, payee.id, AT, paid_lines(1251))
    assert balance(payee.id, "wx_receivable") == 1250


def test_a_reference_posted_for_another_payee_is_an_alarm(app: Flask) -> None:
    payee, other, name = treasury_payee(), treasury_payee(), reference()
    post("payment", name, payee.id, AT, paid_lines(1250))
    with pytest.raises(PostedDifferently):
        post("payment", name, other.id, AT, paid_lines(1250))
    assert books(other) == {}


def test_eight_writers_of_one_event_make_one_journal(app: Flask) -> None:
    payee, name = treasury_payee(), reference()
    entered = in_parallel(app, 8, lambda: post("payment", name, payee.id, AT, paid_lines(100)))
    assert len(set(entered)) == 1
    assert balance(payee.id, "wx_receivable") == 100


def test_a_reversal_swaps_the_ends_and_the_story_stays(app: Flask) -> None:
    payee, name = treasury_payee(), reference()
    post("payment", name, payee.id, AT, paid_lines(1250))
    [journal] = journals_of(name)
    assert reverse(journal, AT) == reverse(journal, AT)
    [back] = journals_of(f"payment/{name}")
    assert (back.reverses_id, books(payee)) == (journal.id, {})
    assert [each.amount_fen for each in lines_of(journal.id)] == [1250, -1250]
    assert len(journals_of(name)) == 1


@pytest.mark.parametrize(
    "lines",
    [[], [debit("bank", 1)], [debit("bank", 2), credit("wx_fee", 1)], [debit("bank", 0), credit("bank", 0)]],
    ids=["nothing", "one line", "unequal", "zeros"],
)
def test_lines_that_are_no_journal_are_refused_before_the_database_sees_them(lines: list[Line]) -> None:
    with pytest.raises(Unbalanced):
        check(lines)


@given(fen=st.integers(1, 10**12), regime=st.sampled_from([TREASURY, SOE]))
def test_every_event_of_a_charge_is_a_journal(fen: int, regime: str) -> None:
    check(paid_lines(fen))
    check(recognised_lines(regime, fen))
    assert {each.account for each in recognised_lines(regime, fen)} <= {each.code for each in chart_of(regime)}


@ours
@given(story=st.lists(journals(), min_size=1, max_size=5))
def test_whatever_is_posted_each_account_holds_the_sum_of_its_lines_and_all_hold_zero(
    app: Flask, story: list[list[Line]]
) -> None:
    payee, model = treasury_payee(), Counter[str]()
    for lines in story:
        name = reference()
        for _ in range(2):
            post("test", name, payee.id, AT, lines)
        for each in lines:
            model[each.account] += each.amount_fen
    assert books(payee) == {code: fen for code, fen in model.items() if fen}
    assert sum(books(payee).values()) == 0


def test_the_books_of_all_payees_together_hold_zero(app: Flask) -> None:
    post("payment", reference(), treasury_payee().id, AT, paid_lines(7))
    post("payment", reference(), enterprise_payee().id, AT, paid_lines(9))
    with transaction():
        assert sum(each.amount_fen for each in trial_balance()) == 0


def test_a_treasury_payee_keeps_no_revenue_and_an_enterprise_owes_no_treasury() -> None:
    assert "revenue" not in {each.code for each in chart_of(TREASURY)}
    assert "due_to_treasury" not in {each.code for each in chart_of(SOE)}
    assert {each.code for each in CHART} == {each.code for each in chart_of(TREASURY) + chart_of(SOE)}
