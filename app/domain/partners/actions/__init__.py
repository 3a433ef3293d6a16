"""What staff do about partners, and what partners' systems tell."""

from app.domain.partners.actions.counts import CountRecord, take_counts
from app.domain.partners.actions.messages import BadSignature, Caller, admit, forget_old_nonces, recognise
from app.domain.partners.actions.proposals import (
    Particulars,
    Proposed,
    accept_proposal,
    decline_proposal,
    propose,
)
from app.domain.partners.actions.records import Record, RefusalKind, note_refusal
from app.domain.partners.actions.register import NewKey, register, revoke, rotate_key
from app.domain.partners.actions.silence import note_silence
from app.domain.partners.actions.visits import ToldVisit, VisitRecord, take_visits

__all__ = [
    "BadSignature",
    "Caller",
    "CountRecord",
    "NewKey",
    "Particulars",
    "Proposed",
    "Record",
    "RefusalKind",
    "ToldVisit",
    "VisitRecord",
    "accept_proposal",
    "admit",
    "decline_proposal",
    "forget_old_nonces",
    "note_refusal",
    "note_silence",
    "propose",
    "recognise",
    "register",
    "revoke",
    "rotate_key",
    "take_counts",
    "take_visits",
]
