"""What must never pass of journals, corrections and revenue by unit."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_REVENUE: Final = "tests/finance/test_revenue.py"
_FEES: Final = "tests/service_fees/test_statements.py"
_SUSPENSE: Final = "tests/payments/test_suspense.py"
_DAYS: Final = "tests/finance/test_days.py"
_CORRECTIONS: Final = "tests/finance/test_corrections.py"

_BOOKED: Final = [
    Bug(
        "unexplained: a journal of a kind that no event posts is not looked at",
        "payments/parity/queries/compared.py",
        "FROM journal LEFT JOIN mended USING (id) WHERE posted_on >= :since\n",
        "FROM journal LEFT JOIN mended USING (id) WHERE posted_on >= :since AND journal.kind <> 'gift'\n",
        [_DAYS],
    ),
    Bug(
        "fee untold: the books need not know what WeChat kept of a signed day",
        "payments/parity/queries/signed_days.py",
        'Source({"signed": _SIGNED}, [_FEES, _SETTLEMENTS])',
        'Source({"signed": _SIGNED}, [_SETTLEMENTS])',
        [_SUSPENSE],
    ),
    Bug(
        "taken for wrong: a settlement that WeChat told of is corrected away",
        "payments/parity/queries/signed_days.py",
        "WHERE family = 'settlement'\n",
        "WHERE family = 'nothing'\n",
        [_SUSPENSE],
    ),
    Bug(
        "let go by half: what was let go is taken back, what was posted in its place stands",
        "payments/ledger/queries.py",
        "or_(Journal.id.in_([each.id for each in own]), (Journal.kind == CORRECTION) & mended),",
        "Journal.id.in_([each.id for each in own]),",
        [_CORRECTIONS, _SUSPENSE],
    ),
    Bug(
        "corrected otherwise: what is posted instead says other fen than two persons agreed on",
        "migrations/versions/0062_corrections.py",
        "AND correction.instead = (",
        "AND '{}'::jsonb <@ correction.instead AND EXISTS (",
        [_CORRECTIONS],
    ),
    Bug(
        "corrected alone: who says that a journal is wrong reverses it",
        "migrations/versions/0062_corrections.py",
        'sa.CheckConstraint("decided_by <> made_by", name="a_correction_is_decided_by_another_person"),',
        'sa.CheckConstraint("decided_by <> \'\'", name="a_correction_is_decided_by_another_person"),',
        [_CORRECTIONS],
    ),
    Bug(
        "agreed and left: a correction that two persons agreed on is not in the books",
        "migrations/versions/0062_corrections.py",
        "WHERE kind = 'reversal' AND reverses_id = NEW.journal_id",
        "WHERE id = NEW.journal_id",
        [_CORRECTIONS],
    ),
    Bug(
        "half corrected: what is wrong is reversed, and what happened stands nowhere",
        "payments/parity/actions.py",
        "if right is not None:",
        "if right is None:",
        [_CORRECTIONS],
    ),
]

_BY_UNIT: Final = [
    Bug(
        "paid in a report: what was posted wrongly stays in what is kept of its day",
        "migrations/versions/0062_corrections.py",
        "    _derived(COUNTED)\n",
        '    _derived("journal.kind")\n',
        [_REVENUE],
    ),
    Bug(
        "closed, not kept yet: of the last closed day nothing is told by unit",
        "app/domain/finance/queries/takings.py",
        "SELECT coalesce(max(day), '-infinity') AS through FROM unit_turnover_day",
        "SELECT coalesce(max(day), '-infinity') AS through FROM accounting_day",
        [_REVENUE],
    ),
    Bug(
        "one's for another's: of an order for stays at two units each has the whole",
        "migrations/versions/0074_units_turnover.py",
        "coalesce(part.paid_fen, abs(posting.amount_fen))",
        "coalesce(abs(posting.amount_fen), part.paid_fen)",
        [_REVENUE],
    ),
    Bug(
        "not taken out: what units brought stands in the line of all of them as well",
        "app/domain/finance/queries/takings.py",
        "SELECT day, payee_id, NULL, code, kind, -debit_fen, -credit_fen FROM part",
        "SELECT day, payee_id, NULL, code, kind, -debit_fen, -credit_fen FROM part WHERE false",
        [_REVENUE],
    ),
]

BUGS: Final[Sequence[Bug]] = [
    *_BOOKED,
    *_BY_UNIT,
]
