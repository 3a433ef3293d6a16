"""What must never pass of remittance and settlement statements."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_BATCHES: Final = "tests/remittance/test_batches.py"
_BATCH_GUARDS: Final = "tests/remittance/test_guards.py"
_SETTLED: Final = "tests/remittance/test_settlements.py"
_CLAIMED: Final = "tests/remittance/test_treasury_refunds.py"

BUGS: Final[Sequence[Bug]] = [
    Bug(
        "constraint dropped: a posting is remitted in two batches",
        "migrations/versions/0046_remittance.py",
        '"a_posting_is_remitted_once", "remittance_line", ["posting_id"], unique=True,',
        '"a_posting_is_remitted_once", "remittance_line", ["posting_id"],',
        [_BATCH_GUARDS],
    ),
    Bug(
        "netted: WeChat's fee is taken out of the treasury's money",
        "migrations/versions/0062_corrections.py",
        "AND account.code = 'due_to_treasury'\n            WHERE journal.payee_id = a_payee",
        "AND account.code IN ('due_to_treasury', 'wx_fee')\n            WHERE journal.payee_id = a_payee",
        [_BATCHES],
    ),
    Bug(
        "remitted unseen: a day that nobody signed off is paid in",
        "migrations/versions/0052_any_signed_off_day.py",
        "ELSIF NOT coalesce(NEW.days <@ signed_off_days(NEW.payee_id), false) THEN",
        "ELSIF signed_off_days(NEW.payee_id) IS NULL THEN",
        [_BATCH_GUARDS],
    ),
    Bug(
        "held back: what is due may be left out of a batch",
        "migrations/versions/0052_any_signed_off_day.py",
        "SELECT FROM due_on(NEW.payee_id, asked) due",
        "SELECT FROM due_on(NEW.payee_id, '{}') due",
        [_BATCH_GUARDS],
    ),
    Bug(
        "own batch: the maker approves by hand",
        "migrations/versions/0066_left_and_refused.py",
        "NOT {_one_of(*DECIDED, *dead)} OR by <> made_by",
        "NOT {_one_of(*DECIDED, *dead)} OR by <> ''",
        [_BATCH_GUARDS],
    ),
    Bug(
        "held back: one day that nobody signed off keeps the later ones",
        "migrations/versions/0052_any_signed_off_day.py",
        "            SELECT signed_off_days(a_payee)\n",
        "            SELECT signed_off_days(a_payee)"
        " * datemultirange(daterange(NULL, signed_off_through(a_payee), '(]'))\n",
        [_BATCHES],
    ),
    Bug(
        "bounced away: what the bank gave back is not due again",
        "migrations/versions/0066_left_and_refused.py",
        '_alive(f"NOT {_one_of(*DEAD, *dead)}")',
        '_alive(f"NOT {_one_of(*DEAD[:-1], *dead)}")',
        [_BATCHES],
    ),
    Bug(
        "due twice: what the bank gave back is due, and its journal too",
        "migrations/versions/0062_corrections.py",
        "{kind} NOT IN ('remittance', 'remittance_bounce')",
        "{kind} NOT IN ('remittance')",
        [_BATCHES],
    ),
    Bug(
        "due for nothing: what mends a remittance that never was is due",
        "migrations/versions/0062_corrections.py",
        "    _due(COUNTED)\n",
        '    _due("journal.kind")\n',
        [_BATCHES],
    ),
    Bug(
        "bounced unposted: the books do not know that the bank gave a batch back",
        "payments/remittance/actions/bounce.py",
        """        post("remittance_bounce", reference_of(batch), batch.payee_id, now, bounced_lines(batch.amount_fen))
""",
        "",
        [_BATCHES],
    ),
    Bug(
        "back before it left: the bank gives a batch back before it was sent",
        "migrations/versions/0056_brought_by_hand.py",
        "<= NEW.returned_on",
        "<> NEW.returned_on + 100000",
        [_BATCH_GUARDS],
    ),
    Bug(
        "bounced on a word: a batch comes back without the bank's paper",
        "migrations/versions/0066_left_and_refused.py",
        "broken := 'a_bounced_batch_has_its_paper_and_is_in_the_books';",
        "broken := NULL;",
        [_BATCH_GUARDS],
    ),
    Bug(
        "refused on a word: a batch is due again without the treasury's paper",
        "migrations/versions/0066_left_and_refused.py",
        "broken := 'a_refused_batch_has_its_paper';",
        "broken := NULL;",
        [_BATCH_GUARDS],
    ),
    Bug(
        "taken for received: that the bank paid it out is proof enough",
        "migrations/versions/0066_left_and_refused.py",
        '_moved(" AND number IS NOT NULL", LEFT)',
        '_moved("", LEFT)',
        [_BATCH_GUARDS],
    ),
    Bug(
        "taken for gone: the bank's line names the document with another sum",
        "payments/remittance/actions/leave.py",
        "if len(lines) > 1 or lines[0].amount_fen != -batch.amount_fen:",
        "if len(lines) > 1:",
        [_BATCHES],
    ),
    Bug(
        "wrong way: what the treasury has goes back through WeChat",
        "payments/refunds/queries.py",
        "return BY_TREASURY if current().scalar(batch) in BOUND else CHANNEL",
        "return CHANNEL",
        [_CLAIMED],
    ),
    Bug(
        "blind: the database lets a refund go either way",
        "migrations/versions/0066_left_and_refused.py",
        "IF (NEW.way = 'treasury') <> coalesce(standing",
        "IF NEW.way IS NULL AND (NEW.way = 'treasury') <> coalesce(standing",
        [_CLAIMED],
    ),
    Bug(
        "alone: one person lets a claim on the treasury go",
        "payments/refunds/actions/ask.py",
        "payment.refund_reserved_fen, 0) if payee.regime == SOE else 0",
        "payment.refund_reserved_fen, 0)",
        [_CLAIMED],
    ),
    Bug(
        "paid by the wrong one: what the treasury paid is posted against WeChat",
        "payments/refunds/rules.py",
        'return [debit("refund_payable", fen), credit("treasury_refund_claim", fen)]',
        'return [debit("refund_payable", fen), credit("wx_receivable", fen)]',
        [_CLAIMED],
    ),
    Bug(
        "invented: a settlement statement says other figures than the books",
        "migrations/versions/0070_their_own_days.py",
        "broken := 'a_settlement_says_what_the_books_say';",
        "broken := NULL;",
        [_SETTLED],
    ),
    Bug(
        "rewritten: an issued settlement statement changes",
        "migrations/versions/0049_settlement_statements.py",
        "IF TG_OP = 'UPDATE' AND OLD.state = 'draft'\n",
        "IF TG_OP = 'UPDATE'\n",
        [_SETTLED],
    ),
]
