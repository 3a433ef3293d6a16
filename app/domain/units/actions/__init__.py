"""What people do with the register of units, operators and agreements, and the only writers of the room's tables."""

from app.domain.units.actions.agreements import (
    AgreementOver,
    BeginsInThePast,
    EndDoesNotFit,
    LotHasAnOperator,
    LotIsEntrusted,
    LotNotOfThisUnit,
    declare_self_operation,
    end_agreement,
    sign_agreement,
)
from app.domain.units.actions.districts import know_districts
from app.domain.units.actions.findings import AlreadyFound, AlreadyLifted, OwnFinding, find, lift_finding
from app.domain.units.actions.operators import OperatorKnown, correct_operator, enter_operator, register_operator
from app.domain.units.actions.register import (
    NothingChanges,
    UnitKnown,
    UnitPaysByItsKind,
    change_office_hours,
    correct,
    enter,
    lock,
    register,
)
from app.domain.units.actions.reminders import remind_of_endings

__all__ = [
    "AgreementOver",
    "AlreadyFound",
    "AlreadyLifted",
    "BeginsInThePast",
    "EndDoesNotFit",
    "LotHasAnOperator",
    "LotIsEntrusted",
    "LotNotOfThisUnit",
    "NothingChanges",
    "OperatorKnown",
    "OwnFinding",
    "UnitKnown",
    "UnitPaysByItsKind",
    "change_office_hours",
    "correct",
    "correct_operator",
    "declare_self_operation",
    "end_agreement",
    "enter",
    "enter_operator",
    "find",
    "know_districts",
    "lift_finding",
    "lock",
    "register",
    "register_operator",
    "remind_of_endings",
    "sign_agreement",
]
