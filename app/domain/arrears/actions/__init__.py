"""Owing, chasing, pausing, and the bases to pay later; one file for each verb."""

from app.domain.arrears.actions.chase import chase
from app.domain.arrears.actions.defer import approve_deferral, end_deferral, record_deferral
from app.domain.arrears.actions.owe import owe
from app.domain.arrears.actions.pause import pause, resume

__all__ = ["approve_deferral", "chase", "end_deferral", "owe", "pause", "record_deferral", "resume"]
