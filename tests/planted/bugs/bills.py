"""What must never pass of bills, and of their originals."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_READING: Final = "tests/payments/test_bill_reading.py"
_ORIGINALS: Final = "tests/payments/test_bill_originals.py"
_BY_HAND: Final = "tests/payments/test_bill_by_hand.py"
_RECON: Final = "tests/payments/test_reconcile.py"

_RECONCILED: Final = [
    Bug(
        "decimals dropped: a third decimal of a sum is cut off",
        "payments/bills/rules/reading.py",
        """    if (part or "")[_FEN_DIGITS:].strip("0"):
        raise BillRefused("too_many_decimals")
""",
        "",
        [_READING],
    ),
    Bug(
        "hash believed: a bill's text is not compared with what WeChat signed",
        "payments/bills/rules/unpacking.py",
        "if digest.hexdigest() != self._sha1:",
        "if not digest.digest_size:",
        [_READING],
    ),
    Bug(
        "summary believed: a bill's totals are not those of its lines",
        "payments/bills/rules/reading.py",
        "if name in sums and fen(told) != sums[name]:",
        "if name in sums and fen(told) is None:",
        [_READING],
    ),
    Bug(
        "forgotten too soon: a retired sub-merchant owes no bills while its payments may still go back",
        "migrations/versions/0069_last_bills.py",
        "::date + 365 FROM payment",
        "::date + 1 FROM payment",
        ["tests/payments/test_last_bills.py"],
    ),
    Bug(
        "loaded twice: two that bring a bill side by side make two versions of it, and a case",
        "payments/bills/actions/load.py",
        "if is_known(day.id, hashes):",
        "if is_known(0, hashes):",
        ["tests/payments/test_bill_fetch.py"],
    ),
    Bug(
        "compared from memory: a difference rests before its day was compared, and who dies between loses that",
        "payments/reconciliation/actions/follow.py",
        """    reconcile(looks[0].channel_id, looks[0].day)
    for each in looks:
        _note(each.difference_id, each.said)
""",
        """    for each in looks:
        _note(each.difference_id, each.said)
    reconcile(looks[0].channel_id, looks[0].day)
""",
        ["tests/payments/test_follow.py"],
    ),
    Bug(
        "lines added later: a bill that is written takes further ones",
        "migrations/versions/0035_bills.py",
        "    _written_at_once()\n    _counted()",
        "    op.execute('CREATE FUNCTION a_bill_is_written_at_once() RETURNS int LANGUAGE sql AS $$SELECT 1$$')\n"
        "    _counted()",
        ["tests/payments/test_bill_fetch.py"],
    ),
    Bug(
        "sums not compared: a line and a payment of other sums match",
        "payments/reconciliation/actions/matching.py",
        "theirs.fen = ours.fen AND theirs.status",
        "theirs.fen IS NOT NULL AND ours.fen IS NOT NULL AND theirs.status",
        [_RECON],
    ),
    Bug(
        "wrong merchant unseen: a payment in another merchant's bill is merely missing",
        "payments/reconciliation/actions/matching.py",
        "CASE WHEN known_channel <> :channel THEN 'channel_mismatch'",
        "CASE WHEN known_channel IS NULL AND has_sibling THEN 'channel_mismatch'",
        [_RECON],
    ),
    Bug(
        "suspense kept: a difference that is gone leaves its money in suspense",
        "payments/reconciliation/actions/match.py",
        "    if was_suspended:",
        "    if was_suspended and found.owner is None:",
        [_RECON],
    ),
    Bug(
        "one person enough: a day may be signed off by who proposed it",
        "migrations/versions/0041_reconciliation.py",
        'sa.CheckConstraint("signed_by <> made_by", name="a_day_is_signed_off_by_another_person")',
        'sa.CheckConstraint("signed_by <> \'\'", name="a_day_is_signed_off_by_another_person")',
        [_RECON],
    ),
    Bug(
        "brought and signed: who brought a bill signs its day off",
        "migrations/versions/0056_brought_by_hand.py",
        "brought_by = NEW.signed_by",
        "brought_by = ''",
        [_BY_HAND],
    ),
    Bug(
        "word replaced: a person brings a bill that WeChat gave",
        "migrations/versions/0056_brought_by_hand.py",
        "broken := 'what_wechat_gave_is_not_brought';",
        "broken := NULL;",
        [_BY_HAND],
    ),
    Bug(
        "closed day open: a day that is signed off takes another bill",
        "migrations/versions/0041_reconciliation.py",
        """    for table in ("bill_file", "recon_run", "difference"):""",
        """    for table in ("recon_run", "difference"):""",
        [_RECON],
    ),
]

_ORIGINAL: Final = [
    Bug(
        "original in the clear: whoever has a dump reads who paid",
        "app/kernel/crypto.py",
        "    return _keys().seal(plaintext, where)\n",
        "    return plaintext\n",
        [_ORIGINALS],
    ),
    Bug(
        "original not proven: what was changed behind our back is handed to an auditor as WeChat's",
        "payments/bills/queries.py",
        "for piece in Inflated(_pieces(bill.id, part), sha1):",
        "for piece in _pieces(bill.id, part):",
        [_ORIGINALS],
    ),
    Bug(
        "constraint dropped: an original goes before its term is over",
        "migrations/versions/0054_bill_originals.py",
        '"erased_at >= kept_until"',
        '"erased_at IS NULL OR erased_at IS NOT NULL"',
        [_ORIGINALS, "tests/house/test_migrations.py"],
    ),
]

BUGS: Final[Sequence[Bug]] = [
    *_RECONCILED,
    *_ORIGINAL,
]
