"""A bad day for refunds: rivals, lost answers, doubled and missing notices; both books must agree to the fen."""

import random
from collections import Counter
from typing import Any

from sqlalchemy import select

from app.kernel.db import transaction
from payments.charges.models import ExceptionCase, Payment
from payments.ledger.queries import balance, trial_balance
from payments.payees.models import MerchantChannel, Payee
from payments.payees.queries import channel_of
from payments.refunds.actions import sweep
from payments.refunds.actions.ask import TooMuchRefunded
from payments.refunds.models import Refund
from tests.payments.servers import Door, in_parallel
from tests.payments.world import Till, promised

PAYMENTS = 8
ROUNDS = 3
SEED = 6
LATE = 31 * 60
MISFORTUNES = (("error_500_after", "refund"), ("reset_before", "refund"), ("error_429", "query_refund"))
EXPECTED = {"refund_closed", "refund_abnormal", "refund_unknown_too_long"}


def test_after_rivals_lost_answers_and_doubled_notices_not_a_fen_is_missing(till: Till, door: Door) -> None:
    chance = random.Random(SEED)
    payees = [till.treasury_payee(), till.enterprise_payee()]
    paid = [till.paid_charge(chance.choice(payees), chance.randrange(1, 5_000))[1] for _ in range(PAYMENTS)]
    till.wechat.control("POST", "/switches", {"refund_outcome": "PROCESSING"})
    for kind, operation in MISFORTUNES:
        wish = {"kind": kind, "operation": operation, "times": 0, "rate": 0.3}
        till.wechat.control("POST", "/faults", wish)
    for _ in range(ROUNDS):
        _ask_for_some(chance, till, paid)
        in_parallel(till.app, 2, lambda: _swept(till))
        _end_some(chance, till, ("SUCCESS", "SUCCESS", "CLOSED", "ABNORMAL"))
        till.later(61)
    till.wechat.control("DELETE", "/faults")
    _bring_all_to_an_end(chance, till)
    _agree(till, payees, paid)


def _ask_for_some(chance: random.Random, till: Till, paid: list[Payment]) -> None:
    """Two want the same part of a payment at once; there may not be enough for both, or for one."""
    for payment in chance.sample(paid, PAYMENTS // 2):
        fen = chance.randrange(1, payment.paid_fen + 1)
        in_parallel(till.app, 2, lambda of=payment, part=fen: _try(of, part))  # type: ignore[misc]


def _swept(till: Till) -> None:
    """Each round ends with WeChat's first silence, so there are several."""
    for _ in range(PAYMENTS):
        sweep(till.pay, till.refund_url)


def _try(payment: Payment, fen: int) -> None:
    try:
        promised(payment, fen)
    except TooMuchRefunded:
        return


def _end_some(chance: random.Random, till: Till, ends: tuple[str, ...]) -> None:
    """WeChat ends what it has; its notices come once, twice at the same moment, or never."""
    for out_refund_no in _unfinished(till):
        wish = {"out_refund_no": out_refund_no, "status": chance.choice(ends)}
        told = str(till.wechat.control("POST", "/refund-outcomes", wish)["notice_id"])
        copies = chance.randrange(3)
        assert copies == 0 or set(till.deliver(told, copies)) == {200}


def _unfinished(till: Till) -> list[str]:
    return [each["out_refund_no"] for each in _book(till) if each["status"] in {"PROCESSING", "ABNORMAL"}]


def _book(till: Till) -> list[Any]:
    """What WeChat knows of this day's merchants; others' refunds may lie in its book as well."""
    with transaction() as session:
        merchants = set(session.scalars(select(MerchantChannel.sub_mchid)))
    return [each for each in till.wechat.control("GET", "/book")["refunds"] if each["sub_mchid"] in merchants]


def _bring_all_to_an_end(chance: random.Random, till: Till) -> None:
    for _ in range(ROUNDS):
        till.later(LATE)
        while sweep(till.pay, till.refund_url):
            pass
        _end_some(chance, till, ("SUCCESS",))
    till.later(6 * 3600)
    while sweep(till.pay, till.refund_url):
        pass


def _agree(till: Till, payees: list[Payee], paid: list[Payment]) -> None:
    book = _book(till)
    assert {each["status"] for each in book} == {"SUCCESS", "CLOSED"}
    returned = Counter[str]()
    for each in book:
        returned[each["sub_mchid"]] += each["refund"] * (each["status"] == "SUCCESS")
    for payee in payees:
        received = sum(each.paid_fen for each in paid if each.payee_id == payee.id)
        held = received - returned[channel_of(payee.id).sub_mchid]
        assert {each.code: each.amount_fen for each in trial_balance(payee.id) if each.amount_fen} == {
            "wx_receivable": held, "customer_prepaid": -held,
        }  # fmt: skip
        assert balance(payee.id, "wx_receivable") == held
    with transaction() as session:
        ours = {each.out_refund_no: each.state.upper() for each in session.scalars(select(Refund))}
        kinds = set(session.scalars(select(ExceptionCase.kind)))
    assert ours == {each["out_refund_no"]: each["status"] for each in book}
    assert kinds <= EXPECTED
