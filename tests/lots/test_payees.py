"""Whose a lot's money is: its lawful recipient, named by two persons, from a moment on, and no other by hand either."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, IntegrityConstraintViolation

from app.domain.lots import actions as lots
from app.domain.lots.actions import PayeeNotOfThisUnit, PayeeNotThere
from app.domain.lots.models import Lot
from app.domain.lots.queries import payee_at
from app.kernel.terms import ChangeOutOfOrder
from payments.payees.actions import open_payee, retire
from payments.payees.actions.payees import PayeeStillNamed
from payments.payees.models import Payee
from payments.payees.queries import NoSuchPayee
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars
from tests.ground import Run
from tests.world import (
    EVER,
    open_lot,
    payee,
    staff,
)

HOUR = timedelta(hours=1)
ACTOR = "test"
COMPANY = EnterpriseParticulars("91330100MA00000000", "示例银行", "571900000000001")


def constraint(refusal: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return refusal.value.diag.constraint_name


def pay_to(lot: Lot, payee_id: int, since: datetime) -> None:
    """Let a lot's money belong to a payee from then on, as two people of finance do."""
    proposal = lots.propose_payee(staff("finance_maker"), lot.key, payee_id, since)
    lots.pay_to(staff("finance_checker"), proposal.key)


def treasury(level: str, district_code: str | None) -> Payee:
    particulars = FiscalParticulars(level, district_code, "001001", "示例事务中心", "示例项目", "示例财政专户")
    return open_payee("示例财政专户", particulars, EVER, actor=ACTOR)


A_PAYEE: LiteralString = """
WITH told AS (SELECT lot.id, lot.unit_id, %s AS kind, %s AS level, %s AS district, %s::bigint AS payee
              FROM lot WHERE lot.id = %s),
proposed AS (
    INSERT INTO lot_payee_proposal (key, lot_id, payee_id, valid_from, proposed_by, proposed_at)
    SELECT gen_random_uuid(), id, payee, '2020-01-01', 'finance:1', now() FROM told RETURNING *
)
INSERT INTO lot_payee (lot_id, unit_id, unit_kind, unit_level, district_code, payee_id, valid, proposal_id, proposed_by,
                       confirmed_by)
SELECT told.id, unit_id, kind, level, district, payee, tstzrange('2020-01-01', '2020-02-01'), proposed.id, 'finance:1',
       'finance:2'
FROM told, proposed
"""


@pytest.mark.parametrize("kind", ["organ", "institution"])
def test_what_an_organ_or_institution_collects_cannot_be_an_enterprises(evening: datetime, kind: str) -> None:
    lot = open_lot(kind=kind)
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot, payee("enterprise").id, evening + HOUR)


def test_what_an_enterprise_collects_cannot_be_the_treasurys(evening: datetime) -> None:
    lot = open_lot(kind="enterprise")
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot, payee("fiscal").id, evening + HOUR)


@pytest.mark.parametrize(("level", "district_code"), [("city", None), ("district", "330108")])
def test_a_districts_organ_pays_its_own_district_and_no_other_treasury(
    evening: datetime, level: str, district_code: str | None
) -> None:
    lot = open_lot(kind="organ")
    with pytest.raises(PayeeNotOfThisUnit):
        pay_to(lot, treasury(level, district_code).id, evening + HOUR)


def test_nobody_unknown_is_named_as_payee(evening: datetime) -> None:
    with pytest.raises(NoSuchPayee):
        pay_to(open_lot(), 2**40, evening + HOUR)


@pytest.mark.parametrize(
    ("told", "to"),
    [
        (("organ", "district", "330106"), "enterprise"),
        (("organ", "district", "330106"), "city"),
        (("organ", "district", "330106"), "district"),
    ],
    ids=["an enterprise", "the city", "another district"],
)
def test_a_wrong_recipient_cannot_be_stored(evening: datetime, run: Run, told: tuple[str, str, str], to: str) -> None:
    lot = open_lot(kind="organ")
    wrong = payee("enterprise") if to == "enterprise" else treasury(to, None if to == "city" else "330108")
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_PAYEE, *told, wrong.id, lot.id)
    assert constraint(refusal) == "a_lot_pays_the_purse_of_its_unit"


def test_a_lot_names_a_payee_for_no_longer_than_it_is_there(evening: datetime, run: Run) -> None:
    lot, young = open_lot(), open_payee("示例公司", COMPANY, evening + HOUR, actor=ACTOR)
    with pytest.raises(PayeeNotThere):
        pay_to(lot, young.id, evening)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(A_PAYEE, "enterprise", "district", "330106", young.id, lot.id)
    assert constraint(refusal) == "a_lot_names_a_payee_that_is_there"


def test_a_payee_that_a_lot_names_does_not_end_before_the_lot_names_another(evening: datetime, run: Run) -> None:
    lot, end = open_lot(), evening + HOUR
    former = payee_at(lot.id, evening)
    with pytest.raises(PayeeStillNamed):
        retire(former, end, ACTOR)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run("UPDATE payee SET valid = tstzrange(lower(valid), %s) WHERE id = %s", end, former)
    assert constraint(refusal) == "a_payee_that_a_lot_names_does_not_end"
    pay_to(lot, open_payee("示例公司", COMPANY, evening, actor=ACTOR).id, end)
    assert retire(former, end, ACTOR).valid.upper == end


@pytest.mark.parametrize(
    "told",
    [("enterprise", "district", "330106"), ("organ", "city", "330106"), ("organ", "district", "330108")],
    ids=["kind", "level", "district"],
)
def test_a_unit_cannot_be_said_to_be_another_to_reach_a_wrong_recipient(
    evening: datetime, run: Run, told: tuple[str, str, str]
) -> None:
    lot = open_lot(kind="organ")
    fitting = {
        "enterprise": payee("enterprise"),
        "city": treasury("city", None),
        "330108": treasury("district", "330108"),
    }
    wrong = next(each for word, each in fitting.items() if word in told)
    with pytest.raises(ForeignKeyViolation) as refusal:
        run(A_PAYEE, *told, wrong.id, lot.id)
    assert constraint(refusal) == "a_lots_payee_knows_the_unit"


def test_a_unit_cannot_change_its_kind_under_its_payee(evening: datetime, run: Run) -> None:
    lot = open_lot(kind="organ")
    with pytest.raises(ForeignKeyViolation) as refusal:
        run("UPDATE unit SET kind = 'enterprise' WHERE id = %s", lot.unit_id)
    assert constraint(refusal) == "a_lots_payee_knows_the_unit"


def test_who_proposes_whose_a_lots_money_is_does_not_let_it_come_true(evening: datetime) -> None:
    lot, maker, after = open_lot(), staff("finance_maker"), payee().id
    both = replace(maker, grants=(*maker.grants, *staff("finance_checker").grants))
    asked = lots.propose_payee(both, lot.key, after, evening + HOUR)
    with pytest.raises(lots.OwnPayeeProposal):
        lots.pay_to(both, asked.key)
    assert payee_at(lot.id, evening + HOUR) != after


@pytest.mark.parametrize(
    ("sound", "spoilt", "expected"),
    [
        ("proposed.id, 'finance:1'", "proposed.id, 'finance:2'", "a_lots_payee_is_confirmed_by_another_person"),
        ("proposed.id, 'finance:1'", "proposed.id, 'finance:3'", "a_lots_payee_is_the_one_that_was_proposed"),
        ("tstzrange('2020-01-01',", "tstzrange('2020-01-02',", "a_lots_payee_is_the_one_that_was_proposed"),
    ],
    ids=["one person", "nobody proposed it", "from another day on"],
)
def test_a_lots_payee_is_the_word_of_two_persons(
    evening: datetime, run: Run, sound: str, spoilt: str, expected: str
) -> None:
    lot = open_lot()
    statement: Any = A_PAYEE.replace(sound, spoilt)
    with pytest.raises((CheckViolation, ForeignKeyViolation)) as refusal:
        run(statement, "enterprise", "district", "330106", payee().id, lot.id)
    assert constraint(refusal) == expected
    assert run(A_PAYEE, "enterprise", "district", "330106", payee().id, lot.id) == 1


def test_a_lot_cannot_move_to_another_unit_under_its_payee(evening: datetime, run: Run) -> None:
    lot, other = open_lot(kind="organ"), open_lot(kind="enterprise")
    with pytest.raises(ForeignKeyViolation) as refusal:
        run("UPDATE lot SET unit_id = %s WHERE id = %s", other.unit_id, lot.id)
    assert constraint(refusal) == "a_lots_payee_is_for_the_lots_unit"


def test_the_payee_changes_from_a_moment_on_and_the_old_one_stays_readable(evening: datetime) -> None:
    lot = open_lot()
    before, after = payee_at(lot.id, evening), payee().id
    pay_to(lot, after, evening + HOUR)
    moments = (evening, evening + HOUR - timedelta(seconds=1), evening + HOUR)
    assert [payee_at(lot.id, at) for at in moments] == [before, before, after]


@pytest.mark.parametrize("hours", [1, 2])
def test_a_payee_for_then_or_later_must_not_be_overtaken(evening: datetime, hours: int) -> None:
    lot, planned = open_lot(), payee().id
    pay_to(lot, planned, evening + 2 * HOUR)
    with pytest.raises(ChangeOutOfOrder):
        pay_to(lot, payee().id, evening + hours * HOUR)
    assert payee_at(lot.id, evening + 3 * HOUR) == planned
