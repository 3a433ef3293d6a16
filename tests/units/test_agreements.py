"""Operating agreements (N3.2, N4.7): what they state, whose lots they cover, and how they end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor, NotPermitted
from app.domain.units import actions as units
from app.domain.units.models import OperatingAgreement, Operator
from app.domain.units.queries import (
    agreement_paper,
    agreement_seen,
    agreements,
    is_run,
    operator_at,
    operators_of,
)
from app.domain.units.queries import units as units_seen
from app.domain.units.rules import AgreementIncomplete, WordsMissing
from app.kernel.files import FileRefused, Paper
from app.kernel.refusals import NotFound
from tests.ground import Addresses
from tests.units.stand import DAY, at_once, terms, unit_of
from tests.world import open_lot, paper, registered_operator, registered_unit, staff

SECOND = timedelta(seconds=1)


@pytest.fixture
def lot(evening: datetime) -> Lot:
    return open_lot()


@pytest.fixture
def operator(database: Addresses) -> Operator:
    return registered_operator()


@pytest.fixture
def by(lot: Lot) -> Actor:
    """Somebody of the unit whose lot it is."""
    return staff("unit", unit_id=lot.unit_id)


def signed(
    by: Actor, lot: Lot, operator: Operator, begins_at: datetime, days: float = 365, **told: Any
) -> OperatingAgreement:
    return units.sign_agreement(
        by, unit_of(lot).key, operator.key, terms([lot], begins_at, days, **told), paper()
    )  # fmt: skip


def test_an_agreement_states_the_four_contents_and_keeps_the_signed_document(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    document = paper()
    told = terms([lot], evening)
    key = units.sign_agreement(by, unit_of(lot).key, operator.key, told, document).key
    seen = agreement_seen(by, key)
    row = seen.agreement
    assert (row.shared_bays, row.hours_text, row.services) == (told.shared_bays, told.hours_text, told.services)
    assert (row.unit_duties, row.operator_duties) == (told.unit_duties, told.operator_duties)
    assert (seen.unit.id, seen.operator.id, seen.lot_ids) == (lot.unit_id, operator.id, [lot.id])
    assert (seen.ends_at, row.signed_by) == (told.ends_at, by.account_id)
    assert agreement_paper(by, key).content == document.content


@pytest.mark.parametrize(
    "told",
    [
        {"shared_bays": 0}, {"hours_text": " "}, {"services": ""}, {"unit_duties": ""}, {"operator_duties": ""},
        {"lot_ids": []},
    ],
    ids=lambda told: next(iter(told)),
)  # fmt: skip
def test_an_agreement_that_lacks_something_is_refused_and_leaves_nothing_behind(
    evening: datetime, lot: Lot, operator: Operator, by: Actor, told: dict[str, Any]
) -> None:
    with pytest.raises(AgreementIncomplete):
        signed(by, lot, operator, evening, **told)
    assert agreements(by, with_ended=True) == []


def test_an_agreement_needs_a_term_that_is_not_over_and_its_document(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    with pytest.raises(AgreementIncomplete):
        signed(by, lot, operator, evening, days=0)
    with pytest.raises(units.AgreementOver):
        signed(by, lot, operator, evening - 10 * DAY, days=10)
    with pytest.raises(FileRefused):
        units.sign_agreement(by, unit_of(lot).key, operator.key, terms([lot], evening), Paper(b"", "空.pdf"))
    assert agreements(by, with_ended=True) == []


def test_the_operator_runs_the_lot_for_the_term_and_no_longer(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    signed(by, lot, operator, evening + DAY, days=30)
    moments = [evening, evening + DAY, evening + 31 * DAY - SECOND, evening + 31 * DAY]
    assert [operators_of(lot.id, at) for at in moments] == [set(), {operator.id}, {operator.id}, set()]
    held = operator_at(lot.id, evening + DAY)
    assert held is not None
    assert held.name == operator.name
    assert operator_at(lot.id, evening) is None


def test_a_lot_of_another_unit_is_not_entrusted(evening: datetime, lot: Lot, operator: Operator, by: Actor) -> None:
    with pytest.raises(units.LotNotOfThisUnit):
        units.sign_agreement(by, unit_of(lot).key, operator.key, terms([lot, open_lot()], evening), paper())
    assert agreements(by, with_ended=True) == []


def test_a_lot_has_one_operator_at_a_time_and_the_next_may_begin_when_the_first_ends(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    other = registered_operator()
    signed(by, lot, operator, evening, days=10)
    with pytest.raises(units.LotHasAnOperator):
        signed(by, lot, other, evening + 9 * DAY)
    signed(by, lot, other, evening + 10 * DAY)
    assert operators_of(lot.id, evening + 10 * DAY) == {other.id}


def test_of_two_operators_signed_at_once_one_runs_the_lot(app: Flask, evening: datetime, lot: Lot, by: Actor) -> None:
    rivals = [registered_operator() for _ in range(3)]
    ended = at_once(app, *[partial(signed, by, lot, each, evening) for each in rivals])
    assert ended == ["done", "lot_has_an_operator", "lot_has_an_operator"]


def test_an_agreement_ends_now_with_a_reason(
    evening: datetime, at: Callable[[datetime], None], lot: Lot, operator: Operator, by: Actor
) -> None:
    key = signed(by, lot, operator, evening - DAY).key
    at(evening + 5 * DAY)
    ending = units.end_agreement(by, key, "服务不达标")
    assert agreement_seen(by, key).ends_at == ending.ends_at
    assert operators_of(lot.id, ending.ends_at - SECOND) == {operator.id}
    assert operators_of(lot.id, ending.ends_at) == set()
    with pytest.raises(units.AgreementOver):
        units.end_agreement(by, key, "再次终止")


def test_an_agreement_may_be_told_to_end_later_and_then_sooner(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    key = signed(by, lot, operator, evening, days=100).key
    for days in (50, 20):
        units.end_agreement(by, key, "协商一致", evening + days * DAY)
    assert agreement_seen(by, key).ends_at == evening + 20 * DAY
    assert operators_of(lot.id, evening + 19 * DAY) == {operator.id}
    assert operators_of(lot.id, evening + 20 * DAY) == set()


@pytest.mark.parametrize("days", [-1, 100, 101])
def test_an_agreement_ends_neither_in_the_past_nor_later_than_agreed(
    evening: datetime, lot: Lot, operator: Operator, by: Actor, days: int
) -> None:
    key = signed(by, lot, operator, evening, days=100).key
    with pytest.raises(units.EndDoesNotFit):
        units.end_agreement(by, key, "协商一致", evening + days * DAY)
    with pytest.raises(WordsMissing):
        units.end_agreement(by, key, "")
    assert agreement_seen(by, key).ends_at == evening + 100 * DAY


def test_an_agreement_that_is_ended_before_it_begins_never_does(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    key = signed(by, lot, operator, evening + 10 * DAY).key
    units.end_agreement(by, key, "签署有误")
    assert operators_of(lot.id, evening + 20 * DAY) == set()
    assert is_run(lot.id, evening + 20 * DAY)
    signed(by, lot, operator, evening + 10 * DAY)


def test_two_who_end_an_agreement_at_once_end_it_once(
    app: Flask, evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    key = signed(by, lot, operator, evening).key
    assert at_once(app, *[lambda: units.end_agreement(by, key, "终止")] * 3) == ["agreement_over"] * 2 + ["done"]


def test_a_lot_without_any_agreement_is_run_by_its_unit(evening: datetime, lot: Lot) -> None:
    assert is_run(lot.id, evening)
    assert is_run(lot.id, evening + 1000 * DAY)


def test_nobody_runs_a_lot_whose_agreement_ended_until_the_unit_says_that_it_does(
    evening: datetime, at: Callable[[datetime], None], lot: Lot, operator: Operator, by: Actor
) -> None:
    signed(by, lot, operator, evening, days=10)
    assert [is_run(lot.id, evening + days * DAY) for days in (0, 9, 10, 11)] == [True, True, False, False]
    at(evening + 12 * DAY)
    since = units.declare_self_operation(by, unit_of(lot).key, lot.id, "收回自营").since
    assert [is_run(lot.id, moment) for moment in (since - SECOND, since, since + 99 * DAY)] == [False, True, True]


def test_a_unit_may_say_ahead_that_it_runs_the_lot_itself_after_the_agreement(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    signed(by, lot, operator, evening, days=10)
    units.declare_self_operation(by, unit_of(lot).key, lot.id, "到期收回", evening + 10 * DAY)
    assert all(is_run(lot.id, evening + days * DAY) for days in (9, 10, 11))


def test_after_another_agreement_the_unit_must_say_so_again(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    signed(by, lot, operator, evening, days=10)
    units.declare_self_operation(by, unit_of(lot).key, lot.id, "到期收回", evening + 10 * DAY)
    signed(by, lot, operator, evening + 20 * DAY, days=10)
    moments = [evening + days * DAY for days in (15, 25, 30)]
    assert [is_run(lot.id, moment) for moment in moments] == [True, True, False]


def test_a_lot_is_not_run_by_its_unit_while_an_operator_does(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    signed(by, lot, operator, evening)
    with pytest.raises(units.LotIsEntrusted):
        units.declare_self_operation(by, unit_of(lot).key, lot.id, "收回自营")
    with pytest.raises(units.BeginsInThePast):
        units.declare_self_operation(by, unit_of(lot).key, lot.id, "收回自营", evening - DAY)
    with pytest.raises(units.LotNotOfThisUnit):
        units.declare_self_operation(by, unit_of(lot).key, open_lot().id, "收回自营")
    with pytest.raises(WordsMissing):
        units.declare_self_operation(by, unit_of(lot).key, lot.id, " ", evening + 365 * DAY)


def test_each_party_sees_its_own_agreements(evening: datetime, lot: Lot, operator: Operator, by: Actor) -> None:
    key = signed(by, lot, operator, evening).key
    of_operator, stranger = staff("operator", operator_id=operator.id), staff("unit", unit_id=registered_unit().id)
    assert [[each.agreement.key for each in agreements(who)] for who in (by, of_operator, stranger)] == [
        [key], [key], [],
    ]  # fmt: skip
    assert [unit.id for unit in units_seen(of_operator)] == [lot.unit_id]
    with pytest.raises(NotFound):
        agreement_seen(stranger, key)


def test_an_operators_people_see_the_unit_only_while_they_work_for_it(
    evening: datetime, at: Callable[[datetime], None], lot: Lot, operator: Operator, by: Actor
) -> None:
    key = signed(by, lot, operator, evening, days=10).key
    of_operator = staff("operator", operator_id=operator.id)
    at(evening + 11 * DAY)
    assert units_seen(of_operator) == []
    assert agreements(of_operator) == []
    assert [each.agreement.key for each in agreements(of_operator, with_ended=True)] == [key]


def test_agreements_can_be_asked_for_by_unit_and_by_end(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    regulator, other = staff("regulator"), open_lot()
    soon = signed(regulator, lot, operator, evening, days=10).key
    later = signed(regulator, other, operator, evening, days=100).key
    assert [each.agreement.key for each in agreements(regulator)] == [soon, later]
    assert [each.agreement.key for each in agreements(regulator, unit_id=other.unit_id)] == [later]
    assert [each.agreement.key for each in agreements(regulator, ends_by=evening + 30 * DAY)] == [soon]


def test_an_operator_does_not_sign_for_the_unit_nor_a_unit_for_another(
    evening: datetime, lot: Lot, operator: Operator, by: Actor
) -> None:
    with pytest.raises(NotPermitted):
        signed(staff("operator", operator_id=operator.id), lot, operator, evening)
    with pytest.raises(NotFound):
        signed(by, open_lot(), operator, evening)


@pytest.fixture
def agreed(evening: datetime, lot: Lot, operator: Operator, by: Actor) -> OperatingAgreement:
    return signed(by, lot, operator, evening, days=10)


AN_AGREEMENT = """
INSERT INTO operating_agreement (key, unit_id, operator_id, shared_bays, hours_text, services, unit_duties,
                                 operator_duties, term, file_id, signed_by, signed_at)
SELECT gen_random_uuid(), unit_id, operator_id, 1, 'x', 'x', {}, 'x', term, file_id, signed_by, signed_at
FROM operating_agreement
"""
AN_ENDING = """
INSERT INTO agreement_ending (agreement_id, ends_at, why, ended_by, ended_at)
SELECT id, lower(term) + interval '5 days', 'x', signed_by, {} FROM operating_agreement
"""
A_LOT = """
INSERT INTO agreement_lot (agreement_id, unit_id, lot_id, valid)
SELECT agreement_id, a.unit_id, lot.id, valid FROM agreement_lot a JOIN lot ON {}
"""
SPAN = "UPDATE agreement_lot SET valid = tstzrange(lower(valid), upper(valid) {} interval '1 day')"
REFUSED = [
    ("an_agreed_lot_follows_its_agreement", SPAN.format("+")),
    ("an_agreed_lot_follows_its_agreement", SPAN.format("-")),
    ("an_agreed_lot_follows_its_agreement", AN_ENDING.format("lower(term)")),
    ("an_agreement_never_ends_in_the_past", AN_ENDING.format("upper(term)")),
    ("a_lot_has_one_operator_at_a_time", A_LOT.format("lot.id = a.lot_id")),
    ("an_agreed_lot_belongs_to_the_unit", A_LOT.format("lot.unit_id <> a.unit_id")),
    ("an_agreement_covers_a_lot", AN_AGREEMENT.format("'x'")),
    ("an_agreement_states_what_the_notice_demands", AN_AGREEMENT.format("''")),
    ("operating_agreement_is_append_only", "UPDATE operating_agreement SET services = 'x'"),
]


@pytest.mark.parametrize(("constraint", "statement"), REFUSED)
def test_the_tables_hold_an_agreement_to_what_was_signed(
    agreed: OperatingAgreement, admin: psycopg.Connection[Any], constraint: str, statement: str
) -> None:
    open_lot()
    with pytest.raises(psycopg.IntegrityError) as refusal:
        admin.execute(statement.encode())
    assert refusal.value.diag.constraint_name == constraint
