"""SIGKILL at each statement boundary of a notice, in a process of its own; then WeChat comes again."""

import signal
from collections.abc import Mapping

import pytest

from app.settings import Settings
from payments.charges import queries
from payments.receipts.queries import own_receipts
from tests.mortals import born
from tests.payments.mortal import prepare_one
from tests.payments.servers import ROOT, Door, MortalDoor
from tests.payments.world import OPENID, Till, books, cases, jobs, motorist_of, order_of, owed, payments, state_of

BEFORE_COMMIT = (
    "notice.after_lock",
    "notice.after_entry",
    "notice.before_commit",
)
PAID = {"wx_receivable": 1250, "customer_prepaid": -1250}


def test_every_fault_point_of_a_notice_is_killed_here() -> None:
    sources = (ROOT / "payments/charges/actions").glob("*.py")
    named = {
        line.split('"')[1]
        for each in sources
        for line in each.read_text().splitlines()
        if 'fault_point("notice' in line
    }
    assert named == {*BEFORE_COMMIT, "notice.after_commit"}


@pytest.mark.parametrize("point", [*BEFORE_COMMIT, "notice.after_commit"])
def test_no_fen_is_lost_or_doubled_when_the_process_dies(
    till: Till, environment: Mapping[str, str], settings: Settings, point: str
) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    with MortalDoor(environment, Door.port_of(settings), point) as mortal:
        assert till.redeliver(order) == [0]
        mortal.process.join()
        assert mortal.process.exitcode == -signal.SIGKILL
    survived = point == "notice.after_commit"
    assert (state_of(charge), books(payee)) == (("paid", PAID) if survived else ("created", {}))
    with Door(till.app, settings):
        assert till.redeliver(order) == [200]
    assert (state_of(charge), books(payee), jobs(charge)) == ("paid", PAID, 1)
    assert (len(payments(charge)), len(own_receipts(motorist_of(charge)))) == (1, 1)
    assert len(queries.journals_of_charge(charge.key)) == 1
    assert not cases(order.out_trade_no)


@pytest.mark.parametrize(("point", "known"), [("prepare.intended", False), ("prepare.answered", True)])
def test_an_order_whose_preparing_process_died_is_prepared_again_under_the_same_number(
    till: Till, environment: Mapping[str, str], point: str, known: bool
) -> None:
    charge = owed(till.treasury_payee())
    dying = born({**environment, "FAULT_PLAN": point}, prepare_one, charge.key, OPENID)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    order = order_of(charge)
    assert order.state == "preparing"
    assert order.next_check_at is not None, "the sweeper would find it"
    assert (till.wechat.ask("GET", f"/book?out_trade_no={order.out_trade_no}")[0] == 200) is known
    till.prepare(charge)
    assert [(each.id, each.state) for each in queries.orders_of(charge.id)] == [(order.id, "payable")]
