"""Noting incidents, what follows from them, the rules, and appeals; one file for each verb."""

from app.domain.conduct.actions.appeal import appeal
from app.domain.conduct.actions.assess import assess, assess_forgotten
from app.domain.conduct.actions.carry import carry_on, forget_carried, sign_in
from app.domain.conduct.actions.decide import decide
from app.domain.conduct.actions.hear import hear
from app.domain.conduct.actions.note import note
from app.domain.conduct.actions.set_rule import set_rule

__all__ = [
    "appeal",
    "assess",
    "assess_forgotten",
    "carry_on",
    "decide",
    "forget_carried",
    "hear",
    "note",
    "set_rule",
    "sign_in",
]
