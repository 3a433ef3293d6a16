"""What people and jobs do with lots, and the only writers of the room's tables; one file for each kind of deed."""

from app.domain.lots.actions.approve import LotFallsShort, OwnSubmission, approve, send_back
from app.domain.lots.actions.bays import (
    NoSuchBay,
    PlanSharesMore,
    add_bays,
    change_bay,
    change_chargers,
    change_entrances,
    share_bays,
)
from app.domain.lots.actions.closures import announce, close_bays, close_lots, open_again
from app.domain.lots.actions.contacts import ContactWrong, NewContact, check_contacts, name_contacts
from app.domain.lots.actions.decide_plan import (
    BayHasClaims,
    HoldsFromThePast,
    NotWider,
    OwnPlan,
    PlanDoesNotMatch,
    approve_plan,
    return_plan,
    widen,
)
from app.domain.lots.actions.draft import BayKnown, LotKnown, MoreBaysThanThereAre, change, draft, enter
from app.domain.lots.actions.exclude import exclude
from app.domain.lots.actions.facilities import CheckWrong, Found, check_facilities
from app.domain.lots.actions.office_hours import change_office_hours
from app.domain.lots.actions.payees import (
    OwnPayeeProposal,
    PayeeNotOfThisUnit,
    PayeeNotThere,
    enter_payee,
    pay_to,
    propose_payee,
)
from app.domain.lots.actions.photos import add_photo, remove_photo
from app.domain.lots.actions.plan import (
    PlanInTheMaking,
    PlanUnfinished,
    ShorterNeedsReason,
    change_plan,
    draft_plan,
    enter_plan,
    submit_plan,
)
from app.domain.lots.actions.publish import publish
from app.domain.lots.actions.reminders import remind_of_checks
from app.domain.lots.actions.steps import ReasonMissing
from app.domain.lots.actions.submit import submit
from app.domain.lots.actions.suspend import reopen, suspend
from app.domain.lots.actions.windows import PromisesStand, extend_windows, rewrite_windows, write_windows
from app.domain.lots.actions.withdraw import withdraw
from app.domain.lots.rules.plans import NewPlan
from app.domain.lots.rules.telling import NewBay, NewEntrance, NewLot

__all__ = [
    "BayHasClaims",
    "BayKnown",
    "CheckWrong",
    "ContactWrong",
    "Found",
    "HoldsFromThePast",
    "LotFallsShort",
    "LotKnown",
    "MoreBaysThanThereAre",
    "NewBay",
    "NewContact",
    "NewEntrance",
    "NewLot",
    "NewPlan",
    "NoSuchBay",
    "NotWider",
    "OwnPayeeProposal",
    "OwnPlan",
    "OwnSubmission",
    "PayeeNotOfThisUnit",
    "PayeeNotThere",
    "PlanDoesNotMatch",
    "PlanInTheMaking",
    "PlanSharesMore",
    "PlanUnfinished",
    "PromisesStand",
    "ReasonMissing",
    "ShorterNeedsReason",
    "add_bays",
    "add_photo",
    "announce",
    "approve",
    "approve_plan",
    "change",
    "change_bay",
    "change_chargers",
    "change_entrances",
    "change_office_hours",
    "change_plan",
    "check_contacts",
    "check_facilities",
    "close_bays",
    "close_lots",
    "draft",
    "draft_plan",
    "enter",
    "enter_payee",
    "enter_plan",
    "exclude",
    "extend_windows",
    "name_contacts",
    "open_again",
    "pay_to",
    "propose_payee",
    "publish",
    "remind_of_checks",
    "remove_photo",
    "reopen",
    "return_plan",
    "rewrite_windows",
    "send_back",
    "share_bays",
    "submit",
    "submit_plan",
    "suspend",
    "widen",
    "withdraw",
    "write_windows",
]
