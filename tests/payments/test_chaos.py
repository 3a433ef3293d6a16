"""A small bad day: WeChat's own book and ours must agree to the fen, payee by payee."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from app.kernel.db import transaction
from payments.charges.actions import sweep, withdraw
from payments.charges.models import Charge, ExceptionCase, Order, Payment
from payments.ledger.queries import balance, trial_balance
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from tests.payments.servers import Door, in_parallel
from tests.payments.world import Till, jobs, order_of, state_of

PAYMENTS = 42
SEED = 68


def deliveries(chance: random.Random, till: Till, order: Order) -> list[tuple[str, Order]]:
    """What WeChat, the network and a forger do about one payment, in no particular order."""
    planned = ["notice"] * (1 + (chance.random() < 0.35) + 2 * (chance.random() < 0.15))
    planned += ["reissue"] * (chance.random() < 0.1)
    planned += ["wrong_amount"] * (chance.random() < 0.1)
    planned += ["signature"] * (chance.random() < 0.1)
    planned = [] if chance.random() < 0.1 else planned
    return [(each, order) for each in planned]


def deliver(till: Till, told: tuple[str, Order]) -> int:
    kind, order = told
    if kind in {"wrong_amount", "signature"}:
        return till.forge(order, kind)[0]
    return till.redeliver(order, new_id=kind == "reissue")[0]


def booked(till: Till) -> Counter[str]:
    """What WeChat received, by sub-merchant."""
    received = Counter[str]()
    for order in till.wechat.control("GET", "/book")["orders"]:
        if order["trade_state"] in {"SUCCESS", "REFUND"}:
            received[order["sub_mchid"]] += order["total"]
    return received


def test_after_copies_losses_forgeries_and_withdrawals_not_a_fen_is_missing(till: Till, door: Door) -> None:
    chance = random.Random(SEED)
    payees = [till.treasury_payee() if number % 2 else till.enterprise_payee() for number in range(7)]
    charges = [till.ordered(chance.choice(payees), chance.randrange(1, 10_000))[0] for _ in range(PAYMENTS)]
    told = _pay_and_plan(chance, till, charges)
    _withdraw_some(chance, charges)
    with ThreadPoolExecutor(8) as feet:
        answers = Counter(feet.map(lambda each: deliver(till, each), told))
    till.later(20 * 60)
    in_parallel(till.app, 2, lambda: _swept(till))
    assert set(answers) <= {200, 401}
    assert answers[401] == sum(kind == "signature" for kind, _ in told)
    _agree(till, payees, charges)
    assert _mismatches() == len({order.id for kind, order in told if kind == "wrong_amount"})


def _pay_and_plan(chance: random.Random, till: Till, charges: list[Charge]) -> list[tuple[str, Order]]:
    told: list[tuple[str, Order]] = []
    for charge in charges:
        order = order_of(charge)
        till.paid(order)
        told += deliveries(chance, till, order)
    chance.shuffle(told)
    return told


def _withdraw_some(chance: random.Random, charges: list[Charge]) -> None:
    for charge in chance.sample(charges, 5):
        withdraw(charge.key, "test")


def _swept(till: Till) -> None:
    while sweep(till.pay):
        pass


def _agree(till: Till, payees: list[Payee], charges: list[Charge]) -> None:
    received = booked(till)
    for payee in payees:
        assert balance(payee.id, "wx_receivable") == received[channel_of(payee.id).sub_mchid]
        assert sum(each.amount_fen for each in trial_balance(payee.id)) == 0
    assert {state_of(charge) for charge in charges} == {"paid"}
    assert {jobs(charge) for charge in charges} == {1}
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Payment)) == PAYMENTS


def _mismatches() -> int:
    with transaction() as session:
        kinds = Counter(session.scalars(select(ExceptionCase.kind)).all())
    assert set(kinds) <= {"payment_mismatch"}
    return kinds["payment_mismatch"]
