"""What must never pass of bills, suspense, receipts, remittance and service fees."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_READING: Final = "tests/payments/test_bill_reading.py"
_ORIGINALS: Final = "tests/payments/test_bill_originals.py"
_BY_HAND: Final = "tests/payments/test_bill_by_hand.py"
_RECON: Final = "tests/payments/test_reconcile.py"
_RECEIPTS: Final = "tests/payments/test_receipts.py"
_BATCHES: Final = "tests/remittance/test_batches.py"
_BATCH_GUARDS: Final = "tests/remittance/test_guards.py"
_REVENUE: Final = "tests/finance/test_revenue.py"
_SETTLED: Final = "tests/remittance/test_settlements.py"
_CLAIMED: Final = "tests/remittance/test_treasury_refunds.py"
_FEES: Final = "tests/service_fees/test_statements.py"
_FEE_GUARDS: Final = "tests/service_fees/test_guards.py"
_FEE_COMMANDS: Final = "tests/service_fees/test_commands.py"
_GROSS: Final = "tests/service_fees/test_gross.py"

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

_RECEIPTED: Final = [
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
        "rate guessed: terms that nobody confirmed count",
        "payments/payees/queries.py",
        ", ReceiptTerms.confirmed_by.is_not(None)",
        "",
        [_RECEIPTS],
    ),
]

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
        "migrations/versions/0052_any_signed_off_day.py",
        "NOT {_one_of(*DECIDED, *more)} OR by <> made_by",
        "NOT {_one_of(*DECIDED, *more)} OR by <> ''",
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
        "migrations/versions/0052_any_signed_off_day.py",
        '_alive(f"NOT {_one_of(*DEAD, *more)}")',
        '_alive(f"NOT {_one_of(*DEAD)}")',
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

_SERVICE_FEES: Final = [
    Bug(
        "netted: an operator's fee is taken out of the treasury's money",
        "payments/remittance/actions/propose.py",
        "(SELECT count(*) AS lines, sum(fen)::bigint AS fen FROM due)",
        "(SELECT count(*) AS lines, (sum(fen) - coalesce((SELECT sum(share_fen + fixed_fen) FROM service_fee_statement "
        "WHERE state = 'issued'), 0))::bigint AS fen FROM due)",
        [_GROSS],
    ),
    Bug(
        "agreed twice: two confirmed terms of an operator hold on one day",
        "migrations/versions/0051_service_fees.py",
        '(sa.column("valid"), "&&"),',
        '(sa.column("valid"), "="),',
        [_FEE_GUARDS, "tests/service_fees/test_terms.py"],
    ),
    Bug(
        "agreed alone: terms that nobody confirmed make a fee",
        "migrations/versions/0051_service_fees.py",
        "                 AND terms.confirmed_by IS NOT NULL AND terms.valid @>",
        "                 AND terms.valid @>",
        [_FEES],
    ),
    Bug(
        "fee on what went back: refunds are not taken off what was collected",
        "migrations/versions/0051_service_fees.py",
        "IN ('payment', 'refund_success', 'refund_recovered', 'refund_by_treasury')",
        "IN ('payment', 'refund_recovered', 'refund_by_treasury')",
        [_FEES],
    ),
    Bug(
        "fee unseen: a month with a day that nobody signed off is stated",
        "migrations/versions/0070_their_own_days.py",
        "broken := 'a_fee_statement_is_of_signed_off_days';",
        "broken := NULL;",
        [_FEES],
    ),
    Bug(
        "fee invented: a statement says other figures than the books",
        "migrations/versions/0070_their_own_days.py",
        "broken := 'a_fee_statement_says_what_was_collected';",
        "broken := NULL;",
        [_FEE_GUARDS],
    ),
    Bug(
        "nobody's money: the month of a lot that charges for nobody is stated",
        "migrations/versions/0070_their_own_days.py",
        "broken := 'a_charging_lot_has_its_payee';",
        "broken := NULL;",
        [_FEES],
    ),
    Bug(
        "told early: the parties see a statement that is not issued",
        "app/domain/service_fees/queries.py",
        "or_(ServiceFeeStatement.state == ISSUED, making)",
        "or_(ServiceFeeStatement.state != ISSUED, making, ServiceFeeStatement.state == ISSUED)",
        [_FEE_COMMANDS],
    ),
    Bug(
        "looked at unseen: lines that are told as JSON leave no trace",
        "app/jobs/commands/door.py",
        "        _write_down(by, answer.shown)\n",
        '        if _form() != "json":\n            _write_down(by, answer.shown)\n',
        [_FEE_COMMANDS],
    ),
    Bug(
        "own fee: the maker issues by hand",
        "migrations/versions/0051_service_fees.py",
        'sa.CheckConstraint("decided_by <> made_by", name="a_fee_statement_is_decided_by_another_person"),',
        'sa.CheckConstraint("decided_by > 0", name="a_fee_statement_is_decided_by_another_person"),',
        [_FEE_GUARDS],
    ),
    Bug(
        "rewritten: an issued fee statement changes",
        "migrations/versions/0051_service_fees.py",
        """"service_fee_statement", DECISION, "OLD.state = 'draft'")""",
        """"service_fee_statement", DECISION, "true")""",
        [_FEE_GUARDS],
    ),
    Bug(
        "agreed afterwards: terms change under a statement of their days",
        "migrations/versions/0055_nothing_beside_the_rules.py",
        "AND state <> 'rejected' AND changed &&",
        "AND state = 'rejected' AND changed &&",
        ["tests/service_fees/test_terms.py"],
    ),
    Bug(
        "another's day: a lot counts for an operator on days on which it does not run it",
        "migrations/versions/0051_service_fees.py",
        "\n                 AND covered.valid @> (begins AT TIME ZONE 'Asia/Shanghai')",
        "",
        [_FEES],
    ),
]

_SUSPENSE: Final = "tests/payments/test_suspense.py"
_SHEETS: Final = "tests/reconciliation/test_sheets.py"
_MONEY_LOG: Final = "tests/house/test_money_log.py"
_NEWS: Final = "tests/receipts/test_news.py"
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

_STRAYS: Final = "tests/payments/test_strays.py"
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

_BANK: Final = "tests/payments/test_bank.py"
_LINES: Final = "tests/remittance/test_bank_lines.py"
_BANKED: Final = [
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

BUGS: Final[Sequence[Bug]] = [
    *_BOOKED,
    *_BANKED,
    *_PLACED,
    *_ORIGINAL,
    *_RECONCILED,
    *_RECEIPTED,
    *_REMITTED,
    *_BY_UNIT,
    *_SERVICE_FEES,
    *_CLEARED,
]
