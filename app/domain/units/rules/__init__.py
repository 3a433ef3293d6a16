"""What may stand in the register of units, and what an agreement must say."""

from app.domain.units.rules.agreements import AgreementIncomplete, Terms
from app.domain.units.rules.credit_codes import CreditCodeWrong, good_credit_code, sample_credit_code
from app.domain.units.rules.entries import (
    SERVICE_PHONE,
    AuthorityDoesNotFit,
    NewOperator,
    NewUnit,
    NoSuchDistrict,
    NoSuchGround,
    NoSuchKind,
    OfficeHoursMakeNoSense,
    PhoneWrong,
    WordsMissing,
    check_hours,
    fitting_authority,
    good_phone,
    said,
    usual_authority,
)
from app.domain.units.rules.words import AUTHORITIES, CITY, DISTRICTS, GROUNDS, KINDS, LEVELS

__all__ = [
    "AUTHORITIES",
    "CITY",
    "DISTRICTS",
    "GROUNDS",
    "KINDS",
    "LEVELS",
    "SERVICE_PHONE",
    "AgreementIncomplete",
    "AuthorityDoesNotFit",
    "CreditCodeWrong",
    "NewOperator",
    "NewUnit",
    "NoSuchDistrict",
    "NoSuchGround",
    "NoSuchKind",
    "OfficeHoursMakeNoSense",
    "PhoneWrong",
    "Terms",
    "WordsMissing",
    "check_hours",
    "fitting_authority",
    "good_credit_code",
    "good_phone",
    "said",
    "sample_credit_code",
    "usual_authority",
]
