"""What must never pass of receipts."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_RECEIPTS: Final = "tests/payments/test_receipts.py"
_LEASES: Final = "tests/payments/test_lease_invoices.py"

BUGS: Final[Sequence[Bug]] = [
    Bug(
        "another's item: old terms are confirmed under which nothing is paid in",
        "migrations/versions/0071_one_item.py",
        "BEFORE UPDATE OF confirmed_by ON receipt_terms",
        "BEFORE UPDATE OF note ON receipt_terms",
        [_RECEIPTS],
    ),
    Bug(
        "constraint dropped: a charge stands on two receipts",
        "migrations/versions/0043_receipts.py",
        '"receipt_line", ["charge_id"], unique=True, postgresql_where=live',
        '"receipt_line", ["charge_id"], postgresql_where=live',
        [_RECEIPTS],
    ),
    Bug(
        "sent blindly: after a lost answer the platform is not asked first",
        "payments/receipts/actions/issue.py",
        "    if asked_before:\n",
        "    if not asked_before:\n",
        [_RECEIPTS],
    ),
    Bug(
        "passed over: a platform issues what it had refused, and nobody hears of it",
        "payments/receipts/actions/issue.py",
        'elif receipt.state == "refused" and told.kind == "issued":',
        'elif receipt.state == "refused" and told.kind == "refused":',
        [_RECEIPTS],
    ),
    Bug(
        "refund forgotten: the receipt still says the whole sum",
        "payments/refunds/actions/learn.py",
        "    amend([refund.charge_id])\n",
        "",
        [_RECEIPTS],
    ),
    Bug(
        "sample taxed: a statement of VAT takes a rate for confirmed that is a sample",
        "app/domain/finance/queries/vat.py",
        "AND (:samples OR NOT sample)",
        "AND (:samples OR true)",
        ["tests/finance/test_vat.py"],
    ),
    Bug(
        "lease guessed: an enterprise's terms need not say what its invoices look like",
        "migrations/versions/0081_leases.py",
        "(regime = 'SOE') = (invoice_form IS NOT NULL)",
        "regime = 'SOE' OR invoice_form IS NULL",
        ["tests/payments/test_payees.py"],
    ),
    Bug(
        "lease merged: two stays stand on one invoice of lease",
        "payments/receipts/actions/plan.py",
        "    if terms.invoice_form == LEASE:\n",
        "    if terms.invoice_form == LEASE and len(requests) == 1:\n",
        [_LEASES],
    ),
    Bug(
        "lease lost: a lease is taken back as something else by hand",
        "migrations/versions/0081_leases.py",
        "WHERE id = coalesce(of_blue, looked_at)",
        "WHERE id = looked_at",
        [_LEASES],
    ),
    Bug(
        "rate guessed: terms that nobody confirmed count",
        "payments/payees/queries.py",
        ", ReceiptTerms.confirmed_by.is_not(None)",
        "",
        [_RECEIPTS],
    ),
]
