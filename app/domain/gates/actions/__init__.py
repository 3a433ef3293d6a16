"""What people, jobs and the gates themselves can do; one file for each kind of deed."""

from app.domain.gates.actions.alarms import watch_readiness
from app.domain.gates.actions.commands import forget_overdue_commands, hand_out, issue, settle
from app.domain.gates.actions.decisions import Given, answer, decide_once
from app.domain.gates.actions.devices import add_key, install_gate, retire_key, set_enabled
from app.domain.gates.actions.events import (
    Arrival,
    Receipt,
    Recording,
    admit_telling,
    as_arrival,
    note_unreadable,
    receive,
    record,
    record_arrival,
)
from app.domain.gates.actions.forget import forget_cars
from app.domain.gates.actions.lists import acknowledge, forget_old_lists, pull, refresh_lot, refresh_whitelist
from app.domain.gates.actions.messages import Caller, admit, forget_old_nonces, recognise
from app.domain.gates.actions.park_systems import hurry
from app.domain.gates.actions.pulses import Beat, Standing, beat
from app.domain.gates.actions.sightings import (
    UNVERIFIED,
    Sighting,
    aged,
    note_contact,
    note_count,
    note_opening,
    note_passing,
    note_remote_opening,
    note_replay,
    note_sighting,
)
from app.domain.gates.actions.vendor_lists import (
    PARK_SYSTEMS,
    ask_due,
    forget_held,
    next_step,
    take_part,
    take_refusal,
    take_whole,
)
from app.domain.gates.actions.vendors import (
    NewSecret,
    NewVendorGate,
    VendorCaller,
    recognise_vendor,
    register_vendor_gate,
    rotate_secret,
    switch_gate,
)

__all__ = [
    "PARK_SYSTEMS",
    "UNVERIFIED",
    "Arrival",
    "Beat",
    "Caller",
    "Given",
    "NewSecret",
    "NewVendorGate",
    "Receipt",
    "Recording",
    "Sighting",
    "Standing",
    "VendorCaller",
    "acknowledge",
    "add_key",
    "admit",
    "admit_telling",
    "aged",
    "answer",
    "as_arrival",
    "ask_due",
    "beat",
    "decide_once",
    "forget_cars",
    "forget_held",
    "forget_old_lists",
    "forget_old_nonces",
    "forget_overdue_commands",
    "hand_out",
    "hurry",
    "install_gate",
    "issue",
    "next_step",
    "note_contact",
    "note_count",
    "note_opening",
    "note_passing",
    "note_remote_opening",
    "note_replay",
    "note_sighting",
    "note_unreadable",
    "pull",
    "receive",
    "recognise",
    "recognise_vendor",
    "record",
    "record_arrival",
    "refresh_lot",
    "refresh_whitelist",
    "register_vendor_gate",
    "retire_key",
    "rotate_secret",
    "set_enabled",
    "settle",
    "switch_gate",
    "take_part",
    "take_refusal",
    "take_whole",
    "watch_readiness",
]
