"""A sub-merchant that ended by mistake takes orders again: two persons, at once, and only while its bills are due."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask

from app.kernel import clock
from app.kernel.terms import ChangeOutOfOrder
from payments.bills.actions import expect_bills
from payments.bills.actions.load import keep
from payments.bills.queries import FUND_FLOW, TRADE
from payments.payees.actions import (
    accept_reopening,
    confirm_channel,
    open_channel,
    reject_reopening,
    reopen_channel,
    retire_channel,
)
from payments.payees.actions.reopenings import (
    ChannelNotEnded,
    ChannelOver,
    OwnReopening,
    ReopeningDecided,
    ReopeningReasonMissing,
    ReopeningWaits,
)
from payments.payees.models import ChannelReopening, MerchantChannel, Payee
from payments.payees.queries import NoChannel, channel_by_key, channel_of
from payments.reconciliation.actions import reconcile
from tests.payments.months import LOADED, Shop
from tests.payments.papers import payment
from tests.payments.test_last_bills import DAY, NOON, TODAY, closes, ended, shop, signed_off, signs
from tests.payments.world import paid_through, sub_merchant, treasury_payee
from tests.races import at_once

__all__ = ["shop"]
Move = Callable[[datetime], None]
HOUR = timedelta(hours=1)
MAKER, CHECKER = "finance:6", "finance:7"


def times(channel: MerchantChannel) -> list[tuple[datetime | None, datetime | None]]:
    return [(each.lower, each.upper) for each in channel_by_key(channel.key).valid or ()]


def reopened(channel: MerchantChannel) -> ChannelReopening:
    return accept_reopening(reopen_channel(channel.key, MAKER, "误停用").key, CHECKER, "已核")


@pytest.fixture
def payee(app: Flask, evening: datetime) -> Payee:
    return treasury_payee()


@pytest.fixture
def retired(payee: Payee, at: Move, evening: datetime) -> MerchantChannel:
    """It took orders for an hour; now it is an hour later."""
    return ended_after(channel_of(payee.id), at, evening + HOUR)


def ended_after(channel: MerchantChannel, at: Move, end: datetime) -> MerchantChannel:
    retire_channel(channel.key, end, CHECKER)
    at(end + HOUR)
    return channel


def test_a_channel_that_ended_by_mistake_takes_orders_again_when_two_persons_say_so(
    payee: Payee, retired: MerchantChannel, evening: datetime
) -> None:
    asked = reopen_channel(retired.key, MAKER, "误停用")
    with pytest.raises(NoChannel):
        channel_of(payee.id)
    with pytest.raises(OwnReopening):
        accept_reopening(asked.key, MAKER, "已核")
    decided_at = accept_reopening(asked.key, CHECKER, "已核").decided_at
    assert channel_of(payee.id).id == retired.id
    assert times(retired)[0][1] == evening + HOUR
    assert times(retired)[1] == (decided_at, None)
    with pytest.raises(ReopeningDecided):
        accept_reopening(asked.key, CHECKER, "已核")


def test_the_right_number_takes_orders_again_and_a_mistyped_one_none(payee: Payee) -> None:
    right = channel_of(payee.id)
    mistyped = paid_through(payee)
    decided_at = reopened(right).decided_at
    assert channel_of(payee.id).id == right.id
    assert times(mistyped)[0][1] == decided_at


def test_an_end_that_lies_ahead_is_taken_back(payee: Payee) -> None:
    channel = channel_of(payee.id)
    [(begun, _)] = times(channel)
    retire_channel(channel.key, clock.now() + HOUR, CHECKER)
    reopened(channel)
    assert times(channel) == [(begun, None)]


def test_it_may_end_and_be_reopened_again(retired: MerchantChannel, at: Move, evening: datetime) -> None:
    reopened(retired)
    reopened(ended_after(retired, at, evening + 3 * HOUR))
    assert [upper for _, upper in times(retired)] == [evening + HOUR, evening + 3 * HOUR, None]
    assert channel_by_key(retired.key).reopened == 2


def test_a_request_that_was_rejected_leaves_it_ended_and_another_may_be_made(
    payee: Payee, retired: MerchantChannel
) -> None:
    asked = reopen_channel(retired.key, MAKER, "误停用")
    with pytest.raises(ReopeningWaits):
        reopen_channel(retired.key, MAKER, "误停用")
    reject_reopening(asked.key, CHECKER, "停用无误")
    with pytest.raises(NoChannel):
        channel_of(payee.id)
    reopened(retired)
    assert channel_of(payee.id).id == retired.id


def test_what_has_not_ended_or_was_never_confirmed_is_not_reopened(payee: Payee) -> None:
    unconfirmed = open_channel(payee.id, sp_mchid="1600000001", sub_mchid=sub_merchant(), actor=MAKER)
    for each in (channel_of(payee.id), unconfirmed):
        with pytest.raises(ChannelNotEnded):
            reopen_channel(each.key, MAKER, "误停用")


def test_who_asks_says_why(retired: MerchantChannel) -> None:
    with pytest.raises(ReopeningReasonMissing):
        reopen_channel(retired.key, MAKER, " ")


def test_another_channel_that_is_to_begin_later_holds_a_reopening_up(payee: Payee, retired: MerchantChannel) -> None:
    later = open_channel(
        payee.id, sp_mchid="1600000001", sub_mchid=sub_merchant(), actor=MAKER, since=clock.now() + HOUR
    )
    confirm_channel(later.key, CHECKER)
    with pytest.raises(ChangeOutOfOrder):
        reopened(retired)


def test_of_two_that_decide_at_once_one_does(app: Flask, retired: MerchantChannel) -> None:
    asked = reopen_channel(retired.key, MAKER, "误停用")
    deeds = [partial(accept_reopening, asked.key, who, "已核") for who in (CHECKER, "finance:8")]
    assert at_once(app, *deeds) == ["ReopeningDecided", "done"]


def test_a_number_whose_bills_are_over_is_opened_anew(shop: Shop, at: Move) -> None:
    channel = ended(shop, at)
    at(NOON + 3 * DAY)
    with pytest.raises(ChannelOver):
        reopen_channel(channel.key, MAKER, "误停用")
    paid_through(shop.payee, channel.sub_mchid)
    assert channel_of(shop.payee.id).sub_mchid == channel.sub_mchid


def test_the_days_between_need_nobody_where_wechat_tells_nothing_of_them(
    shop: Shop, at: Move, admin: psycopg.Connection[Any]
) -> None:
    shop.knows([payment(hour=9, owner=shop.owner(TODAY))])
    retire_channel(shop.channel.key, NOON + DAY, CHECKER)
    at(NOON + 4 * DAY)
    closes(4)
    expect_bills()
    signs(admin, shop, TODAY + DAY)
    for day in (TODAY + 2 * DAY, TODAY + 3 * DAY):
        for kind in (TRADE, FUND_FLOW):
            keep(shop.expects(day, kind), "empty", on_loaded=LOADED)
        reconcile(shop.channel_id, day)
    reopened(shop.channel)
    assert signed_off(shop) == (True, TODAY + 3 * DAY)


BY_HAND: LiteralString = """
UPDATE merchant_channel SET valid = valid + tstzmultirange(tstzrange(%s, NULL)), reopened = reopened + 1 WHERE id = %s
"""
DECIDED: LiteralString = """
UPDATE channel_reopening SET state = 'accepted', decided_by = %s, decided_at = now(), decided_because = '已核'
WHERE id = %s
"""


def by_hand(url: str, statement: LiteralString, *values: object) -> str | None:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement, values)
            connection.commit()
        except psycopg.IntegrityError as refusal:
            return refusal.diag.constraint_name
    return None


def test_by_hand_nobody_reopens_what_two_persons_did_not(retired: MerchantChannel, owner: str, program: str) -> None:
    asked = reopen_channel(retired.key, MAKER, "误停用")
    assert by_hand(owner, BY_HAND, clock.now(), retired.id) == "merchant_channel_only_ends"
    assert by_hand(program, DECIDED, MAKER, asked.id) == "a_reopening_is_decided_by_another_person"
    assert by_hand(program, DECIDED, CHECKER, asked.id) == "an_accepted_reopening_is_done"


def test_what_was_agreed_once_reopens_nothing_a_second_time(
    retired: MerchantChannel, owner: str, at: Move, evening: datetime
) -> None:
    decided_at = reopened(retired).decided_at
    ended_after(retired, at, evening + 3 * HOUR)
    for since in (decided_at, clock.now()):
        assert by_hand(owner, BY_HAND, since, retired.id) == "merchant_channel_only_ends"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE channel_reopening SET because = 'x' WHERE id = %s",
        "UPDATE channel_reopening SET decided_because = 'x' WHERE id = %s",
        "UPDATE channel_reopening SET state = 'waiting' WHERE id = %s",
        "DELETE FROM channel_reopening WHERE id = %s",
    ],
)
def test_what_was_decided_stays_as_it_is(retired: MerchantChannel, owner: str, statement: LiteralString) -> None:
    assert by_hand(owner, statement, reopened(retired).id) == "channel_reopening_says_the_same"
