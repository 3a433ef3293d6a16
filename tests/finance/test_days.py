"""Accounting days: closed in order and for ever, whoever posts meanwhile; balances can be made again."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domain.finance import actions
from app.domain.tasks.models import Task
from app.kernel.db import transaction, violated
from payments.ledger.actions import DayNotNext, DayNotOver, close_day, post, rebuild_balances, reverse
from payments.ledger.models import AccountingDay, DailyBalance, Turnover
from payments.ledger.queries import closed_through, drifts, journals_of, open_days_before
from payments.ledger.rules import paid_lines
from payments.parity.queries import differences
from tests.commands import refused, told
from tests.finance.scene import earned, owed, paid_charge, promised, rejected, went
from tests.ground import Addresses
from tests.world import payee

Move = Callable[[datetime], None]
TODAY = date(2026, 6, 10)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def posted(reference: str, fen: int = 100) -> None:
    post("payment", reference, payee().id, datetime(2026, 6, 10, tzinfo=None).astimezone(), paid_lines(fen))


def test_a_closed_day_takes_no_posting_and_what_was_wrong_is_reversed_on_an_open_one(
    evening: datetime, at: Move
) -> None:
    posted("order:1")
    at(evening + DAY)
    close_day(TODAY, "test")
    at(evening)
    with pytest.raises(IntegrityError) as late:
        posted("order:2")
    assert violated(late.value) == "a_closed_day_takes_no_posting"
    at(evening + DAY)
    reverse(journals_of("order:1")[0], evening)
    assert journals_of("payment/order:1")[0].posted_on == TODAY + DAY


def test_days_are_closed_in_order_when_they_are_over_and_once(evening: datetime, at: Move) -> None:
    posted("order:1")
    with pytest.raises(DayNotOver):
        close_day(TODAY, "test")
    at(evening + DAY)
    posted("order:2")
    at(evening + 2 * DAY)
    with pytest.raises(DayNotNext):
        close_day(TODAY + DAY, "test")
    close_day(TODAY, "test")
    close_day(TODAY + DAY, "test")
    for day in (TODAY, TODAY + DAY):
        with pytest.raises(DayNotNext):
            close_day(day, "test")
    assert closed_through() == TODAY + DAY


def test_a_day_is_closed_only_when_whoever_posts_on_it_has_ended(
    app: Flask, evening: datetime, at: Move, database: Addresses
) -> None:
    """The poster holds his transaction open; the closing waits for it, and takes it along."""
    posted("order:1")
    at(evening + DAY)
    url, closed = database.app.replace("+psycopg", "", 1), threading.Event()

    def close() -> None:
        with app.app_context():
            close_day(TODAY, "test")
        closed.set()

    with psycopg.connect(url) as poster:
        poster.execute(
            "SELECT post_journal('payment', 'late', payee_id, now(), %s, sha256('x'), NULL, "
            "ARRAY['wx_receivable', 'customer_prepaid'], ARRAY[7::bigint, -7]) FROM account LIMIT 1",
            [TODAY],
        )
        closer = threading.Thread(target=close)
        closer.start()
        _await_waiting(database)
        assert not closed.is_set()
        poster.commit()
        closer.join()
    assert closed.is_set()
    with transaction() as session:
        debits = session.scalars(select(Turnover.debit_fen).where(Turnover.debit_fen > 0)).all()
    assert debits == [107]
    assert drifts() == []


def _await_waiting(database: Addresses) -> None:
    with psycopg.connect(database.admin, autocommit=True) as looking:
        for _ in range(100_000):
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = %s"
            here = looking.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
            row = looking.execute(waits, [here[0] if here else 0]).fetchone()
            if row and row[0]:
                return
    raise AssertionError("nobody waits")


def test_the_program_cannot_open_a_day_again_nor_write_balances(
    evening: datetime, at: Move, database: Addresses
) -> None:
    posted("order:1")
    at(evening + DAY)
    close_day(TODAY, "test")
    for statement in (
        "DELETE FROM accounting_day",
        "INSERT INTO accounting_day (day, closed_at, closed_by) VALUES ('2026-07-01', now(), 'x')",
        "UPDATE turnover_daily SET debit_fen = 1",
        "UPDATE balance_daily SET closing_fen = 1",
        "SELECT derive_day('2026-06-10')",
        "INSERT INTO unit_turnover_day VALUES ('2026-06-10')",
        "DELETE FROM unit_turnover_daily",
    ):
        with psycopg.connect(database.app.replace("+psycopg", "", 1)) as program, pytest.raises(InsufficientPrivilege):
            program.execute(statement.encode())


def test_balances_of_closed_days_are_what_the_postings_come_to_and_can_be_made_again(
    evening: datetime, at: Move, admin: psycopg.Connection[Any], app: Flask
) -> None:
    who = payee("institution")
    for number in range(3):
        at(evening + number * DAY + MINUTE)
        payment = paid_charge(who, 1000 + number)
        earned(payment)
        promised(payment, 100)
    at(evening + 4 * DAY)
    assert actions.check_books() == 0
    assert open_days_before(TODAY + 4 * DAY) == []
    with transaction() as session:
        held = session.scalars(
            select(DailyBalance.closing_fen).order_by(DailyBalance.day, DailyBalance.closing_fen)
        ).all()
        assert session.query(AccountingDay).count() == 3
    assert held[-4:] == [-2703, -300, 0, 3003]
    with admin.transaction():
        admin.execute("UPDATE balance_daily SET closing_fen = closing_fen + 1 WHERE day = %s", [TODAY + DAY])
        admin.execute("DELETE FROM turnover_daily WHERE kind = 'recognition' AND day = %s", [TODAY])
    assert {each.kind for each in drifts()} == {"balance", "recognition"}
    assert refused(app, None, "ledger", "rebuild", "--check") == "books_differ"
    assert rebuild_balances() == 3
    assert told(app, None, "ledger", "rebuild", "--check")["differences"] == 0


def test_books_follow_from_payments_charges_and_refunds_whatever_became_of_them(evening: datetime) -> None:
    for kind in ("enterprise", "institution"):
        who = payee(kind)
        owed(who)
        paid_charge(who)
        earned(paid_charge(who))
        before = paid_charge(who)
        promised(before, 200)
        earned(before)
        after = paid_charge(who)
        earned(after)
        promised(after, 300)
        whole = paid_charge(who)
        promised(whole, 1250)
        earned(whole)
        rejected(promised(paid_charge(who), 400, alone_up_to_fen=0))
        late = paid_charge(who)
        closed = promised(late, 500)
        earned(late)
        went(closed, "close")
        went(promised(paid_charge(who), 600), "succeed")
        went(promised(paid_charge(who), 700), "fail", "succeed")
        went(promised(paid_charge(who), 800), "fail", "close")
    assert differences(TODAY) == []
    assert actions.check_books() == 0


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DELETE FROM posting WHERE journal_id IN (SELECT id FROM journal WHERE kind = 'recognition')", "expected"),
        ("UPDATE posting SET amount_fen = amount_fen * 2", "altered"),
        ("UPDATE journal SET business_ref = 'order:unknown' WHERE kind = 'payment'", "posted"),
        ("UPDATE payment SET paid_fen = paid_fen + 1", "expected"),
        ("UPDATE payment SET refund_reserved_fen = refund_reserved_fen + 1", "reserved"),
        ("DELETE FROM payment", "posted"),
    ],
)
def test_any_difference_between_books_and_events_is_found_and_keeps_days_open(
    statement: str, what: str, evening: datetime, at: Move, admin: psycopg.Connection[Any]
) -> None:
    payment = paid_charge(payee())
    earned(payment)
    promised(payment, 100)
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(statement.encode())
    at(evening + DAY)
    assert what in {each.what for each in differences(TODAY)}
    assert actions.check_books() > 0
    with transaction() as session:
        assert session.query(Task).filter_by(kind=actions.DIFFER, closed_at=None).count() == 1
    assert closed_through() is None


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("channel_fee", "fees:1900000109:2026-06-10"), ("settlement", "settlement:42"), ("gift", "gift:1"),
        ("difference", "difference:0197b5c8-0000-7000-8000-000000000000"), ("reversal", "payment/order:42"),
        ("difference", "difference:------------------------------------"),
    ],
)  # fmt: skip
def test_a_balanced_journal_of_whatever_kind_that_nothing_explains_is_found_and_keeps_days_open(
    kind: str, reference: str, evening: datetime, at: Move
) -> None:
    earned(paid_charge(payee()))
    post(kind, reference, payee().id, evening, paid_lines(700))
    at(evening + DAY)
    found = {(each.what, each.kind, each.reference, each.account, each.amount_fen) for each in differences(TODAY)}
    assert found == {
        ("posted", kind, reference, "wx_receivable", 700), ("posted", kind, reference, "customer_prepaid", -700),
    }  # fmt: skip
    assert (actions.check_books(), closed_through()) == (2, None)


def test_parity_is_told_by_a_command(app: Flask, evening: datetime, admin: psycopg.Connection[Any]) -> None:
    earned(paid_charge(payee()))
    assert told(app, None, "ledger", "parity")["differences"] == 0
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("DELETE FROM posting")
    assert refused(app, None, "ledger", "parity", "--since", "2026-06-01") == "books_differ"
