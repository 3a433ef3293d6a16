"""A motorist hears once of each receipt that is issued, reversed, or not to be had for a day."""

from datetime import timedelta

from flask import Flask

from app.domain.receipts.actions import tell_news
from app.kernel.db import transaction
from payments.charges.models import Charge
from payments.charges.queries import payments_of
from payments.payees.models import Payee
from payments.receipts.actions import amend
from payments.refunds.actions import approve, ask
from payments.refunds.models import Refund
from payments.refunds.rules import REFUND
from tests.conftest import MovableClock
from tests.payments.platforms import Stands
from tests.races import at_once
from tests.receipts.scene import has_paid, inbox, issued
from tests.world import driver


def given_back(of: Charge, fen: int) -> None:
    """WeChat has given a part of it back."""
    made = ask(
        payments_of(of.id)[0].key, fen, reason="overpaid", basis="多收", asked_by="staff:1", alone_up_to_fen=fen,
        on_moved="tests.moved",
    )  # fmt: skip
    approve(made.key, "staff:2", "核对无误")
    with transaction() as session:
        back = session.get_one(Refund, made.id)
        REFUND.move(back, "send", "test", body=b"sealed")
        REFUND.move(back, "accept", "test", refund_id="50000000000000000000000000")
        REFUND.move(back, "succeed", "test")
        amend([of.id])


def test_who_paid_hears_once_that_the_receipt_is_there(organ: Payee, platforms: Stands) -> None:
    who = driver()
    has_paid(who, organ)
    assert (tell_news(), inbox(who)) == (0, [])
    issued(platforms)
    assert (tell_news(), tell_news()) == (1, 0)
    assert inbox(who) == [("receipt_issued", "12.50元的财政电子票据已开具，可在“我的票据”中查看和下载。")]


def test_two_who_tell_at_once_tell_once(app: Flask, organ: Payee, platforms: Stands) -> None:
    who = driver()
    has_paid(who, organ)
    issued(platforms)
    assert at_once(app, tell_news, tell_news) == ["done", "done"]
    assert [kind for kind, _ in inbox(who)] == ["receipt_issued"]


def test_a_day_without_the_platform_is_told_once_and_the_receipt_after_it(
    organ: Payee, platforms: Stands, clock: MovableClock
) -> None:
    who = driver()
    has_paid(who, organ)
    platforms.fiscal.fail("down", times=100)
    for hours in (0, 25, 2):
        clock.move_by(timedelta(hours=hours))
        issued(platforms)
        tell_news()
    assert [kind for kind, _ in inbox(who)] == ["receipt_late"]
    platforms.calm()
    clock.move_by(timedelta(hours=2))
    issued(platforms)
    tell_news()
    assert [kind for kind, _ in inbox(who)] == ["receipt_late", "receipt_issued"]


def test_what_a_platform_refuses_is_told_as_late(organ: Payee, platforms: Stands) -> None:
    who = driver()
    has_paid(who, organ)
    platforms.fiscal.fail("refuse")
    issued(platforms)
    tell_news()
    assert [kind for kind, _ in inbox(who)] == ["receipt_late"]


def test_a_refund_is_followed_by_news_of_the_reversal_and_of_the_rest(
    organ: Payee, platforms: Stands, clock: MovableClock
) -> None:
    who = driver()
    of = has_paid(who, organ)
    issued(platforms)
    tell_news()
    given_back(of, 300)
    for _ in range(3):
        clock.move_by(timedelta(minutes=3))
        issued(platforms)
    tell_news()
    assert [kind for kind, _ in inbox(who)] == ["receipt_issued", "receipt_reversed", "receipt_issued"]
    assert inbox(who)[-1][1].startswith("9.50元")
