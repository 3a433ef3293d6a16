"""What WeChat gives out no more is brought by a person, through the same reader, and signed off by another."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, ForeignKeyViolation, IntegrityConstraintViolation
from sqlalchemy import select

from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from app.kernel.files import keep
from payments.bills.actions import bring_bill, bring_none, expect_bills, fetch, load
from payments.bills.actions.by_hand import BillFileRefused, BillHadFromWeChat, BillStillToBeHad
from payments.bills.models import BillDay, BillFile
from payments.bills.queries import FUND_FLOW, TRADE, bill_day, current_bill, original_text
from payments.charges.models import ExceptionCase
from payments.reconciliation.actions import propose, reconcile, sign
from payments.reconciliation.actions.sign import OwnBill
from payments.remittance.queries import remittable_through
from simulators.wechat.bill_papers import Traded
from tests.commands import refused, told
from tests.ground import Addresses
from tests.payments.months import LOADED, Shop
from tests.payments.papers import KEEP_DAYS, flowing, flows, part, payment, trades
from tests.payments.world import Till, treasury_payee
from tests.world import paper, staff

DAY = date(2026, 6, 10)
FETCHED = date(2026, 6, 17)
WHY = "微信已不提供"
Move = Callable[[datetime], None]


@pytest.fixture
def shop(app: Flask, admin: psycopg.Connection[Any], at: Move) -> Shop:
    """An organ that began on 10 June, and of which nobody asked for a bill until the middle of September."""
    at(datetime(2026, 6, 10, 8, tzinfo=SHANGHAI).astimezone(UTC))
    made = Shop(admin, treasury_payee())
    at(datetime(2026, 9, 15, 10, 30, tzinfo=SHANGHAI).astimezone(UTC))
    expect_bills()
    return made


@pytest.fixture
def program(servers: Addresses) -> str:
    """A connection string of the program's own role, for hand-written SQL."""
    return servers.app.replace("+psycopg", "", 1)


def line_of(shop: Shop) -> Traded:
    return payment(1250, 9, shop.owner(DAY))


def due(shop: Shop, kind: str = TRADE, day: date = DAY) -> BillDay:
    return bill_day(shop.owner(DAY).sub_mchid, day, kind)


def brings(shop: Shop, text: str, kind: str = TRADE, by: str = "staff:1", day: date = DAY) -> BillFile:
    file = io.BytesIO(text.encode())
    return bring_bill(due(shop, kind, day).id, file, by, WHY, on_loaded=LOADED, keep_days=KEEP_DAYS)


def cases(kind: str) -> list[dict[str, Any]]:
    with transaction() as session:
        return list(session.scalars(select(ExceptionCase.detail).filter_by(kind=kind)))


def test_days_of_which_wechat_has_no_bill_any_more_are_due_all_the_same_and_a_case(shop: Shop) -> None:
    gone, asked = due(shop), due(shop, day=FETCHED)
    assert (gone.next_check_at, asked.next_check_at is None) == (None, False)
    [told_of] = [each for each in cases("bill_out_of_reach") if each["channel_id"] == shop.channel_id]
    assert (told_of["first"], told_of["last"]) == ("2026-06-10", "2026-06-16")
    assert remittable_through(shop.payee.id) == DAY - timedelta(days=1)
    assert expect_bills() == 0


def test_a_bill_that_was_asked_for_in_vain_for_three_months_is_asked_for_no_more(till: Till) -> None:
    payee = till.treasury_payee()
    till.later(86_400)
    expect_bills()
    with transaction() as session:
        mine = session.scalars(select(BillDay).filter_by(payee_id=payee.id, kind=TRADE).limit(1)).one()
    till.later(91 * 86_400)
    till.fail("error_500", "trade_bill")
    assert not fetch(mine.id, till.pay, LOADED, KEEP_DAYS)
    with transaction() as session:
        assert session.get_one(BillDay, mine.id).next_check_at is None
    assert mine.channel_id in {each["channel_id"] for each in cases("bill_out_of_reach")}


def test_a_brought_bill_is_read_kept_and_compared_as_any_other(shop: Shop) -> None:
    line = line_of(shop)
    shop.knows([line])
    made = brings(shop, trades(line))
    brings(shop, flows(*flowing([line]), owner=shop.owner(DAY)), FUND_FLOW)
    assert (made.state, made.lines, made.paid_fen) == ("loaded", 1, 1250)
    with transaction():
        assert b"".join(original_text(made)).decode() == trades(line)
    assert brings(shop, trades(line)).id == made.id
    reconcile(shop.channel_id, DAY)
    assert shop.found(DAY) == set()
    propose(shop.channel_id, DAY, "staff:1")
    sign(shop.channel_id, DAY, "staff:2")
    assert remittable_through(shop.payee.id) == DAY


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: text.replace("`12.50", "`12.51", 1), "wrong_total"),
        (lambda text: text.replace("2026-06-10", "2026-06-11"), "another_day"),
        (lambda text: text[: len(text) // 2], "wrong_cell_count"),
        (lambda _: "", "empty_file"),
    ],
)
def test_what_is_no_bill_of_that_day_leaves_nothing(shop: Shop, spoil: Callable[[str], str], reason: str) -> None:
    with pytest.raises(BillFileRefused) as refusal:
        brings(shop, spoil(trades(line_of(shop))))
    assert refusal.value.details["reason"] == reason
    assert current_bill(due(shop).id) is None


def test_nobody_brings_what_wechat_gave_or_still_gives(shop: Shop) -> None:
    with pytest.raises(BillStillToBeHad):
        brings(shop, trades(), day=FETCHED)
    load(due(shop).id, [part(trades(line_of(shop)))], LOADED, KEEP_DAYS)
    with pytest.raises(BillHadFromWeChat):
        brings(shop, trades())


def test_two_persons_close_a_day_on_which_nothing_happened_with_a_paper(app: Flask, shop: Shop, tmp_path: Path) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    merchant, proof, empty = shop.owner(DAY).sub_mchid, tmp_path / "截图.pdf", tmp_path / "交易账单.csv"
    proof.write_bytes(paper().content)
    empty.write_text(trades(), newline="")
    bringing = ("reconciliation", "load-bill", merchant, DAY)
    assert refused(app, checker, *bringing, "--because", WHY, "--file", empty) == "not_permitted"
    assert refused(app, maker, *bringing, "--because", " ", "--file", empty) == "bill_by_hand_unexplained"
    told(app, maker, *bringing, "--because", WHY, "--file", empty)
    for _ in range(2):
        told(app, maker, *bringing, "--because", WHY, "--kind", FUND_FLOW, "--nothing", proof)
    told(app, maker, "reconciliation", "compare", merchant, DAY)
    told(app, maker, "reconciliation", "propose", merchant, DAY)
    told(app, checker, "reconciliation", "sign", merchant, DAY)
    listed = told(app, checker, "reconciliation", "bills", "--first", DAY, "--last", DAY)
    assert [(each["state"], each["brought_by"]) for each in listed] == [
        ("empty", maker.label), ("loaded", maker.label),
    ]  # fmt: skip


def test_who_brought_a_bill_signs_nothing(shop: Shop) -> None:
    for kind, text in ((TRADE, trades()), (FUND_FLOW, flows(owner=shop.owner(DAY)))):
        brings(shop, text, kind, by="staff:2")
    reconcile(shop.channel_id, DAY)
    propose(shop.channel_id, DAY, "staff:1")
    with pytest.raises(OwnBill):
        sign(shop.channel_id, DAY, "staff:2")
    sign(shop.channel_id, DAY, "staff:3")
    with pytest.raises(BillFileRefused) as closed:
        brings(shop, trades(line_of(shop)))
    assert closed.value.details["reason"] == "day_signed_off"


_BY_HAND: LiteralString = """
INSERT INTO bill_by_hand (bill_id, state, file_id, brought_by, because, brought_at)
VALUES (%(bill)s, %(state)s, %(file)s, %(by)s, 'x', %(at)s)
"""
_EMPTY: LiteralString = """
WITH made AS (
    INSERT INTO bill_file (day_id, kind, version, state, lines, paid_fen, refunded_fen, fee_fen, fetched_at)
    VALUES (%(day)s, 'trade', %(version)s, 'empty', 0, 0, 0, 0, now()) RETURNING id
)
SELECT id FROM made
"""


@pytest.mark.parametrize(
    ("day", "other", "refusal", "constraint"),
    [
        (FETCHED, {}, IntegrityConstraintViolation, "a_bill_is_brought_when_wechat_has_it_no_more"),
        (DAY, {"file": None}, CheckViolation, "that_nothing_happened_is_proved_by_a_paper"),
        (DAY, {"by": ""}, CheckViolation, "who_brings_a_bill_says_why"),
        (DAY, {"file": 10**12}, ForeignKeyViolation, "bill_by_hand_file_id_fkey"),
        (DAY, {"state": "loaded", "file": None}, ForeignKeyViolation, "what_is_brought_by_hand_is_a_bill"),
    ],
)
def test_hand_written_sql_brings_no_bill_beside_the_rules(
    shop: Shop, program: str, day: date, other: dict[str, Any], refusal: type[psycopg.Error], constraint: str
) -> None:
    words = {
        "day": due(shop, day=day).id,
        "version": 1,
        "state": "empty",
        "file": _kept(),
        "by": "x",
        "at": clock.now(),
    }
    with pytest.raises(refusal) as told_off:
        _brought_by_hand(program, words | {"at": clock.now()} | other)
    assert told_off.value.diag.constraint_name == constraint


def test_nobody_says_later_or_beside_wechats_word_that_they_brought_a_bill(shop: Shop, program: str) -> None:
    words = {"day": due(shop).id, "version": 2, "state": "empty", "file": _kept(), "by": "x", "at": clock.now()}
    brought = bring_none(due(shop, FUND_FLOW).id, _kept(), "staff:1", WHY, on_loaded=LOADED)
    load(due(shop).id, [part(trades(line_of(shop)))], LOADED, KEEP_DAYS)
    with pytest.raises(IntegrityConstraintViolation) as had, psycopg.connect(program) as connection:
        connection.execute(_BY_HAND, words | {"bill": brought.id})
    assert had.value.diag.constraint_name == "who_brings_a_bill_says_so_at_once"
    with pytest.raises(IntegrityConstraintViolation) as given:
        _brought_by_hand(program, words)
    assert given.value.diag.constraint_name == "what_wechat_gave_is_not_brought"


def _kept() -> int:
    return keep(paper(), staff("finance_checker").account_id).id


def _brought_by_hand(url: str, words: dict[str, Any]) -> None:
    with psycopg.connect(url) as connection, connection.transaction():
        row = connection.execute(_EMPTY, words).fetchone()
        assert row is not None
        connection.execute(_BY_HAND, words | {"bill": row[0]})
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
