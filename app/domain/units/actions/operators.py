"""Entering operators and changing what is told of them."""

import uuid
from dataclasses import asdict

from sqlalchemy import select

from app.domain.staff.rules import CITY, Actor, permit
from app.domain.units.actions.register import NothingChanges
from app.domain.units.models import Operator, RegisterChange
from app.domain.units.rules import NewOperator, said
from app.kernel import audit, clock
from app.kernel.db import refusing, transaction
from app.kernel.refusals import Conflict, NotFound


class OperatorKnown(Conflict):
    """Another operator has this name or this credit code."""

    code = "operator_known"
    message = "已有同名或同一统一社会信用代码的运营单位"


REFUSED_BY = {"uq_operator_name": OperatorKnown, "uq_operator_credit_code": OperatorKnown}


def register_operator(by: Actor, told: NewOperator) -> Operator:
    """Enter an operator (N3.2). Refuses `WordsMissing`, `CreditCodeWrong`, `PhoneWrong`, `OperatorKnown`."""
    with transaction():
        permit(by, "units.register_operator", CITY)
        return enter_operator(told, by.label)


def enter_operator(told: NewOperator, actor: str) -> Operator:
    """The same for those who asked for permission already: bulk import, the sample city."""
    with transaction():
        with refusing(REFUSED_BY) as session:
            operator = Operator(**asdict(told.checked()))
            session.add(operator)
        audit.record("units.register_operator", "operator", operator.id, actor)
        return operator


def correct_operator(by: Actor, operator_key: uuid.UUID, told: NewOperator, reason: str) -> RegisterChange:
    """Let the register say of an operator what is true; what it said before stays readable with the reason.

    Refuses `NotFound`, `NothingChanges`, and what `register_operator` refuses.
    """
    with transaction() as session:
        permit(by, "units.correct_operator", CITY)
        row = session.scalar(select(Operator).filter_by(key=operator_key).with_for_update(key_share=True))
        if row is None:
            raise NotFound
        why, fields = said(reason), asdict(told.checked())
        before = {name: getattr(row, name) for name in fields if getattr(row, name) != fields[name]}
        if not before:
            raise NothingChanges
        with refusing(REFUSED_BY):
            for name in before:
                setattr(row, name, fields[name])
        return _remember(by, row, before, why)


def _remember(by: Actor, row: Operator, before: dict[str, str | None], why: str) -> RegisterChange:
    with transaction() as session:
        change = RegisterChange(
            operator_id=row.id, before=before, after={name: getattr(row, name) for name in before}, reason=why,
            changed_by=by.account_id, changed_at=clock.now(),
        )  # fmt: skip
        session.add(change)
        session.flush()
        audit.record("units.correct_operator", "operator", row.id, by.label, {"change_id": change.id})
        return change
