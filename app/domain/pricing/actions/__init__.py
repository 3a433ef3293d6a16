"""What people and jobs do about prices: references, sets, the rule, and a lot's price from draft to publication."""

from app.domain.pricing.actions.cap_rules import UnknownCapRule, set_cap_rule
from app.domain.pricing.actions.draft import NewTariff, PriceInTheMaking, draft_price, withdraw_price
from app.domain.pricing.actions.free import BasisMissing, charge_again, free
from app.domain.pricing.actions.prove import (
    PriceAboveCap,
    ProofOvertaken,
    ReferencesMissing,
    prove_outdated,
    prove_price,
)
from app.domain.pricing.actions.publish import (
    HoldsFromThePast,
    NothingUnbounded,
    NoticeTooShort,
    OwnPrice,
    ProofOutdated,
    StaysUnbounded,
    publish_price,
)
from app.domain.pricing.actions.register import (
    NothingToCorrect,
    OwnReference,
    ReferenceInTheMaking,
    ReferenceNameTaken,
    WhyMissing,
    approve_reference,
    change_reference,
    correct_reference,
    decline_reference,
    propose_reference,
    propose_references_told,
)
from app.domain.pricing.actions.sets import (
    NothingAround,
    OwnSet,
    SetInTheMaking,
    approve_references,
    decline_references,
    propose_references,
)
from app.domain.pricing.actions.tariffs import TariffNameTaken, TariffUnnamed, enter_tariff, store_tariff
from app.domain.pricing.rules.references import NewReference, ReferenceWrong

__all__ = [
    "BasisMissing",
    "HoldsFromThePast",
    "NewReference",
    "NewTariff",
    "NothingAround",
    "NothingToCorrect",
    "NothingUnbounded",
    "NoticeTooShort",
    "OwnPrice",
    "OwnReference",
    "OwnSet",
    "PriceAboveCap",
    "PriceInTheMaking",
    "ProofOutdated",
    "ProofOvertaken",
    "ReferenceInTheMaking",
    "ReferenceNameTaken",
    "ReferenceWrong",
    "ReferencesMissing",
    "SetInTheMaking",
    "StaysUnbounded",
    "TariffNameTaken",
    "TariffUnnamed",
    "UnknownCapRule",
    "WhyMissing",
    "approve_reference",
    "approve_references",
    "change_reference",
    "charge_again",
    "correct_reference",
    "decline_reference",
    "decline_references",
    "draft_price",
    "enter_tariff",
    "free",
    "propose_reference",
    "propose_references",
    "propose_references_told",
    "prove_outdated",
    "prove_price",
    "publish_price",
    "set_cap_rule",
    "store_tariff",
    "withdraw_price",
]
