"""Entering operators (N3.2) and changing what is told of them."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.staff.rules import Actor, NotPermitted
from app.domain.units import actions as units
from app.domain.units.models import Operator
from app.domain.units.queries import changes, operator_by_key, operators
from app.domain.units.rules import CreditCodeWrong, NewOperator, PhoneWrong, WordsMissing, sample_credit_code
from app.kernel.refusals import NotFound
from tests.ground import Addresses
from tests.world import registered_operator, staff

TOLD = NewOperator("示例停车服务公司", sample_credit_code("enterprise", 1), "０５７１-00000001 ")


@pytest.fixture
def regulator(database: Addresses) -> Actor:
    return staff("regulator")


def told_of(operator: Operator, **otherwise: Any) -> NewOperator:
    assert operator.credit_code is not None
    assert operator.service_phone is not None
    return replace(NewOperator(operator.name, operator.credit_code, operator.service_phone), **otherwise)


def test_a_registered_operator_can_be_read_as_it_was_told(regulator: Actor) -> None:
    operator = operator_by_key(units.register_operator(regulator, TOLD).key)
    assert (operator.name, operator.credit_code) == (TOLD.name, TOLD.credit_code)
    assert operator.service_phone == "0571-00000001"
    assert [each.id for each in operators(regulator)] == [operator.id]


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"name": " "}, WordsMissing),
        ({"credit_code": "91330100XX0000000A"}, CreditCodeWrong),
        ({"service_phone": "打这个"}, PhoneWrong),
    ],
    ids=["name", "code", "phone"],
)
def test_an_operator_that_lacks_something_is_refused_and_leaves_nothing_behind(
    regulator: Actor, told: dict[str, str], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        units.register_operator(regulator, replace(TOLD, **told))
    assert operators(regulator) == []


@pytest.mark.parametrize("same", ["name", "credit_code"])
def test_no_two_operators_share_a_name_or_a_code(regulator: Actor, same: str) -> None:
    first = registered_operator()
    with pytest.raises(units.OperatorKnown):
        units.register_operator(regulator, replace(TOLD, **{same: getattr(first, same)}))


def test_a_correction_of_an_operator_stays_readable(regulator: Actor) -> None:
    operator = registered_operator()
    units.correct_operator(regulator, operator.key, told_of(operator, service_phone="0571-11111111"), "更换服务电话")
    (change,) = changes(operator_id=operator.id)
    assert (change.before, change.after) == ({"service_phone": "0571-00000000"}, {"service_phone": "0571-11111111"})
    assert (change.reason, change.changed_by) == ("更换服务电话", regulator.account_id)
    assert operator_by_key(operator.key).service_phone == "0571-11111111"


def test_a_correction_of_an_operator_needs_a_reason_and_changes_something(regulator: Actor) -> None:
    operator, other = registered_operator(), registered_operator()
    with pytest.raises(WordsMissing):
        units.correct_operator(regulator, operator.key, told_of(operator, name="示例新名"), "")
    with pytest.raises(units.NothingChanges):
        units.correct_operator(regulator, operator.key, told_of(operator), "没有变化")
    with pytest.raises(units.OperatorKnown):
        units.correct_operator(regulator, operator.key, told_of(operator, name=other.name), "更名")
    with pytest.raises(NotFound):
        units.correct_operator(regulator, staff_key(), told_of(operator, name="示例新名"), "更名")


def staff_key() -> Any:
    """A key, but no operator's."""
    return type(registered_operator().key)(int=1)


def test_operators_do_not_enter_themselves(database: Addresses) -> None:
    with pytest.raises(NotPermitted):
        units.register_operator(staff("operator", operator_id=registered_operator().id), TOLD)
