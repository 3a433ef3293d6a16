"""What must never pass of a payee's bank."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_BANK: Final = "tests/payments/test_bank.py"
_LINES: Final = "tests/remittance/test_bank_lines.py"

BUGS: Final[Sequence[Bug]] = [
    Bug(
        "two things at once: a bank line is a settlement and a fee that the unit bore",
        "migrations/versions/0075_bank_lines.py",
        "IF {taken} THEN",
        "IF {taken} AND false THEN",
        [_LINES],
    ),
    Bug(
        "taken twice: a batch leaves by a line that two persons said is something else, and no statement comes in",
        "payments/remittance/actions/leave.py",
        "      AND {IS_FREE}\n",
        "",
        [_LINES],
    ),
    Bug(
        "borne on paper: a fee that the unit bore is agreed on and not posted",
        "migrations/versions/0075_bank_lines.py",
        "broken := 'a_borne_fee_is_in_the_books';",
        "broken := NULL;",
        [_LINES],
    ),
    Bug(
        "borne by any sum: the journal of a borne fee says another sum than the bank",
        "migrations/versions/0075_bank_lines.py",
        " AND posting.amount_fen = -NEW.amount_fen\n                JOIN account",
        "\n                JOIN account",
        [_LINES],
    ),
    Bug(
        "borne at once: two accept fees of a payee that were kept once",
        "payments/bank/actions/lines.py",
        """    current().get_one(Payee, found.payee_id, with_for_update={"key_share": True})
""",
        "",
        [_LINES],
    ),
    Bug(
        "borne by hand: the database lets more be borne than was kept",
        "migrations/versions/0075_bank_lines.py",
        "broken := 'no_more_is_borne_than_was_kept';",
        "broken := NULL;",
        [_LINES],
    ),
    Bug(
        "borne twice: a unit bears more than WeChat kept",
        "payments/bank/actions/lines.py",
        'found.amount_fen > balance(found.payee_id, "wx_fee"):',
        "found.amount_fen < 0:",
        [_LINES],
    ),
    Bug(
        "balance believed: nobody looks whether the bank holds what the books say",
        "payments/bank/queries/lines.py",
        "        return self.closing_fen - told",
        "        return told - told",
        [_LINES],
    ),
    Bug(
        "any account: whoever has a statement of some account proves a payment with it",
        "payments/bank/actions/statements.py",
        " or account not in accounts_of(payee_id, first):",
        " or account in accounts_of(0, first):",
        [_BANK],
    ),
    Bug(
        "on one's own word: who records an account confirms it",
        "migrations/versions/0072_accounts.py",
        'sa.CheckConstraint("confirmed_by <> recorded_by", name="an_account_is_confirmed_by_another_person"),',
        'sa.CheckConstraint("confirmed_by <> \'\'", name="an_account_is_confirmed_by_another_person"),',
        [_BANK],
    ),
]
