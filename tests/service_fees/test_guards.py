"""What hand-written SQL cannot say of a fee, as the program's role or as the schema's owner."""

from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import (
    CheckViolation,
    ExclusionViolation,
    ForeignKeyViolation,
    InsufficientPrivilege,
    IntegrityConstraintViolation,
    UniqueViolation,
)

from app.domain.service_fees.actions import issue
from tests.service_fees.scene import JUNE, Entrusted
from tests.units.stand import unit_of
from tests.world import draft_lot

SOME_TERMS: LiteralString = """
INSERT INTO service_fee_terms (key, operator_id, unit_id, valid, permille, monthly_fen, document_no, file_id,
                               recorded_by, recorded_at, confirmed_by, confirmed_at)
SELECT gen_random_uuid(), operator_id, unit_id, valid, %(permille)s, %(monthly)s, %(document)s, file_id, recorded_by,
       now(), CASE %(confirmed_by)s WHEN 'other' THEN %(checker)s WHEN 'same' THEN recorded_by END,
       CASE %(confirmed_by)s WHEN 'nobody' THEN NULL ELSE now() END
FROM service_fee_terms WHERE id = %(like)s
"""
A_STATEMENT: LiteralString = """
WITH made AS (
    INSERT INTO service_fee_statement (key, operator_id, unit_id, month, lines, gross_fen, refunded_fen, share_fen,
                                       fixed_fen, made_by, made_at, state)
    VALUES (gen_random_uuid(), %(operator)s, %(unit)s, '2026-06-01', %(lines)s, %(gross)s, 0, %(share)s, 0,
            %(maker)s, %(at)s, 'draft') RETURNING id
)
INSERT INTO service_fee_line (statement_id, lot_id, terms_id, permille, monthly_fen, days, days_of_month, gross_fen,
                              refunded_fen, share_fen, fixed_fen)
SELECT made.id, %(lot)s, %(terms)s, %(permille)s, 0, %(days)s, %(days_of_month)s, %(line_gross)s, 0, %(line_share)s,
       %(line_fixed)s
FROM made
"""


def by_hand(url: str, statement: LiteralString, **words: object) -> None:
    with psycopg.connect(url) as connection, connection.transaction():
        connection.execute(statement, words)


def refused_by(refusal: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return refusal.value.diag.constraint_name


def fitting(entrusted: Entrusted, terms_id: int, **other: object) -> dict[str, object]:
    """The statement of a month in which the lot took 5 yuan; what a test says otherwise."""
    told: dict[str, object] = {
        "operator": entrusted.operator.id, "unit": entrusted.lot.unit_id, "lines": 1, "gross": 500, "share": 43,
        "maker": entrusted.maker.account_id, "at": "2026-07-01 20:00+08", "lot": entrusted.lot.id, "terms": terms_id,
        "permille": 85, "days": 30, "days_of_month": 30, "line_gross": 500, "line_share": 43, "line_fixed": 0,
    }  # fmt: skip
    return told | other


@pytest.mark.parametrize(
    ("other", "refusal", "constraint"),
    [
        ({"confirmed_by": "other"}, ExclusionViolation, "a_fee_is_agreed_once_at_a_time"),
        ({"confirmed_by": "same"}, CheckViolation, "agreed_fees_are_confirmed_by_another_person"),
        ({"permille": 0}, CheckViolation, "an_agreed_fee_is_for_something"),
        ({"permille": 1001}, CheckViolation, "an_agreed_fee_is_a_share_or_a_sum"),
        ({"monthly": -1}, CheckViolation, "an_agreed_fee_is_a_share_or_a_sum"),
        ({"document": ""}, CheckViolation, "an_agreed_fee_names_its_document"),
    ],
)
def test_terms_are_whole_and_agreed_once(
    entrusted: Entrusted, program: str, other: dict[str, object], refusal: type[psycopg.Error], constraint: str
) -> None:
    like = entrusted.agrees()
    words = {
        "like": like.id, "permille": 85, "monthly": 0, "document": "x", "confirmed_by": "nobody",
        "checker": entrusted.checker.account_id,
    }  # fmt: skip
    with pytest.raises(refusal) as told_off:
        by_hand(program, SOME_TERMS, **(words | other))
    assert refused_by(told_off) == constraint
    by_hand(program, SOME_TERMS, **words)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE service_fee_terms SET permille = 1", "UPDATE service_fee_terms SET confirmed_by = NULL",
        "UPDATE service_fee_terms SET valid = daterange('2026-01-01', '2027-01-01')",
        "UPDATE service_fee_terms SET confirmed_at = now() + interval '1 day'",
        "DELETE FROM service_fee_terms", "TRUNCATE service_fee_terms CASCADE",
    ],
)  # fmt: skip
def test_confirmed_terms_only_end(entrusted: Entrusted, owner: str, change: LiteralString) -> None:
    entrusted.agrees()
    with pytest.raises(IntegrityConstraintViolation):
        by_hand(owner, change)
    by_hand(owner, "UPDATE service_fee_terms SET valid = daterange('2026-06-01', '2027-01-01')")


@pytest.mark.parametrize(
    ("other", "refusal", "constraint"),
    [
        ({"gross": 501, "line_gross": 501}, IntegrityConstraintViolation, "a_fee_statement_says_what_was_collected"),
        ({"share": 44}, IntegrityConstraintViolation, "a_fee_statement_says_what_was_collected"),
        ({"lines": 2}, IntegrityConstraintViolation, "a_fee_statement_says_what_was_collected"),
        ({"days": 29}, IntegrityConstraintViolation, "a_fee_statement_says_what_was_collected"),
        ({"days_of_month": 31}, IntegrityConstraintViolation, "a_fee_statement_says_what_was_collected"),
        ({"share": 44, "line_share": 44}, CheckViolation, "a_share_is_of_what_was_collected"),
        ({"line_fixed": 1}, CheckViolation, "a_fixed_fee_is_by_the_day"),
        ({"permille": 86}, ForeignKeyViolation, "a_fee_is_of_the_agreed_height"),
        ({"at": "2026-06-30 23:59+08"}, CheckViolation, "a_fee_statement_is_of_a_month_that_is_over"),
    ],
)
def test_a_statement_by_hand_says_what_was_collected_and_agreed(
    entrusted: Entrusted, program: str, other: dict[str, object], refusal: type[psycopg.Error], constraint: str
) -> None:
    terms = entrusted.agrees()
    entrusted.takes()
    entrusted.is_over(JUNE)
    with pytest.raises(refusal) as told_off:
        by_hand(program, A_STATEMENT, **fitting(entrusted, terms.id, **other))
    assert refused_by(told_off) == constraint
    by_hand(program, A_STATEMENT, **fitting(entrusted, terms.id))
    with pytest.raises(UniqueViolation) as twice:
        by_hand(program, A_STATEMENT, **fitting(entrusted, terms.id))
    assert refused_by(twice) == "a_month_is_stated_once"


@pytest.mark.parametrize("signed", [False, True])
def test_no_open_and_no_unsigned_day_is_stated_by_hand(entrusted: Entrusted, program: str, *, signed: bool) -> None:
    terms = entrusted.agrees()
    entrusted.takes()
    for day in range(10, 31):
        (entrusted.books.signs if signed else entrusted.books.expects)(JUNE.replace(day=day))
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        by_hand(program, A_STATEMENT, **fitting(entrusted, terms.id))
    expected = "a_fee_statement_is_of_closed_days" if signed else "a_fee_statement_is_of_signed_off_days"
    assert refused_by(refusal) == expected


def test_a_statement_gets_no_further_line_even_in_its_own_transaction(entrusted: Entrusted, program: str) -> None:
    terms, another = entrusted.agrees(), draft_lot(kind="organ", of_unit=unit_of(entrusted.lot)).lot
    entrusted.takes()
    entrusted.is_over(JUNE)
    with psycopg.connect(program) as connection:
        connection.execute(A_STATEMENT, fitting(entrusted, terms.id))
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        made = connection.execute("SELECT id FROM service_fee_statement").fetchone()
        assert made is not None
        with pytest.raises(IntegrityConstraintViolation) as refusal:
            connection.execute(_LINE, {"made": made[0], "lot": another.id, "terms": terms.id})
    assert refused_by(refusal) == "a_fee_statement_is_made_at_once"


def test_terms_are_not_born_confirmed_for_a_month_that_is_stated(entrusted: Entrusted, program: str) -> None:
    like = entrusted.agrees()
    entrusted.takes()
    entrusted.is_over(JUNE)
    entrusted.drafts()
    words = {
        "like": like.id, "permille": 85, "monthly": 0, "document": "x", "confirmed_by": "other",
        "checker": entrusted.checker.account_id,
    }  # fmt: skip
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        by_hand(program, SOME_TERMS, **words)
    assert refused_by(refusal) == "a_stated_fee_stays_agreed"


def test_terms_that_nobody_confirmed_are_not_stated_by_hand(entrusted: Entrusted, program: str) -> None:
    recorded = entrusted.records()
    entrusted.takes()
    entrusted.is_over(JUNE)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        by_hand(program, A_STATEMENT, **fitting(entrusted, recorded.id))
    assert refused_by(refusal) == "a_fee_statement_says_what_was_collected"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'issued', number = 'x'", "a_fee_statement_that_was_decided_says_who_and_why"),
        (
            "state = 'issued', number = 'x', decided_by = made_by, decided_at = now(), decided_because = 'x'",
            "a_fee_statement_is_decided_by_another_person",
        ),
        (
            "state = 'issued', decided_by = made_by + 1, decided_at = now(), decided_because = 'x'",
            "an_issued_fee_statement_has_its_number",
        ),
        (
            "state = 'issued', number = 'x', decided_by = made_by + 1, decided_at = now(), decided_because = ''",
            "a_fee_statement_is_numbered_and_decided_in_words",
        ),
    ],
)
def test_a_statement_is_issued_whole_or_not(
    entrusted: Entrusted, program: str, change: LiteralString, constraint: str
) -> None:
    entrusted.agrees()
    entrusted.is_over(JUNE)
    entrusted.drafts()
    update: LiteralString = "UPDATE service_fee_statement SET "
    with pytest.raises(CheckViolation) as refusal:
        by_hand(program, update + change)
    assert refused_by(refusal) == constraint


def test_an_issued_statement_and_its_lines_say_the_same_for_ever(
    entrusted: Entrusted, program: str, owner: str
) -> None:
    terms = entrusted.agrees()
    entrusted.takes()
    entrusted.is_over(JUNE)
    made, another = entrusted.drafts(), draft_lot(kind="organ", of_unit=unit_of(entrusted.lot)).lot
    with pytest.raises(InsufficientPrivilege):
        by_hand(program, "UPDATE service_fee_statement SET share_fen = 1")
    with pytest.raises(InsufficientPrivilege):
        by_hand(program, "UPDATE service_fee_line SET share_fen = 1")
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        by_hand(program, _LINE, made=made.id, lot=another.id, terms=terms.id)
    assert refused_by(refusal) == "a_fee_statement_is_made_at_once"
    issue(entrusted.checker, made.key, "已核对")
    for change in (
        "UPDATE service_fee_statement SET state = 'rejected', number = NULL",
        "UPDATE service_fee_statement SET number = 'x'", "UPDATE service_fee_statement SET share_fen = 1",
        "DELETE FROM service_fee_statement", "TRUNCATE service_fee_statement CASCADE",
        "UPDATE service_fee_line SET days = 29", "DELETE FROM service_fee_line", "TRUNCATE service_fee_line",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.IntegrityError):
            by_hand(owner, change)


_LINE: LiteralString = """
INSERT INTO service_fee_line (statement_id, lot_id, terms_id, permille, monthly_fen, days, days_of_month, gross_fen,
                              refunded_fen, share_fen, fixed_fen)
VALUES (%(made)s, %(lot)s, %(terms)s, 85, 0, 1, 30, 0, 0, 0, 0)
"""
