"""A combined order in the bills of its payees: each finds its own sub-order there, whole, and the books follow."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest

from app.kernel import clock
from app.kernel.clock import SHANGHAI
from payments.bills.actions import expect_bills, fetch
from payments.bills.queries import FUND_FLOW, TRADE, bill_day
from payments.charges.actions import recognise, sweep
from payments.charges.models import Charge
from payments.parity.queries import differences as out_of_parity
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from payments.reconciliation.actions import reconcile
from payments.reconciliation.models import ReconRun
from payments.reconciliation.queries import differences_of, latest_run
from tests.payments.papers import KEEP_DAYS
from tests.payments.world import Till, books, now_of, order_of, owed, payments, promised, state_of

Owed = tuple[Charge, Charge, Charge]


@pytest.fixture
def noon(till: Till) -> Iterator[date]:
    """It is noon of a day of business."""
    now = datetime.now(SHANGHAI)
    till.clock_file.write_text(str((now.replace(hour=12, minute=0) - now).total_seconds()))
    yield now.date()
    till.wechat.control("DELETE", "/bills")


@pytest.fixture
def enterprise(till: Till) -> Payee:
    return till.enterprise_payee()


@pytest.fixture
def debts(noon: date, payee: Payee, enterprise: Payee) -> Owed:
    """Two debts to the treasury and one to an enterprise, all of one motorist."""
    assert clock.business_day(clock.now()) == noon
    return owed(payee, 300, 7), owed(enterprise, 500, 7), owed(payee, 250, 7)


def learned(till: Till) -> None:
    till.later(15)
    while sweep(till.pay, 20):
        pass


def next_day(till: Till, noon: date, *of: Payee, without: Charge | None = None) -> list[ReconRun]:
    """Each payee's day compared with WeChat's bills, fetched on the morning after; one line of them may be lost."""
    till.later(22 * 3600 + 60)
    assert clock.business_day(clock.now()) > noon
    expect_bills()
    return [compared(till, noon, channel_of(each.id).sub_mchid, without) for each in of]


def compared(till: Till, day: date, sub_mchid: str, without: Charge | None) -> ReconRun:
    if without is not None and channel_of(without.payee_id).sub_mchid == sub_mchid:
        empty(till, day, sub_mchid)
    for kind in (TRADE, FUND_FLOW):
        assert fetch(bill_day(sub_mchid, day, kind).id, till.pay, "tests.bill_loaded", KEEP_DAYS)
    of = bill_day(sub_mchid, day, TRADE).channel_id
    reconcile(of, day)
    found = latest_run(of, day)
    assert found is not None
    return found


def empty(till: Till, day: date, sub_mchid: str) -> None:
    """WeChat's bills of a merchant say that nothing happened: their headers and a summary of noughts."""
    for kind in (TRADE, FUND_FLOW):
        asked = f"/bills?kind={kind}&sub_mchid={sub_mchid}&bill_date={day}"
        told = str(till.wechat.control("GET", asked)["text"]).splitlines()
        head = next(place for place, line in enumerate(told) if not line.lstrip("\ufeff").startswith("`"))
        summary = next(
            place for place, line in enumerate(told) if line.lstrip("\ufeff").startswith(("总", "资金流水总"))
        )
        noughts = ",".join(
            "`0" if "笔数" in name or "总交易单数" in name else "`0.00" for name in told[summary].split(",")
        )
        text = "\r\n".join([told[head], told[summary], noughts]) + "\r\n"
        wish = {"kind": kind, "sub_mchid": sub_mchid, "bill_date": day.isoformat(), "text": text}
        till.wechat.control("POST", "/bills", wish)


def differing(run: ReconRun) -> list[tuple[str, int]]:
    return [(each.klass, each.gap_fen) for each in differences_of(run.channel_id, run.day)]


def test_each_payee_finds_its_own_sub_order_in_its_bill_and_nothing_of_the_other(
    till: Till, noon: date, debts: Owed, payee: Payee, enterprise: Payee
) -> None:
    till.pays(till.prepare_together(debts))
    learned(till)
    for each in debts:
        recognise(each.key)
    refund = promised(payments(debts[2])[0], 100)
    till.bring(refund)
    till.later(90)
    till.bring(refund)
    assert now_of(refund).state == "success"
    organ, company = next_day(till, noon, payee, enterprise)
    assert [(run.theirs, run.ours, run.matched) for run in (organ, company)] == [(2, 2, 2), (1, 1, 1)]
    assert [(run.matched_fen, differing(run)) for run in (organ, company)] == [(450, []), (500, [])]
    assert out_of_parity(noon) == []


def test_where_wechat_took_one_sub_order_alone_the_other_payees_day_has_nothing(
    till: Till, noon: date, debts: Owed, payee: Payee, enterprise: Payee
) -> None:
    till.pays(till.prepare_together(debts), order_of(debts[1]))
    learned(till)
    assert [state_of(each) for each in debts] == ["created", "paid", "created"]
    organ, company = next_day(till, noon, payee, enterprise)
    assert [(run.theirs, run.ours, run.matched) for run in (organ, company)] == [(0, 0, 0), (1, 1, 1)]
    assert (books(payee), out_of_parity(noon)) == ({}, [])


def test_a_sub_order_that_is_lost_from_its_bill_differs_at_its_payee_alone(
    till: Till, noon: date, debts: Owed, payee: Payee, enterprise: Payee
) -> None:
    till.pays(till.prepare_together(debts))
    learned(till)
    organ, company = next_day(till, noon, payee, enterprise, without=debts[1])
    assert (differing(organ), differing(company)) == ([], [("missing_there", -500)])
    assert out_of_parity(noon) == []
