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
_READING: Final = "tests/payments/test_bill_reading.py"
_RECON: Final = "tests/payments/test_reconcile.py"
_LIFE: Final = "tests/life/test_evening.py"
_HOLDS: Final = "tests/arrears/test_guards.py"
_DAYS: Final = "tests/finance/test_days.py"
_SEALS: Final = "tests/audit/test_sealing.py"
_ROUNDS: Final = "tests/regulars/test_rounds.py"

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
        'NumberPlate.id == bindparam("plate_id"))\n    .with_for_update(key_share=True)',
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
        "return numbered",
        [_EVENTS],
    ),
    Bug(
        "sequence not checked: a gap counts as told",
        "app/domain/gates/actions/events.py",
        "reports.contiguous(pulse.contiguous_seq, known | set(heard))",
        "max([pulse.contiguous_seq, *heard])",
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
        "payment.paid_fen - payment.refund_reserved_fen",
        "payment.paid_fen",
        [_REFUND],
    ),
]

_LIVED: Final = [
    Bug(
        "fuzzy match not unique: of two cars that come into question the first is taken",
        "app/domain/stays/rules/likeness.py",
        """    if len(ranked) > 1 and ranked[1][0] < ranked[0][0] + APART:
        return None
""",
        "",
        ["tests/stays/test_misread.py"],
    ),
    Bug(
        "fuzzy match too wide: any car that is the nearest is taken",
        "app/domain/stays/rules/likeness.py",
        "if not ranked or ranked[0][0] > NEAREST:",
        "if not ranked:",
        ["tests/stays/test_misread.py"],
    ),
    Bug(
        "passage repeated: a second reading of a car is a second entry",
        "app/domain/stays/rules/visits.py",
        "SAME_CAR: Final = timedelta(seconds=15)",
        "SAME_CAR: Final = timedelta(seconds=-1)",
        ["tests/stays/test_visit.py", "tests/stays/test_visits.py"],
    ),
    Bug(
        "event told twice: it is projected twice",
        "app/domain/stays/actions/project.py",
        "if affected(first.on_conflict_do_nothing()) == 0:",
        "if affected(first.on_conflict_do_nothing()) < 0:",
        ["tests/stays/test_visit.py", _LIFE],
    ),
    Bug(
        "promise forgotten: a car with a reservation waits for a free bay",
        "app/domain/stays/actions/decide.py",
        "    if told.is_promised:\n        return rules.WELCOME\n",
        "",
        ["tests/stays/test_visit.py", _LIFE],
    ),
    Bug(
        "grace forgotten: who has paid pays again at the barrier",
        "app/domain/stays/queries/__init__.py",
        'timedelta(minutes=policy["leave_after_payment_minutes"])',
        "timedelta()",
        ["tests/stays/test_visit.py"],
    ),
    Bug(
        "phantom stay: a car without an exit is billed for ever",
        "app/domain/stays/queries/__init__.py",
        "up_to = min(moment, longest)",
        "up_to = moment",
        ["tests/stays/test_account.py"],
    ),
    Bug(
        "history rewritten: what a gate told can be changed",
        "migrations/versions/0005_gates.py",
        'append_only("gate_event", "gate_rejection", "gate_decision")',
        'grant("SELECT, INSERT, UPDATE, DELETE", "gate_event", "gate_rejection", "gate_decision")',
        [_EVENTS, "tests/house/test_guards.py"],
    ),
]

_JUDGED: Final = [
    Bug(
        "lock dropped: two who assess one motorist do not queue",
        "app/domain/conduct/actions/assess.py",
        "where(Motorist.id == motorist).with_for_update(key_share=True))",
        "where(Motorist.id == motorist))",
        ["tests/conduct/test_measures.py"],
    ),
    Bug(
        "incident counted twice: it leads to a second measure of a kind",
        "app/domain/conduct/actions/assess.py",
        "        incident.assessed_at = clock.now()\n",
        "",
        ["tests/conduct/test_measures.py"],
    ),
]

_OWED: Final = [
    Bug(
        "lock dropped: a hold does not wait for a reservation in the making",
        "migrations/versions/0032_arrears.py",
        "BEFORE UPDATE OF held_at ON arrear",
        "BEFORE UPDATE OF lot_id ON arrear",
        [_HOLDS],
    ),
    Bug(
        "constraint dropped: the table lets reserve whoever owes",
        "migrations/versions/0032_arrears.py",
        "owing AND held_at IS NOT NULL\n                         AND NOT EXISTS",
        "false\n                         AND NOT EXISTS",
        [_HOLDS],
    ),
    Bug(
        "lock dropped: a debt is written down beside its payment",
        "migrations/versions/0032_arrears.py",
        "WHERE key = NEW.charge_key FOR SHARE",
        "WHERE key = NEW.charge_key",
        [_HOLDS],
    ),
    Bug(
        "payment ignored: who paid is still kept from reserving",
        "migrations/versions/0032_arrears.py",
        "UPDATE arrear SET owing = false WHERE charge_key = NEW.key",
        "UPDATE arrear SET owing = true WHERE charge_key = NULL",
        ["tests/arrears/test_chase.py"],
    ),
]

_SEALED: Final = [
    Bug(
        "late commit passed by: what a running transaction still says is never sealed",
        "migrations/versions/0036_audit.py",
        "horizon := txid_snapshot_xmin(txid_current_snapshot());",
        "horizon := txid_snapshot_xmax(txid_current_snapshot());",
        [_SEALS],
    ),
    Bug(
        "log open: the program itself writes blocks",
        "migrations/versions/0036_audit.py",
        """    op.execute("REVOKE INSERT ON audit_block FROM app_rw")\n""",
        "",
        [_SEALS],
    ),
    Bug(
        "log open: the program says in which transaction a deed was done",
        "migrations/versions/0036_audit.py",
        'TOLD = "at, actor, action, subject, subject_id, detail, request_id"',
        'TOLD = "at, actor, action, subject, subject_id, detail, request_id, transaction_id"',
        [_SEALS],
    ),
    Bug(
        "tail not missed: an anchor of a block that is gone is passed by",
        "app/domain/audit/rules.py",
        'yield Fault("tail_cut" if cut else "anchor_differs", number, place=place)\n        return',
        "return",
        ["tests/audit/test_rules.py"],
    ),
    Bug(
        "chain not followed: a block need not name the one before it",
        "app/domain/audit/rules.py",
        "(block.from_xid, block.total, block.previous) != (end, total + block.entries, previous)",
        "(block.from_xid, block.total) != (end, total + block.entries)",
        ["tests/audit/test_rules.py"],
    ),
    Bug(
        "payment untold: the table of payments writes nothing into the log",
        "migrations/versions/0036_audit.py",
        """    for table, columns in MONEY.items():
        written_down""",
        """    for table, columns in MONEY.items():
        if table == "payment":
            continue
        written_down""",
        ["tests/audit/test_money.py"],
    ),
]

_DRAWN: Final = [
    Bug(
        "commitment ignored: the draw orders applications by something else than the secret",
        "app/domain/regulars/rules/draw.py",
        "return sorted(application_keys, key=lambda key: ticket(secret, key))",
        "return sorted(application_keys)",
        ["tests/regulars/test_rules.py", _ROUNDS],
    ),
    Bug(
        "commitment ignored: another secret may be revealed than was committed to",
        "migrations/versions/0037_regulars.py",
        "secret IS NULL OR commitment = encode(sha256(convert_to(secret, 'UTF8')), 'hex')",
        "secret IS NULL OR commitment <> ''",
        [_ROUNDS],
    ),
    Bug(
        "places not bounded: a lot offers as many regular places as it likes",
        "app/domain/regulars/rules/__init__.py",
        "if not 1 <= offer.places <= most:",
        "if offer.places < 1:",
        ["tests/regulars/test_rules.py"],
    ),
    Bug(
        "places not bounded: a round may have more holders than places",
        "migrations/versions/0037_regulars.py",
        "place BETWEEN 1 AND places",
        "place > 0",
        [_ROUNDS],
    ),
    Bug(
        "constraint dropped: a motorist applies twice to a round, or a plate does",
        "migrations/versions/0037_regulars.py",
        'name, ["round_id", column], unique=True,',
        'name, ["round_id", column], unique=False,',
        [_ROUNDS],
    ),
    Bug(
        "lock dropped: a draw does not wait for an application under way",
        "migrations/versions/0037_regulars.py",
        "NEW.applied_at < closes_at\n            FOR SHARE;",
        "NEW.applied_at < closes_at;",
        [_ROUNDS],
    ),
    Bug(
        "constraint dropped: who did not win may have nights",
        "migrations/versions/0037_regulars.py",
        "WHERE id = NEW.application_id AND state = 'won' FOR SHARE",
        "WHERE id = NEW.application_id FOR SHARE",
        ["tests/regulars/test_nights.py"],
    ),
    Bug(
        "night lost: one that cannot be had is not told",
        "app/domain/regulars/actions/deal.py",
        "    if refusal is not None:\n        body",
        "    if refusal is None:\n        body",
        ["tests/regulars/test_nights.py"],
    ),
]

_TOGETHER: Final = "tests/payments/test_together.py"
_PAID_TOGETHER: Final = [
    Bug(
        "constraint dropped: two open orders ask for one charge",
        "migrations/versions/0038_combined.py",
        '["charge_id"], unique=True, postgresql_where=still_open',
        '["charge_id"], postgresql_where=still_open',
        ["tests/payments/test_charge_guard.py", "tests/house/test_migrations.py"],
    ),
    Bug(
        "payees mixed: a sub-order asks for another payee's charge",
        "payments/charges/actions/place.py",
        "groupby(by_payee, key=lambda charge: charge.payee_id)",
        "groupby(by_payee, key=lambda charge: charge.payee_id // 2)",
        [_TOGETHER],
    ),
    Bug(
        "refund of a part: WeChat is told that the part was the whole order",
        "payments/refunds/actions/send.py",
        "total_fen=current().get_one(Order, payment.order_id).amount_fen",
        "total_fen=refund.paid_fen",
        [_TOGETHER],
    ),
    Bug(
        "rest forgotten: what WeChat left unpaid of a combined order stays open",
        "payments/charges/actions/check.py",
        "partly_over = len(checkout.still_open) < len(checkout.orders)",
        "partly_over = False",
        [_TOGETHER],
    ),
    Bug(
        "other debts: an order for more than was asked is handed out",
        "payments/charges/actions/prepare.py",
        "if {each.id for each in charges} != _asked_with(asking):",
        "if not {each.id for each in charges} <= _asked_with(asking):",
        [_TOGETHER],
    ),
]

_CLOSED: Final = [
    Bug(
        "lock dropped: a day is closed while somebody still posts on it",
        "migrations/versions/0039_days.py",
        "            PERFORM pg_advisory_xact_lock_shared(680101);\n",
        "",
        [_DAYS],
    ),
    Bug(
        "constraint dropped: a closed day takes postings",
        "migrations/versions/0039_days.py",
        "IF EXISTS (SELECT FROM public.accounting_day WHERE day >= NEW.posted_on) THEN",
        "IF false THEN",
        [_DAYS],
    ),
    Bug(
        "difference passed by: days are closed though the books do not follow from the events",
        "app/domain/finance/actions.py",
        "            return len(found)\n",
        "            pass\n",
        [_DAYS],
    ),
]

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
        "closed day open: a day that is signed off takes another bill",
        "migrations/versions/0041_reconciliation.py",
        """    for table in ("bill_file", "recon_run", "difference"):""",
        """    for table in ("recon_run", "difference"):""",
        [_RECON],
    ),
]

_RECEIPTS: Final = "tests/payments/test_receipts.py"
_RECEIPTED: Final = [
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
        "refund forgotten: the receipt still says the whole sum",
        "payments/refunds/actions/learn.py",
        "    amend([refund.charge_id])\n",
        "",
        [_RECEIPTS],
    ),
    Bug(
        "rate guessed: terms that nobody confirmed count",
        "payments/receipts/queries.py",
        ", ReceiptTerms.confirmed_by.is_not(None)",
        "",
        [_RECEIPTS],
    ),
]

_BATCHES: Final = "tests/remittance/test_batches.py"
_BATCH_GUARDS: Final = "tests/remittance/test_guards.py"
_SETTLED: Final = "tests/remittance/test_settlements.py"
_CLAIMED: Final = "tests/remittance/test_treasury_refunds.py"
_REMITTED: Final = [
    Bug(
        "constraint dropped: a posting is remitted in two batches",
        "migrations/versions/0046_remittance.py",
        '"a_posting_is_remitted_once", "remittance_line", ["posting_id"], unique=True,',
        '"a_posting_is_remitted_once", "remittance_line", ["posting_id"],',
        [_BATCH_GUARDS],
    ),
    Bug(
        "netted: WeChat's fee is taken out of the treasury's money",
        "payments/remittance/actions/propose.py",
        "account.code = 'due_to_treasury' AND",
        "account.code IN ('due_to_treasury', 'wx_fee') AND",
        [_BATCHES],
    ),
    Bug(
        "remitted unseen: a day that nobody signed off is paid in",
        "migrations/versions/0046_remittance.py",
        "ELSIF through > coalesce(signed_off_through(NEW.payee_id), '-infinity') THEN",
        "ELSIF signed_off_through(NEW.payee_id) IS NULL THEN",
        [_BATCH_GUARDS],
    ),
    Bug(
        "held back: what is due may be left out of a batch",
        "migrations/versions/0046_remittance.py",
        "broken := 'a_batch_leaves_nothing_behind';",
        "broken := NULL;",
        [_BATCH_GUARDS],
    ),
    Bug(
        "own batch: the maker approves by hand",
        "migrations/versions/0046_remittance.py",
        "state NOT IN ('approved', 'returned') OR by <> made_by",
        "state NOT IN ('approved', 'returned') OR by <> ''",
        [_BATCH_GUARDS],
    ),
    Bug(
        "taken for received: the bank's line names the document with another sum",
        "payments/remittance/actions/receive.py",
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
        "migrations/versions/0048_treasury_refunds.py",
        "IF (NEW.way = 'treasury') <> coalesce(standing",
        "IF NEW.way IS NULL AND (NEW.way = 'treasury') <> coalesce(standing",
        [_CLAIMED],
    ),
    Bug(
        "alone: one person lets a claim on the treasury go",
        "payments/refunds/actions/ask.py",
        "payment.refund_reserved_fen, 0) if way == CHANNEL else 0",
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
        "migrations/versions/0049_settlement_statements.py",
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

BUGS: Final[Sequence[Bug]] = [
    *_CLAIMS,
    *_LISTED,
    *_TOLD,
    *_LIVED,
    *_JUDGED,
    *_REFUNDED,
    *_OWED,
    *_SEALED,
    *_DRAWN,
    *_PAID_TOGETHER,
    *_CLOSED,
    *_RECONCILED,
    *_RECEIPTED,
    *_REMITTED,
]
