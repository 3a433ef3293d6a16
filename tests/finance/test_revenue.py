"""Revenue reports: the same figures from open and from closed days, within one's reach, and never a formula."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from python_calamine import CalamineWorkbook

from app.domain.finance import actions
from app.domain.finance.models import UnitTurnover
from app.domain.finance.queries import revenue, unit_drifts
from app.domain.finance.rules import Figures, NotADimension, Recipient, RevenueLine, Takings, Whose, summed, total
from app.domain.lots.models import Lot
from app.domain.lots.queries import payee_at
from app.domain.staff.rules import Actor, NotPermitted
from app.domain.stays.actions import open_payment
from app.domain.units.models import Unit
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from payments.bank.rules.meanings import borne_lines
from payments.charges.actions.locks import lock_charges
from payments.charges.actions.place import Payer, place
from payments.charges.actions.settle import settle
from payments.charges.models import Payment
from payments.charges.queries import charge, payments_of
from payments.ledger.actions import close_day, post, rebuild_balances
from payments.ledger.queries import drifts
from payments.ledger.rules import TREASURY, paid_lines, recognised_lines, surplus_lines
from payments.parity.actions import accept_correction, correct
from payments.payees.models import Payee
from payments.payees.queries import payee_by_id
from payments.reconciliation.rules import fee_lines, settlement_lines
from payments.refunds.rules import succeeded_lines
from payments.remittance.rules import bounced_lines, remitted_lines
from tests.commands import refused, run, told
from tests.finance.scene import earned, owed, paid_charge, promised, rejected, went
from tests.ground import Addresses
from tests.units.stand import unit_of
from tests.world import driver, gate, open_lot, paid, parked_stay, pay_to, payee, staff, vouched

JUNE = (date(2026, 6, 1), date(2026, 6, 30))
DAY = timedelta(days=1)
PHANTOMS = [
    ("payment", "order", paid_lines(300)),
    ("surplus", "order", surplus_lines(40)),
    ("recognition", "charge", recognised_lines(TREASURY, 200)),
    ("refund_success", "refund", succeeded_lines(100)),
    ("channel_fee", "fees", fee_lines(6)),
    ("settlement", "settlement", settlement_lines(700)),
    ("fee_borne", "bank", borne_lines(5)),
    ("remittance", "remittance", remitted_lines(500)),
    ("remittance_bounce", "remittance", bounced_lines(400)),
]


def payee_of(lot: Lot, at: datetime) -> Payee:
    return payee_by_id(payee_at(lot.id, at))


def test_sums_are_added_up_by_whatever_is_asked() -> None:
    east, west = (Recipient(name, name, "西湖区", "市级", "—") for name in ("东", "西"))
    days = [date(2026, 6, 1), date(2026, 6, 2)]
    takings = [Takings(day, Whose(who), Figures(paid_fen=10 + who)) for day in days for who in (1, 2)]
    recipients = {Whose(1): east, Whose(2): west}
    lines = summed(takings, recipients, ("payee",))
    assert lines == [RevenueLine(("东",), Figures(paid_fen=22)), RevenueLine(("西",), Figures(paid_fen=24))]
    by_day = summed(takings, recipients, ("month", "day", "district"))
    assert [line.by for line in by_day] == [("2026-06", "2026-06-01", "西湖区"), ("2026-06", "2026-06-02", "西湖区")]
    assert total(lines) == total(by_day) == Figures(paid_fen=46)


def test_open_and_closed_days_tell_the_same(
    app: Flask, evening: datetime, at: Callable[[datetime], None], tmp_path: Path, admin: psycopg.Connection[Any]
) -> None:
    lot = open_lot(kind="institution")
    who, checker = payee_of(lot, evening), staff("finance_checker")
    owed(who, 900)
    earned(paid_charge(who, 1000))
    went(promised(paid_charge(who, 2000), 300), "succeed")
    expected = Figures(
        charged_fen=3900, paid_fen=3000, refunded_fen=300, earned_fen=1000, unremitted_fen=1000, open_fen=900
    )
    before = revenue(checker, *JUNE, ("unit", "level", "item"))
    assert before.total == expected
    at(evening + DAY)
    assert actions.check_books() == 0
    after = revenue(checker, *JUNE, ("unit", "level", "item"))
    assert (after.lines, after.closed) == (before.lines, evening.date())
    assert revenue(checker, date(2026, 5, 1), date(2026, 5, 31), ("payee",)).lines == []
    words = ("finance", "revenue", "--month", "2026-06", "--by", "payee,day")
    assert [row["paid_fen"] for row in _json(app, checker, words)] == [3000]
    assert "30.00" in run(app, checker, *words).stdout
    _formula_stays_text(app, checker, words, tmp_path / "june.xlsx", admin, who)
    with pytest.raises(NotADimension):
        revenue(checker, *JUNE, ("plate",))


def _json(app: Flask, checker: Any, words: tuple[str, ...]) -> Any:
    return json.loads(run(app, checker, *words, "--format", "json").stdout)


def _formula_stays_text(
    app: Flask, checker: Any, words: tuple[str, ...], file: Path, admin: psycopg.Connection[Any], who: Payee
) -> None:
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE payee SET name = '=HYPERLINK(1)' WHERE id = %s", [who.id])
    run(app, checker, *words, "--format", "xlsx", "--output", file)
    rows = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    assert rows[1][:2] == ["=HYPERLINK(1)", "2026-06-10"]
    assert rows[1][rows[0].index("实收（元）")] == rows[2][rows[0].index("实收（元）")] == 30
    assert rows[2][0] == "合计"


def test_what_was_posted_wrongly_and_corrected_is_in_no_report(
    evening: datetime, at: Callable[[datetime], None]
) -> None:
    lot = open_lot(kind="institution")
    who, checker = payee_of(lot, evening), staff("finance_checker")
    earned(paid_charge(who, 1000))
    expected = revenue(checker, *JUNE, ("payee",)).total
    for kind, family, lines in PHANTOMS:
        name = f"{family}:phantom"
        post(kind, name, who.id, evening, lines)
        accept_correction(correct(kind, name, "staff:1", "手工凭证无依据").key, "staff:2", "已核")
    assert revenue(checker, *JUNE, ("payee",)).total == expected
    at(evening + DAY)
    assert actions.check_books() == 0
    assert (revenue(checker, *JUNE, ("payee",)).total, drifts()) == (expected, [])


@pytest.fixture
def shared(evening: datetime) -> tuple[Lot, Lot]:
    """Lots of two enterprises' units whose money one payee gets."""
    first, second = open_lot(kind="enterprise"), open_lot(kind="enterprise")
    pay_to(second, payee_of(first, evening), evening)
    return first, second


def takes(lot: Lot, at: Callable[[datetime], None]) -> Payment:
    """A car stays for less than an hour; its motorist pays 3 yuan and the service is rendered."""
    who = driver()
    stay = parked_stay(who, gate(lot))
    at(clock.now() + timedelta(minutes=40))
    key = open_payment(who.id, stay.key)
    paid(key)
    payment = payments_of(charge(key).id)[0]
    earned(payment)
    return payment


def by_unit(by: Actor) -> dict[str, Figures]:
    return {line.by[0]: line.figures for line in revenue(by, *JUNE, ("unit",)).lines}


def test_units_that_share_a_payee_are_told_apart_and_what_is_of_neither_by_itself(
    shared: tuple[Lot, Lot], at: Callable[[datetime], None]
) -> None:
    first = unit_of(shared[0])
    expected = _of_both(shared, at)
    assert by_unit(staff("finance_checker")) == expected
    assert by_unit(staff("unit", unit_id=first.id)) == {first.name: expected[first.name]}


def _of_both(shared: tuple[Lot, Lot], at: Callable[[datetime], None]) -> dict[str, Figures]:
    """A stay at each, a part of the first one's money given back, WeChat's fee of both: what is told by unit."""
    first, second = (unit_of(lot).name for lot in shared)
    went(promised(takes(shared[0], at), 100), "succeed")
    rejected(promised(takes(shared[1], at), 200, alone_up_to_fen=0))
    post("channel_fee", "fees:of-a-day", payee_of(shared[0], clock.now()).id, clock.now(), fee_lines(6))
    return {
        first: Figures(charged_fen=300, paid_fen=300, refunded_fen=100, earned_fen=200),
        second: Figures(charged_fen=300, paid_fen=300, earned_fen=300),
        "、".join(sorted((first, second))) + "（共同）": Figures(fee_fen=6),
    }


@pytest.fixture
def of_a_closed_day(
    shared: tuple[Lot, Lot], at: Callable[[datetime], None], evening: datetime
) -> tuple[date, dict[str, Figures]]:
    """The day, and what units brought on it: none of it is kept yet."""
    told = _of_both(shared, at)
    at(clock.now() + DAY)
    close_day(evening.date(), "test")
    return evening.date(), told


def kept() -> int:
    with transaction() as session:
        return session.query(UnitTurnover).count()


def test_a_closed_day_is_told_by_unit_before_it_is_kept_and_as_well_when_it_was_made_again(
    of_a_closed_day: tuple[date, dict[str, Figures]], admin: psycopg.Connection[Any]
) -> None:
    day, expected = of_a_closed_day
    checker = staff("finance_checker")
    assert (kept(), by_unit(checker)) == (0, expected)
    assert [actions.keep_units() for _ in range(2)] == [1, 0]
    assert (kept() > 0, unit_drifts(day), by_unit(checker)) == (True, [], expected)
    admin.execute("UPDATE unit_turnover_daily SET debit_fen = debit_fen + 1 WHERE kind = 'payment'")
    assert len(unit_drifts(day)) == 4
    assert (rebuild_balances(), kept(), by_unit(checker)) == (1, 0, expected)
    assert (actions.keep_units(), unit_drifts(day), by_unit(checker)) == (1, [], expected)


def test_whoever_posts_waits_for_nobody_who_keeps_a_day_by_unit_and_what_a_dead_one_began_is_done_again(
    of_a_closed_day: tuple[date, dict[str, Figures]], database: Addresses
) -> None:
    day, _ = of_a_closed_day
    with psycopg.connect(database.app.replace("+psycopg", "", 1)) as another:
        assert another.execute("SELECT keep_units()").fetchone() == (day,)
        post("payment", "order:meanwhile", payee().id, clock.now(), paid_lines(1))
        assert (actions.keep_units(), kept()) == (0, 0)
        another.rollback()
    assert (actions.keep_units(), unit_drifts(day)) == (1, [])


def test_one_payment_for_stays_at_several_units_is_each_ones_part(
    shared: tuple[Lot, Lot], at: Callable[[datetime], None]
) -> None:
    people = [driver() for _ in shared]
    stays = [parked_stay(who, gate(lot)) for who, lot in zip(people, shared, strict=True)]
    at(clock.now() + timedelta(minutes=40))
    keys = [open_payment(who.id, stay.key) for who, stay in zip(people, stays, strict=True)]
    with transaction():
        [order] = place(lock_charges(keys), Payer("o-payer", "wx0000000000000000", "https://notices.invalid")).orders
        assert settle(vouched(order), "test") == "paid"
    figures = by_unit(staff("finance_checker"))
    assert [figures[unit_of(lot).name].paid_fen for lot in shared] == [300, 300]


def test_nobody_sees_a_payee_of_a_unit_outside_the_own_reach(evening: datetime) -> None:
    mine, other = open_lot(), open_lot()
    for lot in (mine, other):
        paid_charge(payee_of(lot, evening), 1000)
    own = staff("unit", unit_id=mine.unit_id)
    assert revenue(own, *JUNE, ("payee",)).total.paid_fen == 1000
    assert revenue(staff("finance_maker"), *JUNE, ("payee",)).total.paid_fen == 2000
    with pytest.raises(NotPermitted):
        revenue(staff("price_officer"), *JUNE, ("payee",))


def test_a_unit_reports_what_the_money_was_used_for_and_corrects_itself(
    app: Flask, evening: datetime, tmp_path: Path
) -> None:
    lot = open_lot()
    own, stranger = staff("unit", unit_id=lot.unit_id), staff("unit", unit_id=open_lot().unit_id)
    with transaction() as session:
        unit = session.get_one(Unit, lot.unit_id)
    words = ("finance", "report-use", unit.key, "--month", "2026-06", "--purpose", "facilities", "--basis", "凭证12号")
    for fen, version in ((120000, 1), (110000, 2)):
        assert told(app, own, *words, "--fen", fen)["version"] == version
    uses = ("finance", "uses", "--month", "2026-06")
    assert [row["amount_fen"] for row in _json(app, own, uses)] == [110000]
    assert _json(app, stranger, uses) == []
    run(app, own, *uses, "--format", "xlsx", "--output", tmp_path / "uses.xlsx")
    [_, row] = CalamineWorkbook.from_path(tmp_path / "uses.xlsx").get_sheet_by_index(0).to_python()
    assert (row[0], row[1], row[-1]) == ("2026-06", unit.name, 1100)
    with transaction() as session:
        looks = session.query(AuditEntry).filter_by(action="finance.look").order_by(AuditEntry.id)
        assert [(each.actor, each.detail["rows"]) for each in looks] == [
            (own.label, 1), (stranger.label, 0), (own.label, 1),
        ]  # fmt: skip
    assert refused(app, own, *words, "--fen", -1) == "sum_unfit"
    with pytest.raises(NotFound):
        actions.report_use(stranger, unit.key, JUNE[0], "other", 1, "凭证")
    for month, purpose, basis, refusal in (
        (date(2026, 7, 1), "other", "凭证", actions.NotAMonth), (JUNE[0], "gifts", "凭证", actions.NotAPurpose),
        (JUNE[0], "other", " ", actions.UseBasisMissing),
    ):  # fmt: skip
        with pytest.raises(refusal):
            actions.report_use(own, unit.key, month, purpose, 1, basis)
