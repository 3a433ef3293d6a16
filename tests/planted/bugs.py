"""What the suite must never let pass: one line of the house each, spoilt as a tired person would spoil it."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_GUARD: Final = "tests/claims/test_guard.py"
_LISTS: Final = "tests/gates/test_whitelist.py"
_EVENTS: Final = "tests/gates/test_events.py"
_VENDORS: Final = "tests/gates/test_vendor_contract.py"
_REFUND: Final = "tests/payments/test_refund.py"
_REFUND_GUARD: Final = "tests/payments/test_refund_guard.py"
_REFUND_WORD: Final = "tests/payments/test_refund_word.py"

_CLAIMS: Final = [
    Bug(
        "constraint dropped: nothing forbids two live claims of one bay",
        "migrations/versions/0003_city.py",
        """        postgresql.ExcludeConstraint(
            (sa.column("bay_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("state IN ('held', 'confirmed', 'in_use')"),
            using="gist",
            name="a_bay_has_one_live_claim_at_a_time",
        ),
""",
        "",
        [_GUARD, "tests/reservations/test_extend.py"],
    ),
    Bug(
        "constraint dropped: nothing forbids two live claims of one plate",
        "migrations/versions/0003_city.py",
        """        postgresql.ExcludeConstraint(
            (sa.column("plate_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("exclusive_plate AND state IN ('held', 'confirmed', 'in_use')"),
            using="gist",
            name="a_plate_has_one_live_claim_at_a_time",
        ),
""",
        "",
        [_GUARD],
    ),
    Bug(
        "lock dropped: rivals for a bay do not queue at its row",
        "app/domain/claims/actions/take.py",
        """Bay.id).with_for_update(of=Bay, skip_locked=True)
_ANY_FREE_BAY: Final = _FREE_BAY.order_by(Bay.kind.desc(), func.random()).with_for_update(of=Bay)
""",
        """Bay.id)
_ANY_FREE_BAY: Final = _FREE_BAY.order_by(Bay.kind.desc(), func.random())
""",
        [_GUARD],
    ),
    Bug(
        "lock dropped: two claims for one plate do not queue",
        "app/domain/claims/actions/take.py",
        'NumberPlate.id == bindparam("plate_id")).with_for_update(key_share=True)',
        'NumberPlate.id == bindparam("plate_id"))',
        [_GUARD],
    ),
    Bug(
        "stale hold believed: an offer that is over still takes its bay",
        "app/domain/claims/queries.py",
        "BayClaim.during.overlaps(during), live(), not_(stale(now)))\n        .correlate_except(BayClaim)",
        "BayClaim.during.overlaps(during), live())\n        .correlate_except(BayClaim)",
        [_GUARD],
    ),
]

_LISTED: Final = [
    Bug(
        "acknowledgement ignored: a list counts as held when it was sent",
        "app/domain/gates/actions/lists.py",
        "return gate_list.acked_version == version and not gate_list.needs_snapshot",
        "return gate_list.sent_version == version",
        [_VENDORS, "tests/gates/test_readiness.py"],
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
        "continue",
        [_EVENTS],
    ),
    Bug(
        "sequence not checked: a gap counts as told",
        "app/domain/gates/actions/events.py",
        "reports.contiguous(pulse.contiguous_seq, heard)",
        "max([pulse.contiguous_seq, *heard])",
        [_EVENTS],
    ),
    Bug(
        "unsigned message believed: whoever knows the address is verified",
        "app/domain/gates/actions/events.py",
        "verified=receipt.verified,",
        "verified=True,",
        [_VENDORS],
    ),
]

_REFUNDED: Final = [
    Bug(
        "constraint dropped: a payment's refunds may sum to more than it keeps back for them",
        "migrations/versions/0029_refunds.py",
        """(("refund", "INSERT OR UPDATE OF state"), ("payment", "UPDATE OF refund_reserved_fen"))""",
        "()",
        [_REFUND_GUARD],
    ),
    Bug(
        "sum not looked at: more than was paid is promised back",
        "payments/refunds/actions/ask.py",
        "if wish.amount_fen > left:",
        "if wish.amount_fen > payment.paid_fen:",
        [_REFUND_GUARD, _REFUND],
    ),
    Bug(
        "unknown taken for failed: after a time-out the refund is given up, and another may be asked for",
        "payments/refunds/actions/send.py",
        'move(refund, "time_out", ANSWER)',
        'move(refund, "close", ANSWER)',
        [_REFUND_WORD],
    ),
    Bug(
        "notice believed: what WeChat says of another sum moves ours",
        "payments/refunds/actions/learn.py",
        "    if wrong:\n",
        "    if wrong and refund.refund_id is None:\n",
        [_REFUND_WORD],
    ),
    Bug(
        "promise kept: what WeChat closed can never be given back",
        "payments/refunds/actions/moves.py",
        "    payment.refund_reserved_fen -= refund.amount_fen\n",
        "",
        [_REFUND, _REFUND_WORD],
    ),
    Bug(
        "second person not needed: who asked for a refund approves it",
        "payments/refunds/actions/decide.py",
        "if refund.asked_by == by:",
        "if refund.asked_by == because:",
        [_REFUND],
    ),
    Bug(
        "earned anyway: what is promised back becomes the payee's as well",
        "payments/charges/actions/recognise.py",
        "charge.amount_fen - promised_back(charge.id)",
        "charge.amount_fen",
        [_REFUND],
    ),
]

BUGS: Final[Sequence[Bug]] = [*_CLAIMS, *_LISTED, *_TOLD, *_REFUNDED]
