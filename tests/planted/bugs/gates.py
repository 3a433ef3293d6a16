"""What must never pass of gates: lists, events, asking."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_LISTS: Final = "tests/gates/test_whitelist.py"
_EVENTS: Final = "tests/gates/test_events.py"
_VENDORS: Final = "tests/gates/test_vendor_contract.py"

_LISTED: Final = [
    Bug(
        "acknowledgement ignored: a list counts as held when it was sent",
        "app/domain/gates/queries/readiness.py",
        "WhitelistRow.added_version <= GateList.acked_version",
        "WhitelistRow.added_version <= GateList.sent_version",
        ["tests/gates/test_readiness.py"],
    ),
    Bug(
        "acknowledgement believed: whatever digest a gate tells is right",
        "app/domain/gates/actions/lists.py",
        "right = version <= gate_list.sent_version and sha256 == _digest_of(device_id, version)",
        "right = version <= gate_list.sent_version",
        [_LISTS],
    ),
    Bug(
        "acknowledgement believed: of what was never sent",
        "app/domain/gates/actions/lists.py",
        "right = version <= gate_list.sent_version and sha256 == _digest_of(device_id, version)",
        "right = sha256 == _digest_of(device_id, version)",
        [_LISTS],
    ),
    Bug(
        "acknowledgement overtaken: an old one takes back a newer one",
        "app/domain/gates/actions/lists.py",
        "gate_list.acked_version = max(gate_list.acked_version, version)",
        "gate_list.acked_version = version",
        [_LISTS],
    ),
]

_TOLD: Final = [
    Bug(
        "sequence not checked: a number is used for two events",
        "app/domain/gates/actions/events.py",
        'raise Unreadable("seq_reused")',
        "return numbered",
        [_EVENTS],
    ),
    Bug(
        "sequence not checked: a gap counts as told",
        "app/domain/gates/actions/events.py",
        "reports.contiguous(before.contiguous_seq, known | set(heard))",
        "max([before.contiguous_seq, *heard])",
        [_EVENTS],
    ),
    Bug(
        "asked twice at one instant: the second question fails",
        "app/domain/gates/actions/decisions.py",
        "except (_Rivalled, IntegrityError):",
        "except KeyError:",
        ["tests/stays/test_asked_twice.py"],
    ),
    Bug(
        "unsigned message believed: whoever knows the address is verified",
        "app/domain/gates/actions/events.py",
        "verified=receipt.verified,",
        "verified=True,",
        [_VENDORS],
    ),
]


BUGS: Final[Sequence[Bug]] = [*_LISTED, *_TOLD]
