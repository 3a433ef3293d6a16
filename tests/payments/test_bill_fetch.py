"""Bills come from WeChat to the tables, whole or not at all; what is refused says so and is asked for again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import import_module
from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import IntegrityConstraintViolation
from sqlalchemy import select, update

from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from payments.bills.actions import expect_bills, fetch, lease_due, load
from payments.bills.models import BillDay, BillFile, BillLine, FundLine
from payments.bills.queries import FUND_FLOW, TRADE, bill_day, bills, current_bill
from payments.bills.rules import BillRefused
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from tests.payments.papers import KEEP_DAYS, OWNER, part, payment, trades
from tests.payments.world import Till, cases, promised
from tests.races import asleep

LOADED = "tests.bill_loaded"


@dataclass(frozen=True)
class Books:
    """A merchant with a day of business, on the next day after ten."""

    till: Till
    sub_mchid: str
    day: date

    def due(self, kind: str = TRADE) -> BillDay:
        return bill_day(self.sub_mchid, self.day, kind)

    def fetch(self, kind: str = TRADE) -> bool:
        return fetch(self.due(kind).id, self.till.pay, LOADED, KEEP_DAYS)

    def text(self, kind: str = TRADE) -> str:
        asked = f"/bills?kind={kind}&sub_mchid={self.sub_mchid}&bill_date={self.day}"
        return str(self.till.wechat.control("GET", asked)["text"])

    def serve(self, text: str, kind: str = TRADE) -> None:
        asked = {"kind": kind, "sub_mchid": self.sub_mchid, "bill_date": self.day.isoformat()}
        self.till.wechat.control("POST", "/bills", asked | {"text": text})


@pytest.fixture
def shop(till: Till) -> Iterator[Books]:
    """12.50 yuan paid at noon, 3.00 of it on the way back; it is 10:01 of the next day."""
    now = datetime.now(SHANGHAI)
    till.clock_file.write_text(str((now.replace(hour=12, minute=0) - now).total_seconds()))
    payee = till.treasury_payee()
    _, paid = till.paid_charge(payee)
    till.bring(promised(paid, 300))
    till.later(22 * 3600 + 60)
    expect_bills()
    yield Books(till, channel_of(payee.id).sub_mchid, now.date())
    till.wechat.control("DELETE", "/bills")
    till.wechat.control("DELETE", "/faults")


def lines(of: BillFile | None, model: type[BillLine | FundLine] = BillLine) -> list[int]:
    assert of is not None
    with transaction() as session:
        return list(session.scalars(select(model.amount_fen).filter_by(bill_id=of.id).order_by(model.number)))


def state(of: BillDay) -> tuple[str, str | None, int]:
    with transaction() as session:
        last = session.scalars(select(BillFile).filter_by(day_id=of.id).order_by(BillFile.version.desc())).first()
        assert last is not None
        return last.state, last.code, last.version


def kinds(of: BillDay) -> list[str]:
    return [each.kind for each in cases(f"bill:{of.id}")]


def test_both_bills_of_a_day_are_fetched_and_kept_line_by_line(shop: Books) -> None:
    assert shop.fetch()
    assert shop.fetch(FUND_FLOW)
    had = current_bill(shop.due().id)
    assert had is not None
    assert (had.lines, had.paid_fen, had.refunded_fen, had.fee_fen) == (2, 1250, 300, 6)
    assert lines(had) == [1250, -300]
    assert lines(current_bill(shop.due(FUND_FLOW).id), FundLine) == [1250, -8, -298]
    assert shop.due().next_check_at == datetime.combine(
        shop.day + timedelta(days=3), datetime.min.time(), SHANGHAI
    ).replace(hour=10)
    assert [(each.kind, each.state) for each in bills(shop.day, shop.day, sub_mchid=shop.sub_mchid)] == [
        (FUND_FLOW, "loaded"), (TRADE, "loaded"),
    ]  # fmt: skip


def test_a_fund_flow_in_many_parts_is_one_bill(shop: Books) -> None:
    shop.till.wechat.control("POST", "/switches", {"bill_part_lines": 2})
    assert shop.fetch(FUND_FLOW)
    shop.till.wechat.control("POST", "/switches", {"bill_part_lines": 0})
    assert lines(current_bill(shop.due(FUND_FLOW).id), FundLine) == [1250, -8, -298]


def test_the_same_bill_again_is_no_news_and_another_is_a_version_and_a_case(shop: Books) -> None:
    assert [shop.fetch(), shop.fetch()] == [True, False]
    assert (state(shop.due()), kinds(shop.due())) == (("loaded", None, 1), [])
    shop.serve(shop.text().replace("测试车场", "示例车场"))
    assert shop.fetch()
    assert (state(shop.due()), kinds(shop.due())) == (("loaded", None, 2), ["bill_changed"])


def test_a_bill_that_another_loads_while_it_is_brought_is_no_news_and_no_other_version(
    shop: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    another: list[bool] = []
    asleep(monkeypatch, import_module("payments.bills.actions.fetch"), "load", lambda: another.append(shop.fetch()))
    assert (shop.fetch(), another) == (False, [True])
    assert (state(shop.due()), kinds(shop.due())) == (("loaded", None, 1), [])


def test_a_day_without_business_has_an_empty_bill_once(shop: Books) -> None:
    shop.serve("")
    assert [shop.fetch(), shop.fetch()] == [True, False]
    assert state(shop.due()) == ("empty", None, 1)


def test_before_ten_and_while_wechat_is_silent_it_is_asked_for_again(shop: Books) -> None:
    due = shop.due()
    for kind, minutes in (("error_500", 2), ("error_500", 5)):
        shop.till.fail(kind, "trade_bill")
        assert not shop.fetch()
        wait = shop.due().next_check_at
        assert wait is not None
        assert timedelta(minutes=minutes - 1) < wait - clock.now() <= timedelta(minutes=minutes)
    shop.till.later(-3600)
    assert not shop.fetch()
    assert (shop.due().tries, kinds(due), current_bill(due.id)) == (3, [], None)
    shop.till.later(8 * 3600)
    shop.till.fail("reset_after", "download")
    assert not shop.fetch()
    assert kinds(due) == ["bill_late"]
    assert shop.fetch()
    assert shop.due().tries == 0


@pytest.mark.parametrize(
    ("kind", "fault", "code"),
    [
        (TRADE, "bill_truncated", "truncated"),
        (FUND_FLOW, "bill_truncated", "not_encrypted_for_us"),
        (FUND_FLOW, "bill_byte", "not_encrypted_for_us"),
    ],
)
def test_a_file_that_was_damaged_on_the_way_leaves_no_line_and_is_had_the_next_time(
    shop: Books, kind: str, fault: str, code: str
) -> None:
    shop.till.fail(fault, "download")
    assert not shop.fetch(kind)
    assert (state(shop.due(kind)), kinds(shop.due(kind))) == (("refused", code, 1), ["bill_refused"])
    assert current_bill(shop.due(kind).id) is None
    assert shop.fetch(kind)
    assert state(shop.due(kind)) == ("loaded", None, 2)


def test_a_byte_that_changed_on_the_way_is_never_believed(shop: Books) -> None:
    shop.till.fail("bill_byte", "download")
    assert not shop.fetch()
    assert (state(shop.due())[0], kinds(shop.due())) == ("refused", ["bill_refused"])


def test_a_wrong_total_is_refused_each_time_with_one_row_and_one_case(shop: Books) -> None:
    shop.serve(shop.text().replace("`12.50,`3.00,", "`12.51,`3.00,"))
    assert [shop.fetch(), shop.fetch()] == [False, False]
    assert (state(shop.due()), kinds(shop.due())) == (("refused", "wrong_total", 1), ["bill_refused"])


def test_a_line_that_stands_twice_is_refused(shop: Books) -> None:
    header, first, second, sums, _, _ = shop.text().split("\r\n")
    total = "`3,`25.00,`3.00,`0.00,`0.14000,`25.00,`3.00"
    shop.serve(f"{header}\r\n{first}\r\n{first}\r\n{second}\r\n{sums}\r\n{total}\r\n")
    assert not shop.fetch()
    assert state(shop.due()) == ("refused", "doubled_line", 1)


def test_bills_are_expected_of_every_day_since_the_merchant_began_once(till: Till, payee: Payee) -> None:
    till.later(5 * 86_400)
    assert expect_bills() >= 2
    assert expect_bills() == 0
    sub_mchid, today = channel_of(payee.id).sub_mchid, clock.business_day(clock.now())
    with transaction() as session:
        mine = select(BillDay.day, BillDay.kind).filter_by(channel_id=channel_of(payee.id).id)
        found = {tuple(row) for row in session.execute(mine)}
    assert found == {(today - timedelta(days=n), kind) for n in range(1, 6) for kind in (TRADE, FUND_FLOW)}
    yesterday = bill_day(sub_mchid, today - timedelta(days=1), TRADE).next_check_at
    assert yesterday is not None
    assert clock.shanghai(yesterday).hour == 10


def test_what_is_due_is_taken_by_one_process_at_a_time(shop: Books) -> None:
    with transaction() as session:
        session.execute(update(BillDay).where(BillDay.id != shop.due().id).values(next_check_at=None))
    assert lease_due() == [shop.due().id]
    assert lease_due() == []
    shop.till.later(1300)
    assert lease_due() == [shop.due().id]


def run(url: str, statement: LiteralString, *values: object) -> None:
    with psycopg.connect(url) as connection, connection.transaction():
        connection.execute(statement, values)


A_LINE: LiteralString = """
INSERT INTO bill_line (bill_id, number, at, kind, transaction_id, out_trade_no, refund_id, out_refund_no, amount_fen,
                       settled_fen, fee_fen, rate_ppm, status, currency)
VALUES (%s, 99, now(), 'SUCCESS', 'x', 'x', '', '', 1, 1, 0, 0, '', 'CNY')
"""
A_FILE: LiteralString = """
INSERT INTO bill_file (day_id, kind, version, state, sha1, sha256, lines, paid_fen, refunded_fen, fee_fen, fetched_at)
VALUES (%s, 'trade', 9, 'loaded', 'x', 'x', %s, 0, 0, 0, now())
"""


def test_a_bill_gets_no_further_line_and_loses_none(shop: Books, program: str, owner: str) -> None:
    shop.fetch()
    had = current_bill(shop.due().id)
    assert had is not None
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_LINE, had.id)
    assert refusal.value.diag.constraint_name == "a_bill_is_written_at_once"
    for change in ("DELETE FROM bill_line", "UPDATE bill_line SET amount_fen = 0", "TRUNCATE bill_file CASCADE"):
        with pytest.raises(psycopg.Error):
            run(owner, change)


def test_a_bill_cannot_say_other_sums_than_its_lines(shop: Books, program: str) -> None:
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_FILE, shop.due().id, 1)
    assert refusal.value.diag.constraint_name == "a_bill_is_what_its_lines_say"


def test_nothing_stays_of_a_file_whose_last_line_is_wrong(shop: Books) -> None:
    good = trades(*(payment(hour=n % 24) for n in range(5000)))
    with pytest.raises(BillRefused):
        load(shop.due().id, [part(good.replace(OWNER.sub_mchid, shop.sub_mchid))], LOADED, KEEP_DAYS)
    assert current_bill(shop.due().id) is None
