"""WeChat's fee is held against the rate that was agreed for the merchant, once two persons said which that is."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask

from app.kernel.clock import SHANGHAI
from payments.reconciliation import actions
from payments.reconciliation.actions.rates import OwnRate, RateKnown, RateUnfit
from payments.reconciliation.queries import agreed_ppm
from tests.commands import refused, told
from tests.payments.months import Shop
from tests.payments.papers import DAY, payment, refund
from tests.payments.test_reconcile import hand_written
from tests.payments.world import treasury_payee
from tests.world import staff

MAKER, CHECKER = "staff:1", "staff:2"


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Callable[[datetime], None]) -> Shop:
    """A merchant with a payment at 0.60 percent, a part of which went back; both sides know the same."""
    at(datetime(2026, 6, 12, 10, 30, tzinfo=SHANGHAI).astimezone(UTC))
    made = Shop(admin, treasury_payee())
    paid = payment(1250, 9, made.owner(DAY))
    lines = [paid, refund(paid, 300)]
    made.knows(lines)
    made.has_bill(DAY, lines)
    return made


def agreed(shop: Shop, rate_ppm: int, since: date = DAY) -> None:
    made = actions.record_rate(shop.channel, rate_ppm, since, "合同2026-17", MAKER)
    actions.confirm_rate(made.key, CHECKER)


def classes(shop: Shop) -> list[tuple[str, int]]:
    actions.reconcile(shop.channel_id, DAY)
    return [(each.klass, each.gap_fen) for each in shop.differs(DAY)]


def test_a_fee_at_another_rate_than_agreed_differs_and_at_the_agreed_one_no_more(shop: Shop) -> None:
    assert classes(shop) == []
    agreed(shop, 5400, DAY - timedelta(days=10))
    assert classes(shop) == [("fee_mismatch", 0)]
    agreed(shop, 6000, DAY)
    assert classes(shop) == []


def test_what_is_agreed_for_later_or_by_one_person_does_not_count(shop: Shop) -> None:
    agreed(shop, 5400, DAY + timedelta(days=1))
    actions.record_rate(shop.channel, 5400, DAY, "合同2026-17", MAKER)
    assert (agreed_ppm(shop.channel_id, DAY), classes(shop)) == (None, [])


def test_a_rate_is_confirmed_once_by_another_person_and_stays(shop: Shop, program: str) -> None:
    made = actions.record_rate(shop.channel, 5400, DAY, "合同2026-17", MAKER)
    with pytest.raises(OwnRate):
        actions.confirm_rate(made.key, MAKER)
    own: LiteralString = "UPDATE agreed_rate SET confirmed_by = recorded_by, confirmed_at = now()"
    assert hand_written(program, own) == "an_agreed_rate_is_confirmed_by_another_person"
    actions.confirm_rate(made.key, CHECKER)
    again = actions.record_rate(shop.channel, 6000, DAY, "合同2026-18", MAKER)
    for key in (made.key, again.key):
        with pytest.raises(RateKnown):
            actions.confirm_rate(key, CHECKER)
    back: LiteralString = "UPDATE agreed_rate SET confirmed_by = NULL, confirmed_at = NULL WHERE confirmed_by <> ''"
    assert hand_written(program, back) == "an_agreed_rate_stays"


@pytest.mark.parametrize(("rate_ppm", "note"), [(-1, "合同"), (20_001, "合同"), (5400, " ")])
def test_a_rate_that_cannot_be_is_refused(shop: Shop, rate_ppm: int, note: str) -> None:
    with pytest.raises(RateUnfit):
        actions.record_rate(shop.channel, rate_ppm, DAY, note, MAKER)


def test_rates_are_recorded_confirmed_and_listed_at_a_terminal(app: Flask, shop: Shop) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    merchant = shop.channel.sub_mchid
    words = ("reconciliation", "record-rate", merchant, "0.54", "--since", DAY, "--note", "合同2026-17")
    assert refused(app, checker, *words) == "not_permitted"
    made = told(app, maker, *words)
    assert (
        refused(app, staff("finance_checker", district_code="330108"), "reconciliation", "confirm-rate", made["key"])
        == "not_found"
    )
    told(app, checker, "reconciliation", "confirm-rate", made["key"])
    [listed] = told(app, checker, "reconciliation", "rates")
    assert (listed["percent"], listed["rate_ppm"], listed["confirmed_by"]) == ("0.5400", 5400, checker.label)
