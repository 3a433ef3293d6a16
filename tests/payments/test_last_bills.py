"""How long a sub-merchant that takes no orders any more owes bills, and when its number may pass to another payee."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import IntegrityConstraintViolation
from sqlalchemy import func, select

from app.kernel import clock
from app.kernel.db import transaction
from payments.bills.actions import expect_bills
from payments.bills.actions.load import keep
from payments.bills.models import BillDay
from payments.bills.queries import FUND_FLOW, TRADE
from payments.ledger.actions import close_day
from payments.payees.actions import confirm_channel, open_channel, retire_channel
from payments.payees.actions.channels import SubMerchantStillOwes
from payments.payees.models import MerchantChannel
from payments.payees.queries import channel_of
from payments.reconciliation.actions import reconcile
from payments.reconciliation.queries import merchant
from tests.payments.months import LOADED, Shop
from tests.payments.papers import payment
from tests.payments.world import treasury_payee
from tests.world import shanghai

Move = Callable[[datetime], None]
DAY = timedelta(days=1)
NOON = shanghai("2026-06-10 12:00")
TODAY = date(2026, 6, 10)
_SIGNED: LiteralString = """
INSERT INTO day_sign_off (key, proposal_id, channel_id, payee_id, day, made_by, signed_by, signed_at)
SELECT DISTINCT ON (day) gen_random_uuid(), 0, channel_id, payee_id, day, 'staff:1', 'staff:2', now()
FROM bill_day WHERE channel_id = %s AND day <= %s
"""
_PASSED_ON: LiteralString = """
UPDATE merchant_channel SET confirmed_by = 'finance:8', confirmed_at = now(),
    valid = tstzmultirange(tstzrange(%s, NULL)) WHERE id = %s
"""


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Move) -> Shop:
    """An organ whose sub-merchant begins on the 10th of June."""
    at(NOON)
    return Shop(admin, treasury_payee())


def ended(shop: Shop, at: Move) -> MerchantChannel:
    """It takes orders until the 11th at noon; now it is the 12th."""
    channel = retire_channel(shop.channel.key, NOON + DAY, "finance:7")
    at(NOON + 2 * DAY)
    return channel


def through(channel_id: int) -> date | None:
    with transaction() as session:
        return session.scalar(select(func.bills_due_through(channel_id)))


def due_days(channel_id: int) -> list[date]:
    with transaction() as session:
        mine = select(BillDay.day).filter_by(channel_id=channel_id, kind=TRADE).order_by(BillDay.day)
        return list(session.scalars(mine))


def signed_off(shop: Shop) -> tuple[bool, date | None]:
    """Whether the 13th may be remitted as far as merchants go, and through which day there is no hole."""
    with transaction() as session:
        days = func.signed_off_days(shop.payee.id).op("@>")(TODAY + 3 * DAY)
        return tuple(session.execute(select(days, func.signed_off_through(shop.payee.id))).one())


def signs(admin: psycopg.Connection[Any], shop: Shop, last: date) -> None:
    """Two persons have signed off every day that is due, to the last one."""
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(_SIGNED, [shop.channel_id, last])


def closes(days: int) -> date:
    """The books of so many days from today on are closed; returns the last one."""
    for number in range(days):
        close_day(TODAY + number * DAY, "test")
    return TODAY + (days - 1) * DAY


def test_a_sub_merchant_that_never_took_anything_owes_bills_until_the_day_after_its_end(shop: Shop, at: Move) -> None:
    channel = ended(shop, at)
    assert through(channel.id) == TODAY + 2 * DAY
    at(NOON + 10 * DAY)
    expect_bills()
    assert due_days(channel.id) == [TODAY, TODAY + DAY, TODAY + 2 * DAY]


def test_one_that_takes_orders_owes_bills_without_an_end(shop: Shop) -> None:
    assert through(shop.channel_id) is None


def test_what_was_paid_may_come_back_for_a_year_so_long_bills_are_due(shop: Shop, at: Move) -> None:
    shop.knows([payment(hour=9, owner=shop.owner(TODAY))])
    assert through(ended(shop, at).id) == TODAY + 365 * DAY


def test_after_its_end_a_day_of_which_wechat_tells_nothing_needs_nobody(
    shop: Shop, at: Move, admin: psycopg.Connection[Any]
) -> None:
    shop.knows([payment(hour=9, owner=shop.owner(TODAY))])
    ended(shop, at)
    at(NOON + 4 * DAY)
    closes(4)
    expect_bills()
    signs(admin, shop, TODAY + 2 * DAY)
    assert signed_off(shop) == (False, TODAY + 2 * DAY)
    for kind in (TRADE, FUND_FLOW):
        keep(shop.expects(TODAY + 3 * DAY, kind), "empty", on_loaded=LOADED)
    reconcile(shop.channel_id, TODAY + 3 * DAY)
    assert signed_off(shop) == (True, TODAY + 3 * DAY)


def test_when_its_last_bill_is_signed_off_a_merchant_holds_nothing_up_any_more(
    shop: Shop, at: Move, admin: psycopg.Connection[Any]
) -> None:
    ended(shop, at)
    at(NOON + 5 * DAY)
    last = closes(5)
    expect_bills()
    assert signed_off(shop)[1] == TODAY - DAY
    signs(admin, shop, TODAY + 2 * DAY)
    assert signed_off(shop) == (True, last)


def test_a_number_passes_to_another_payee_when_nothing_of_it_is_open(shop: Shop, at: Move, program: str) -> None:
    shop.knows([payment(hour=9, owner=shop.owner(TODAY))])
    channel, heir = ended(shop, at), treasury_payee()
    wanted = open_channel(heir.id, sp_mchid=channel.sp_mchid, sub_mchid=channel.sub_mchid, actor="finance:6")
    with pytest.raises(SubMerchantStillOwes):
        confirm_channel(wanted.key, "finance:7")
    with psycopg.connect(program) as connection, pytest.raises(IntegrityConstraintViolation) as refusal:
        connection.execute(_PASSED_ON, (clock.now() + DAY, wanted.id))
    assert refusal.value.diag.constraint_name == "a_sub_merchant_passes_on_when_nothing_of_it_is_open"
    at(NOON + 366 * DAY)
    retire_channel(channel_of(heir.id).key, clock.now() + DAY, "finance:7")
    at(NOON + 368 * DAY)
    assert confirm_channel(wanted.key, "finance:7").id == channel_of(heir.id).id == merchant(channel.sub_mchid).id
    assert merchant(channel.sub_mchid, TODAY).id == channel.id
