"""What people, jobs and the gates themselves can do; one file for each kind of deed."""

from app.domain.gates.actions.commands import forget_overdue_commands, hand_out, issue, settle
from app.domain.gates.actions.decisions import Given, decide_once
from app.domain.gates.actions.devices import add_key, install_gate, retire_key, set_enabled
from app.domain.gates.actions.events import Recording, record, record_arrival
from app.domain.gates.actions.lists import acknowledge, forget_old_lists, pull, refresh_lot, refresh_whitelist
from app.domain.gates.actions.messages import Caller, admit, forget_old_nonces, recognise
from app.domain.gates.actions.pulses import Beat, Standing, beat

__all__ = [
    "Beat",
    "Caller",
    "Given",
    "Recording",
    "Standing",
    "acknowledge",
    "add_key",
    "admit",
    "beat",
    "decide_once",
    "forget_old_lists",
    "forget_old_nonces",
    "forget_overdue_commands",
    "hand_out",
    "install_gate",
    "issue",
    "pull",
    "recognise",
    "record",
    "record_arrival",
    "refresh_lot",
    "refresh_whitelist",
    "retire_key",
    "set_enabled",
    "settle",
]
