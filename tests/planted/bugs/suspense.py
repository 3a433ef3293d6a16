"""What must never pass of suspense and strays."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_SUSPENSE: Final = "tests/payments/test_suspense.py"
_SHEETS: Final = "tests/reconciliation/test_sheets.py"
_MONEY_LOG: Final = "tests/house/test_money_log.py"
_NEWS: Final = "tests/receipts/test_news.py"
_STRAYS: Final = "tests/payments/test_strays.py"

_CLEARED: Final = [
    Bug(
        "constraint dropped: what stands in suspense is in two clearings",
        "migrations/versions/0045_suspense.py",
        '"suspense_clearing_line", ["difference_id"], unique=True, postgresql_where=live',
        '"suspense_clearing_line", ["difference_id"], postgresql_where=live',
        [_SUSPENSE],
    ),
    Bug(
        "cleared unposted: suspense is left without its reversal",
        "payments/reconciliation/actions/clear.py",
        "    take_back(difference_reference(held), clock.now())\n",
        "",
        [_SUSPENSE],
    ),
    Bug(
        "cleared early: a day that a bill may still explain is cleared",
        "payments/reconciliation/actions/clear.py",
        "if any(sign_off(each.channel_id, each.day) is None for each in held):",
        "if all(sign_off(each.channel_id, each.day) is None for each in held) and len(held) > 2:",
        [_SUSPENSE],
    ),
    Bug(
        "suspense forgotten: a second payment that waits for its refund is not listed",
        "payments/reconciliation/queries/suspense.py",
        "Payment.surplus, Payment.paid_fen > Payment.refund_reserved_fen",
        "Payment.surplus, Payment.paid_fen < Payment.refund_reserved_fen",
        ["tests/payments/test_notice.py"],
    ),
    Bug(
        "sheet of the moment: the anchor on it is the newest block's, not its signature's",
        "app/domain/audit/queries.py",
        "of_block.where(AuditBlock.from_xid <= xid, AuditBlock.below_xid > xid)",
        "of_block.order_by(AuditBlock.block_no.desc()).limit(1)",
        [_SHEETS],
    ),
    Bug(
        "owner untold: who is made responsible for a difference is not in the log",
        "migrations/versions/0044_money_log.py",
        """    change_written_down("difference", "owner", *TOLD["difference"])
""",
        "",
        [_MONEY_LOG, "tests/audit/test_money.py"],
    ),
    Bug(
        "news lost: who paid never hears that the receipt is there",
        "payments/receipts/actions/issue.py",
        """    note_news(receipt)
    if receipt.colour == RED:
""",
        """    if receipt.colour == RED:
""",
        [_NEWS],
    ),
]

_PLACED: Final = [
    Bug(
        "placed anyway: a charge that was paid meanwhile takes a stray payment too",
        "payments/reconciliation/actions/place.py",
        "!= ANSWERED[found.way]:",
        'not in {*ANSWERED.values(), "paid_twice"}:',
        [_STRAYS],
    ),
    Bug(
        "goes-back-again: what WeChat gave back on its own site pays a charge, or goes back a second time",
        "payments/reconciliation/actions/place.py",
        "if seen.trade_state == GIVEN_BACK_AT_WECHAT:",
        "if not seen.trade_state:",
        [_STRAYS],
    ),
    Bug(
        "retired-takes-all: where a stray waits for a decision an order goes through a merchant that has retired",
        "migrations/versions/0067_strays.py",
        "WHERE asked.state = 'accepted' AND stray.channel_id",
        "WHERE stray.channel_id",
        [_STRAYS],
    ),
    Bug(
        "tried-for-ever: what the database refuses of a stray is tried again every two minutes, and nobody hears of it",
        "payments/reconciliation/actions/place.py",
        '_give_up(placement_id, violated(error) or "refused_by_the_database")',
        "raise error",
        [_STRAYS],
    ),
    Bug(
        "placed alone: who says where a stray payment goes decides it",
        "migrations/versions/0067_strays.py",
        'sa.CheckConstraint("decided_by <> made_by", name="a_placement_is_decided_by_another_person"),',
        'sa.CheckConstraint("decided_by <> \'\'", name="a_placement_is_decided_by_another_person"),',
        [_STRAYS],
    ),
    Bug(
        "placed on paper: a stray is placed and no payment of its charge is it",
        "migrations/versions/0067_strays.py",
        """ JOIN payment ON payment.transaction_id = stray.subject
                WHERE stray.id = NEW.difference_id AND stray.state = 'gone' AND payment.charge_id = NEW.charge_id
                  AND payment.channel_id = stray.channel_id AND NOT payment.surplus
""",
        """
                WHERE stray.id = NEW.difference_id
""",
        [_STRAYS],
    ),
    Bug(
        "nobody's: a second payment in suspense has no owner",
        "payments/reconciliation/queries/suspense.py",
        "owner or office(district), each.learned_at",
        'owner or "", each.learned_at',
        ["tests/payments/test_notice.py"],
    ),
    Bug(
        "placed and suspended: a stray that was placed stands in suspense as well",
        "payments/reconciliation/actions/place.py",
        """    let_vanish(stray, CAUSE)
    PLACEMENT""",
        """    PLACEMENT""",
        [_STRAYS],
    ),
]

BUGS: Final[Sequence[Bug]] = [
    *_CLEARED,
    *_PLACED,
]
