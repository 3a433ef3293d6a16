"""A month of two merchants with differences of every class hidden in both legs: all are found, and nothing else."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from flask import Flask

from app.kernel.clock import SHANGHAI
from payments.bills.actions import load
from payments.bills.queries import FUND_FLOW, TRADE
from payments.payees.models import Payee
from payments.reconciliation.actions import reconcile
from payments.reconciliation.rules import FIRST_LEG, SECOND_LEG
from simulators.wechat.bill_papers import Flowed, Traded
from tests.payments.months import LOADED, Shop
from tests.payments.papers import KEEP_DAYS, digits, flowing, flows, part, payment, refund, trades
from tests.payments.world import enterprise_payee, treasury_payee

SEED = 20260601
FIRST = date(2026, 6, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(30)]
A_DAY = timedelta(days=1)
Found = tuple[int, date, str, str]
"""Channel, day, class, and WeChat's number with `/ours` where only we have it."""


@dataclass
class Month:
    """What we know and what WeChat's bills say, by merchant and day; and what differs, which nobody else is told."""

    shops: list[Shop]
    dice: random.Random
    ours: dict[int, list[Traded]] = field(default_factory=dict)
    theirs: dict[tuple[int, date], list[Traded]] = field(default_factory=dict)
    wrong_fees: dict[tuple[int, date], list[Traded]] = field(default_factory=dict)
    flows: dict[tuple[int, date], list[Flowed]] = field(default_factory=dict)
    truth: set[Found] = field(default_factory=set)

    def make(self) -> None:
        for shop in self.shops:
            self.ours[shop.channel_id] = []
            for day in DAYS:
                self.theirs[shop.channel_id, day] = []
        for shop in self.shops:
            for day in DAYS:
                self._day(shop, day)
        for shop in self.shops:
            for day in DAYS:
                self._flows(shop, day)

    def _flows(self, shop: Shop, day: date) -> None:
        """What moved in WeChat's account follows from the trade bill, but for one thing."""
        moved = flowing(in_bill(self, shop, day))
        spoil, klass = self.dice.choice(FLOW_SPOILERS)
        self.flows[shop.channel_id, day], subject = spoil(self, moved)
        self.expect(shop, day, klass, subject)

    def _day(self, shop: Shop, day: date) -> None:
        made = [payment(self.dice.randrange(100, 5000), self.dice.randrange(1, 23), shop.owner(day)) for _ in range(6)]
        made += [refund(each, 50) for each in made[:1]]
        self.ours[shop.channel_id] += made
        self.theirs[shop.channel_id, day] += made
        for spoil in self.dice.sample(SPOILERS, 3):
            spoil(self, shop, day)

    def fresh(self, shop: Shop, day: date) -> Traded:
        return payment(self.dice.randrange(100, 5000), self.dice.randrange(1, 22), shop.owner(day))

    def add(self, shop: Shop, day: date, ours: Traded | None, theirs: Traded | None) -> None:
        if ours is not None:
            self.ours[shop.channel_id].append(ours)
        if theirs is not None:
            self.theirs[shop.channel_id, day].append(theirs)

    def expect(self, shop: Shop, day: date, klass: str, subject: str) -> None:
        self.truth.add((shop.channel_id, day, klass, subject))


def missing_here(month: Month, shop: Shop, day: date) -> None:
    line = month.fresh(shop, day)
    month.add(shop, day, None, line)
    month.expect(shop, day, "missing_here", line.transaction_id)


def refund_missing_here(month: Month, shop: Shop, day: date) -> None:
    line = month.fresh(shop, day)
    back = refund(line, 60)
    month.add(shop, day, line, line)
    month.add(shop, day, None, back)
    month.expect(shop, day, "missing_here", back.refund_id)


def missing_there(month: Month, shop: Shop, day: date) -> None:
    line = month.fresh(shop, day)
    month.add(shop, day, line, None)
    month.expect(shop, day, "missing_there", f"{line.transaction_id}/ours")


def amount_mismatch(month: Month, shop: Shop, day: date) -> None:
    line = month.fresh(shop, day)
    month.add(shop, day, line, replace(line, paid_fen=line.paid_fen + month.dice.choice([-1, 1, 100])))
    month.expect(shop, day, "amount_mismatch", line.transaction_id)


def duplicate_there(month: Month, shop: Shop, day: date) -> None:
    line = month.fresh(shop, day)
    again = replace(line, transaction_id=f"42{digits(26)}", at=line.at + 30)
    month.add(shop, day, line, line)
    month.add(shop, day, None, again)
    month.expect(shop, day, "duplicate_there", again.transaction_id)


def channel_mismatch(month: Month, shop: Shop, day: date) -> None:
    [other] = [each for each in month.shops if each.channel_id != shop.channel_id]
    line = month.fresh(shop, day)
    month.add(shop, day, line, None)
    month.add(other, day, None, replace(line, sub_mchid=other.owner(day).sub_mchid))
    month.expect(shop, day, "channel_mismatch", f"{line.transaction_id}/ours")
    month.expect(other, day, "channel_mismatch", line.transaction_id)


def status_stale(month: Month, shop: Shop, day: date) -> None:
    line = month.fresh(shop, day)
    back = refund(line, 60, status=month.dice.choice(["SUCCESS", "CLOSED", "ABNORMAL"]))
    month.add(shop, day, line, line)
    month.add(shop, day, back, replace(back, status="PROCESSING"))
    month.expect(shop, day, "status_stale", back.refund_id)


def fee_mismatch(month: Month, shop: Shop, day: date) -> None:
    line = replace(month.fresh(shop, day), paid_fen=5000)
    month.add(shop, day, line, None)
    month.wrong_fees.setdefault((shop.channel_id, day), []).append(line)
    month.expect(shop, day, "fee_mismatch", line.transaction_id)


def cross_day(month: Month, shop: Shop, day: date) -> None:
    if day == DAYS[-1]:
        return
    midnight = datetime.combine(day + A_DAY, datetime.min.time(), SHANGHAI).timestamp()
    line = replace(month.fresh(shop, day), at=midnight - month.dice.randrange(1, 1700))
    month.add(shop, day, line, None)
    month.add(shop, day + A_DAY, None, replace(line, at=midnight + month.dice.randrange(0, 60)))
    month.expect(shop, day, "cross_day", f"{line.transaction_id}/ours")
    month.expect(shop, day + A_DAY, "cross_day", line.transaction_id)


SPOILERS: list[Callable[[Month, Shop, date], None]] = [
    missing_here, refund_missing_here, missing_there, amount_mismatch, duplicate_there, channel_mismatch, status_stale,
    fee_mismatch, cross_day,
]  # fmt: skip


def flow_missing(month: Month, moved: list[Flowed]) -> tuple[list[Flowed], str]:
    lost = month.dice.choice(moved).business_id
    return [each for each in moved if each.business_id != lost], lost


def flow_extra(month: Month, moved: list[Flowed]) -> tuple[list[Flowed], str]:
    strange = replace(
        month.dice.choice(moved), business_id=f"42{digits(26)}", kind="其他", fen=month.dice.choice([-7, 9])
    )
    return [*moved, strange], strange.business_id


def flow_mismatch(month: Month, moved: list[Flowed]) -> tuple[list[Flowed], str]:
    place = month.dice.randrange(len(moved))
    told = moved[place]
    return [*moved[:place], replace(told, fen=told.fen + month.dice.choice([-100, 100])), *moved[place + 1 :]], (
        told.business_id
    )


FLOW_SPOILERS: list[tuple[Callable[[Month, list[Flowed]], tuple[list[Flowed], str]], str]] = [
    (flow_missing, "flow_missing"), (flow_extra, "flow_extra"), (flow_mismatch, "flow_mismatch"),
]  # fmt: skip


def in_bill(month: Month, shop: Shop, day: date) -> list[Traded]:
    """The lines of a day's bill, with fees as they were taken."""
    wrong = month.wrong_fees.get((shop.channel_id, day), [])
    return [*month.theirs[shop.channel_id, day], *(replace(each, fee_percent="0.62") for each in wrong)]


def bill_of(month: Month, shop: Shop, day: date) -> str:
    """The day's bill, with what a wrong fee on some lines makes of it and of its total."""
    wrong = month.wrong_fees.get((shop.channel_id, day), [])
    text = trades(*in_bill(month, shop, day))
    for each in wrong:
        text = "\r\n".join(
            line.replace("`0.62%", "`0.60%") if each.transaction_id in line else line for line in text.split("\r\n")
        )
    return text


def found(shops: list[Shop]) -> Iterator[Found]:
    for shop in shops:
        for day in DAYS:
            for each in shop.differs(day):
                yield shop.channel_id, day, each.klass, each.subject


def test_every_difference_of_a_month_is_found_in_its_class_and_nothing_else(
    app: Flask, admin: psycopg.Connection[Any], at: Callable[[datetime], None]
) -> None:
    at(datetime(2026, 7, 5, 11, tzinfo=SHANGHAI).astimezone(UTC))
    payees: list[Payee] = [treasury_payee(), enterprise_payee()]
    month = Month([Shop(admin, each) for each in payees], random.Random(SEED))
    month.make()
    for shop in month.shops:
        shop.knows(month.ours[shop.channel_id])
        for day in DAYS:
            load(shop.expects(day, TRADE), [part(bill_of(month, shop, day))], LOADED, KEEP_DAYS)
            moved = flows(*month.flows[shop.channel_id, day], opening_fen=10**6, owner=shop.owner(day))
            load(shop.expects(day, FUND_FLOW), [part(moved)], LOADED, KEEP_DAYS)
    for shop in month.shops:
        for day in DAYS:
            reconcile(shop.channel_id, day)
    seen = set(found(month.shops))
    assert (sorted(seen - month.truth), sorted(month.truth - seen)) == ([], [])
    counted = Counter(klass for _, _, klass, _ in month.truth)
    assert set(counted) == {*FIRST_LEG, *SECOND_LEG}
    assert min(counted.values()) >= 10
