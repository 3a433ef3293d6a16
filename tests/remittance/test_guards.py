"""No posting twice, none left out, none of an unsigned or open day: rivals, and hand-written SQL as the program."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import (
    CheckViolation,
    ExclusionViolation,
    ForeignKeyViolation,
    InsufficientPrivilege,
    IntegrityConstraintViolation,
    UniqueViolation,
)

from app.kernel import clock
from app.kernel.db import transaction
from launcher.processes import await_that
from payments.ledger.actions import post
from payments.payees.queries import channel_of
from payments.remittance.actions import approve, propose, refuse, send, send_back, withdraw
from payments.remittance.models import RemittanceBatch
from payments.remittance.queries import batch, reference_of
from payments.remittance.rules import bounced_lines, remitted_lines
from tests.payments.world import enterprise_payee, paid_through
from tests.races import at_once
from tests.remittance.scene import CHECKER, DAY, DOCUMENT, MAKER, Unit, evidence

A_BATCH: LiteralString = """
WITH told AS (
    INSERT INTO remittance_batch (key, payee_id, regime, level, collecting_unit_code, item_code, treasury_target, days,
                                  lines, amount_fen, made_by, made_at, state)
    SELECT gen_random_uuid(), id, regime, level, collecting_unit_code, item_code, treasury_target,
           datemultirange(daterange(CAST(%(first)s AS date), CAST(%(last)s AS date), '[]')), %(lines)s, %(fen)s,
           'staff:1', now(), 'draft'
    FROM payee WHERE id = %(payee)s RETURNING id, made_by
), born AS (
    INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at)
    SELECT 'remittance', id, '', 'draft', 'born', 'test', now() FROM told
), step AS (
    INSERT INTO remittance_step (batch_id, state, made_by, by, at, because)
    SELECT id, 'draft', made_by, made_by, now(), '测试' FROM told
)
INSERT INTO remittance_line (batch_id, posting_id, payee_id, posted_on, amount_fen, is_live)
SELECT told.id, posting.id, %(payee)s, posted_on, -amount_fen, true
FROM told, journal JOIN posting ON journal_id = journal.id JOIN account ON account.id = account_id
WHERE journal.payee_id = %(payee)s AND code = %(code)s AND posting.amount_fen < 0
ORDER BY posting.id LIMIT %(taken)s
"""
_MOVED: LiteralString = """
INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at)
VALUES ('remittance', %(id)s, %(from)s, %(to)s, %(event)s, 'test', now())
"""
_STEP: LiteralString = """
INSERT INTO remittance_step (batch_id, state, made_by, by, at, because)
VALUES (%(id)s, %(to)s, 'staff:1', %(by)s, now(), '测试')
"""


def run(url: str, *statements: LiteralString, **words: object) -> None:
    with psycopg.connect(url) as connection, connection.transaction():
        for each in statements:
            connection.execute(each, words)


def fitting(unit: Unit, **other: object) -> dict[str, object]:
    """The one posting of 1250 fen as a batch of its day; what a test says otherwise."""
    told = {"lines": 1, "fen": 1250, "taken": 1, "code": "due_to_treasury", "first": "2026-06-10", "last": "2026-06-10"}
    return told | {"payee": unit.payee.id} | other


def refused_by(refusal: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return refusal.value.diag.constraint_name


def counted() -> int:
    with transaction() as session:
        return session.query(RemittanceBatch).count()


def test_of_makers_who_propose_at_once_one_is_heard(app: Flask, unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    told = at_once(app, *[unit.proposed] * 3)
    assert (told.count("done"), set(told) <= {"done", "BatchUnderWay", "NothingDue"}, counted()) == (1, True, 1)


def test_a_day_that_is_signed_off_while_a_batch_is_gathered_is_not_left_behind(
    app: Flask, unit: Unit, program: str
) -> None:
    unit.takes(1250)
    unsigned = unit.next_day(signed=False)
    unit.takes(400)
    unit.next_day()
    with ThreadPoolExecutor() as pool, psycopg.connect(program) as rival:
        rival.execute(A_BATCH, fitting(unit))
        told = pool.submit(at_once, app, unit.proposed)
        assert await_that(lambda: somebody_waits(unit), seconds=20)
        unit.signs(unsigned)
        rival.rollback()
        assert told.result() == ["SignedMeanwhile"]
    assert unit.proposed().amount_fen == 1650


def somebody_waits(unit: Unit) -> bool:
    waiting: LiteralString = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return unit.admin.execute(waiting).fetchone() is not None


def test_of_checkers_and_a_maker_who_decide_at_once_one_is_heard(app: Flask, unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.proposed()
    deeds = (
        lambda: approve(made.key, CHECKER, "已核对"),
        lambda: send_back(made.key, "staff:3", "请核对"),
        lambda: withdraw(made.key, MAKER, "撤回"),
    )
    assert at_once(app, *deeds) == ["WrongState"] * 2 + ["done"]
    assert batch(made.key).state in {"approved", "returned", "withdrawn"}


def test_what_is_refused_while_it_is_sent_and_proposed_anew_is_in_one_live_batch(app: Flask, unit: Unit) -> None:
    unit.takes(1250)
    unit.next_day()
    made, file = unit.approved(), evidence()
    told = at_once(
        app,
        lambda: refuse(made.key, "退单0007", unit.today, file, CHECKER, "项目编码已停用"),
        lambda: send(made.key, DOCUMENT, MAKER, "已缴"),
    )
    assert told == ["WrongState", "done"]
    outcomes = at_once(app, *[lambda: propose(unit.payee.id, MAKER, "按日上缴")] * 3)
    came = batch(made.key).state
    assert (came, outcomes.count("done")) in {("sent", 0), ("refused", 1)}
    live = "SELECT count(*) FROM remittance_line WHERE is_live GROUP BY posting_id"
    assert unit.admin.execute(live).fetchall() == [(1,)]


def test_nothing_is_refused_without_its_paper_and_another_person(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    words = {"id": unit.approved().id, "from": "approved", "to": "refused", "event": "refuse", "by": MAKER}
    moved: LiteralString = "UPDATE remittance_batch SET state = 'refused' WHERE id = %(id)s"
    with pytest.raises(CheckViolation) as refusal:
        run(program, moved, _MOVED, _STEP, **words)
    assert refused_by(refusal) == "a_batch_is_decided_by_another_person"
    words |= {"by": CHECKER, "file": evidence(), "on": unit.today}
    with pytest.raises(IntegrityConstraintViolation) as unproven:
        run(program, moved, _MOVED, _STEP, **words)
    assert refused_by(unproven) == "a_refused_batch_has_its_paper"
    with pytest.raises(CheckViolation) as to_come:
        run(program, _REFUSAL, **(words | {"on": date(2999, 1, 1)}))
    assert refused_by(to_come) == "a_treasurys_refusal_is_not_to_come"
    run(program, moved, _MOVED, _STEP, _REFUSAL, **words)


_REFUSAL: LiteralString = """
INSERT INTO remittance_refusal (batch_id, number, refused_on, file_id, recorded_by, recorded_at)
VALUES (%(id)s, '退单0007', %(on)s, %(file)s, 'staff:2', now())
"""


def test_what_the_bank_paid_out_is_not_received_by_that(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.sent()
    words = {"id": made.id, "from": "sent", "to": "left", "event": "leave", "by": "platform"}
    with pytest.raises(IntegrityConstraintViolation) as unproven:
        run(program, "UPDATE remittance_batch SET state = 'left' WHERE id = %(id)s", _MOVED, _STEP, **words)
    assert refused_by(unproven) == "a_batch_that_left_has_its_bank_line"
    line = {"statement": statement(unit, unit.payee.id, -1250), "line": 1, "number": None}
    run(program, A_RECEIPT, batch=made.id, payee=unit.payee.id, fen=1250, **line)
    words |= {"to": "received", "event": "receive"}
    with pytest.raises(IntegrityConstraintViolation) as too_soon:
        run(program, "UPDATE remittance_batch SET state = 'received' WHERE id = %(id)s", _MOVED, _STEP, **words)
    assert refused_by(too_soon) == "a_received_batch_has_its_receipt"


def test_a_batch_by_hand_that_is_all_that_is_due_is_taken(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    run(program, A_BATCH, **fitting(unit))
    assert counted() == 1


def test_a_posting_is_in_one_live_batch(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    unit.sent()
    unit.next_day()
    with pytest.raises(UniqueViolation) as refusal:
        run(program, A_BATCH, **fitting(unit, first="2026-06-11", last="2026-06-11"))
    assert refused_by(refusal) == "a_posting_is_remitted_once"


def test_of_two_transactions_that_remit_the_same_one_commits(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    with ThreadPoolExecutor() as pool, psycopg.connect(program) as first:
        first.execute(A_BATCH, fitting(unit))
        second = pool.submit(run, program, A_BATCH, **fitting(unit))
        first.commit()
        with pytest.raises((UniqueViolation, ExclusionViolation)):
            second.result()
    assert counted() == 1


def test_a_day_is_in_one_live_batch(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    unit.sent()
    with pytest.raises(ExclusionViolation) as refusal:
        run(program, A_BATCH, **fitting(unit, taken=0))
    assert refused_by(refusal) == "a_day_is_remitted_once"


@pytest.mark.parametrize(
    ("other", "constraint"),
    [
        ({"fen": 1251}, "a_batch_sums_what_is_due"),
        ({"lines": 2}, "a_batch_sums_what_is_due"),
        ({"taken": 0}, "a_batch_sums_what_is_due"),
        ({"code": "customer_prepaid"}, "a_batch_sums_what_is_due"),
        ({"first": "2026-06-09", "last": "2026-06-09"}, "a_batch_sums_what_is_due"),
        ({"last": "2026-06-11"}, "a_batch_is_of_signed_off_days"),
    ],
)
def test_a_batch_is_what_its_lines_say(unit: Unit, program: str, other: dict[str, object], constraint: str) -> None:
    unit.takes(1250)
    unit.next_day()
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_BATCH, **fitting(unit, **other))
    assert refused_by(refusal) == constraint


def test_nothing_that_is_due_is_left_out(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.takes(800)
    unit.next_day()
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_BATCH, **fitting(unit))
    assert refused_by(refusal) == "a_batch_leaves_nothing_behind"


def test_a_day_that_was_passed_over_is_not_left_behind(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    unit.takes(800)
    unit.next_day()
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_BATCH.replace("ORDER BY posting.id", "ORDER BY posting.id DESC"),
            **fitting(unit, fen=800, first="2026-06-11", last="2026-06-11"))  # fmt: skip
    assert refused_by(refusal) == "a_batch_leaves_nothing_behind"


@pytest.mark.parametrize("signed", [False, True])
def test_no_open_and_no_unsigned_day_is_remitted(unit: Unit, program: str, *, signed: bool) -> None:
    unit.takes(1250)
    day = unit.today
    (unit.signs if signed else unit.expects)(day)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_BATCH, **fitting(unit))
    assert refused_by(refusal) == ("a_batch_is_of_closed_days" if signed else "a_batch_is_of_signed_off_days")


def test_every_merchant_of_the_payee_must_have_signed_the_day_off(unit: Unit, program: str) -> None:
    former = channel_of(unit.payee.id).id
    paid_through(unit.payee)
    unit.takes(1250)
    unit.expects(unit.today, former)
    day = unit.next_day()
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_BATCH, **fitting(unit))
    assert refused_by(refusal) == "a_batch_is_of_signed_off_days"
    unit.signs(day, former)
    run(program, A_BATCH, **fitting(unit))


@pytest.mark.parametrize("fen", [0, -1250])
def test_a_batch_is_never_negative(unit: Unit, program: str, fen: int) -> None:
    with pytest.raises(CheckViolation) as refusal:
        run(program, A_BATCH, **fitting(unit, fen=fen))
    assert refused_by(refusal) == "a_batch_pays_something_in"


@pytest.mark.parametrize("column", ["level", "collecting_unit_code", "item_code", "treasury_target"])
def test_a_batch_goes_to_its_payees_one_treasury(unit: Unit, program: str, column: LiteralString) -> None:
    unit.takes(1250)
    unit.next_day()
    other = "'city'" if column == "level" else "'别处'"
    statement = A_BATCH.replace(f"{column},", f"{column},", 1)
    head, tail = statement.split("SELECT gen_random_uuid()", 1)
    wrong = head + "SELECT gen_random_uuid()" + tail.replace(column, other, 1)
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(program, wrong, **fitting(unit))
    assert refused_by(refusal) == "a_batch_has_one_target"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE remittance_batch SET amount_fen = 1",
        "UPDATE remittance_batch SET days = '{[2026-01-01,2026-12-31)}'",
        "UPDATE remittance_line SET amount_fen = 1",
        "UPDATE remittance_line SET is_live = false",
        "DELETE FROM remittance_batch", "DELETE FROM remittance_line",
        "UPDATE remittance_step SET by = 'x'", "DELETE FROM remittance_receipt", "DELETE FROM remittance_bounce",
    ],
)  # fmt: skip
def test_what_a_batch_says_never_changes(unit: Unit, program: str, owner: str, change: LiteralString) -> None:
    unit.takes(1250)
    unit.next_day()
    unit.proposed()
    with pytest.raises(InsufficientPrivilege):
        run(program, change)
    if all(each not in change for each in ("receipt", "bounce", "is_live")):
        with pytest.raises(psycopg.errors.IntegrityError):
            run(owner, change)


def test_a_batch_gets_no_further_line(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.proposed()
    unit.takes(700)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, """
            INSERT INTO remittance_line (batch_id, posting_id, payee_id, posted_on, amount_fen, is_live)
            SELECT %(batch)s, max(id), %(payee)s, '2026-06-11', 700, true FROM posting
        """, batch=made.id, payee=unit.payee.id)  # fmt: skip
    assert refused_by(refusal) == "a_batch_is_made_at_once"


def test_the_document_of_a_batch_that_was_sent_stays(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, "UPDATE remittance_batch SET document_number = 'OTHER-2026' WHERE id = %(id)s", id=sent.id)
    assert refused_by(refusal) == "a_document_number_stays"


def test_the_maker_cannot_approve_by_hand_either(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    words = {"id": unit.proposed().id, "from": "draft", "to": "approved", "event": "approve", "by": MAKER}
    moved: LiteralString = "UPDATE remittance_batch SET state = 'approved' WHERE id = %(id)s"
    with pytest.raises(CheckViolation) as refusal:
        run(program, moved, _MOVED, _STEP, **words)
    assert refused_by(refusal) == "a_batch_is_decided_by_another_person"
    with pytest.raises(IntegrityConstraintViolation) as silent:
        run(program, moved, _MOVED, **words)
    assert refused_by(silent) == "a_batch_tells_each_step"
    run(program, moved, _MOVED, _STEP, **(words | {"by": CHECKER}))


def test_nothing_bounces_without_its_paper_its_journal_and_another_person(unit: Unit, program: str) -> None:
    unit.takes(1250)
    unit.next_day()
    sent = unit.sent()
    words = {"id": sent.id, "from": "sent", "to": "bounced", "event": "bounce", "by": MAKER}
    moved: LiteralString = "UPDATE remittance_batch SET state = 'bounced' WHERE id = %(id)s"
    with pytest.raises(CheckViolation) as refusal:
        run(program, moved, _MOVED, _STEP, **words)
    assert refused_by(refusal) == "a_batch_is_decided_by_another_person"
    sent_on = unit.today
    words |= {"by": CHECKER, "payee": unit.payee.id, "fen": 1250, "file": evidence(), "on": sent_on}
    for papers in ((), (_BOUNCE,)):
        with pytest.raises(IntegrityConstraintViolation) as unproven:
            run(program, moved, _MOVED, _STEP, *papers, **words)
        assert refused_by(unproven) == "a_bounced_batch_has_its_paper_and_is_in_the_books"
    with pytest.raises(ForeignKeyViolation) as other_sum:
        run(program, _BOUNCE, **(words | {"fen": 1249}))
    assert refused_by(other_sum) == "a_bank_gives_back_what_was_sent"
    post("remittance_bounce", reference_of(sent), unit.payee.id, clock.now(), bounced_lines(1250))
    with pytest.raises(IntegrityConstraintViolation) as too_early:
        run(program, _BOUNCE, **(words | {"on": sent_on - DAY}))
    assert refused_by(too_early) == "a_bank_gives_back_after_it_was_sent"
    with pytest.raises(CheckViolation) as to_come:
        run(program, _BOUNCE, **(words | {"on": date(2999, 1, 1)}))
    assert refused_by(to_come) == "a_banks_return_is_not_to_come"
    run(program, moved, _MOVED, _STEP, _BOUNCE, **words)


_BOUNCE: LiteralString = """
INSERT INTO remittance_bounce (batch_id, payee_id, amount_fen, number, returned_on, file_id, recorded_by, recorded_at)
VALUES (%(id)s, %(payee)s, %(fen)s, '退汇0042', %(on)s, %(file)s, 'staff:2', now())
"""


def test_nothing_is_sent_that_is_not_in_the_books_and_nothing_received_without_a_receipt(
    unit: Unit, program: str
) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.approved()
    words = {"id": made.id, "from": "approved", "to": "sent", "event": "send", "by": MAKER, "document": DOCUMENT}
    moved: LiteralString = (
        "UPDATE remittance_batch SET state = 'sent', document_number = %(document)s WHERE id = %(id)s"
    )
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, moved, _MOVED, _STEP, **words)
    assert refused_by(refusal) == "a_sent_batch_is_in_the_books"
    with pytest.raises(CheckViolation) as bare:
        run(program, "UPDATE remittance_batch SET state = 'sent' WHERE id = %(id)s", _MOVED, _STEP, **words)
    assert refused_by(bare) == "what_is_sent_has_its_document"
    post("remittance", reference_of(made), unit.payee.id, clock.now(), remitted_lines(1250))
    run(program, moved, _MOVED, _STEP, **words)
    words |= {"from": "sent", "to": "received", "event": "receive"}
    with pytest.raises(IntegrityConstraintViolation) as unproven:
        run(program, "UPDATE remittance_batch SET state = 'received' WHERE id = %(id)s", _MOVED, _STEP, **words)
    assert refused_by(unproven) == "a_received_batch_has_its_receipt"


A_RECEIPT: LiteralString = """
INSERT INTO remittance_receipt (batch_id, payee_id, amount_fen, statement_id, line, number, received_on, recorded_by,
                                recorded_at)
VALUES (%(batch)s, %(payee)s, %(fen)s, %(statement)s, %(line)s, %(number)s, '2026-06-11', 'staff:2', now())
"""
_STATEMENT: LiteralString = """
WITH one AS (
    INSERT INTO bank_statement (key, payee_id, format, account, sha256, lines, opening_fen, moved_fen, closing_fen,
                                imported_by, imported_at)
    SELECT gen_random_uuid(), id, 'csv', coalesce(bank_account, '571900000000009'), gen_random_uuid()::text::bytea, 1,
           0, %(left)s, %(left)s, 'staff:1', now() FROM payee WHERE id = %(payee)s RETURNING id
)
INSERT INTO bank_line (statement_id, number, booked_on, amount_fen, reference)
SELECT id, 1, '2026-06-11', %(left)s, '' FROM one RETURNING statement_id
"""


def statement(unit: Unit, payee_id: int, left: int) -> int:
    found = unit.admin.execute(_STATEMENT, {"payee": payee_id, "left": left}).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize(
    ("other", "constraint"),
    [
        ({"fen": 1249}, "a_treasury_receives_what_was_sent"),
        ({"left": -1249}, "a_remittance_left_by_a_line_of_the_bank"),
        ({"left": 1250}, "a_remittance_left_by_a_line_of_the_bank"),
        ({"another": True}, "a_remittance_left_its_own_payees_bank"),
        ({"number": "回单1"}, "a_receipt_is_the_banks_or_the_treasurys"),
        ({"statement": None}, "a_receipt_is_the_banks_or_the_treasurys"),
    ],
)
def test_a_receipt_is_for_the_very_sum_and_of_the_own_bank(
    unit: Unit, program: str, other: dict[str, object], constraint: str
) -> None:
    unit.takes(1250)
    unit.next_day()
    made = unit.sent()
    whose = enterprise_payee().id if other.get("another") else unit.payee.id
    left = int(str(other.get("left", -1250)))
    words = {
        "batch": made.id, "payee": unit.payee.id, "fen": 1250, "statement": statement(unit, whose, left), "line": 1,
        "number": None,
    } | other  # fmt: skip
    with pytest.raises(psycopg.errors.IntegrityError) as refusal:
        run(program, A_RECEIPT, **words)
    assert refused_by(refusal) == constraint
