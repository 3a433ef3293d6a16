"""What must never pass of payments, refunds and the books."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_REFUND: Final = "tests/payments/test_refund.py"
_REFUND_CARD: Final = "tests/payments/test_refund_card.py"
_REFUND_GUARD: Final = "tests/payments/test_refund_guard.py"
_REFUND_WORD: Final = "tests/payments/test_refund_word.py"
_REFUND_ASLEEP: Final = "tests/payments/test_refund_asleep.py"
_REFUND_TWINS: Final = "tests/payments/test_refund_twins.py"
_DAYS: Final = "tests/finance/test_days.py"
_MAIL: Final = "tests/receipts/test_mail.py"
_MAIL_SERVER: Final = "tests/receipts/test_mail_server.py"
_PAYEES: Final = "tests/payments/test_payees.py"
_REOPENING: Final = "tests/payments/test_reopening.py"
_NOTICE: Final = "tests/payments/test_notice.py"
_SHIPPING: Final = "tests/payments/test_shipping.py"
_TOGETHER: Final = "tests/payments/test_together.py"

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
        "constraint dropped: one person returns the treasury's money alone",
        "migrations/versions/0063_two_persons.py",
        "            RAISE EXCEPTION 'nobody but",
        "            RETURN NEW; RAISE EXCEPTION 'nobody but",
        [_REFUND_GUARD],
    ),
    Bug(
        "unknown taken for failed: after a time-out the refund is given up, and another may be asked for",
        "payments/refunds/actions/send.py",
        'move(refund, "time_out", ANSWER)',
        'move(refund, "close", ANSWER)',
        [_REFUND_WORD],
    ),
    Bug(
        "signed when it leaves: WeChat takes a refund from a sender that woke after another was asked for",
        "payments/refunds/actions/send.py",
        "pay.create_refund(attempt.body, attempt.call.at)",
        "pay.create_refund(attempt.body, clock.now())",
        [_REFUND_ASLEEP],
    ),
    Bug(
        "ended too soon: WeChat has no such refund, and takes it a moment later",
        "payments/refunds/rules.py",
        "HEARD_WITHIN: Final = 2 * SIGNATURE_HOLDS",
        "HEARD_WITHIN: Final = CALL_MAY_TAKE",
        [_REFUND_ASLEEP],
    ),
    Bug(
        "old answer believed: that WeChat had no such refund ends it, however long ago it said so",
        "payments/refunds/actions/check.py",
        "if signed and asked_at - refund.moved_at > HEARD_WITHIN:",
        "if signed and clock.now() - refund.moved_at > HEARD_WITHIN:",
        [_REFUND_ASLEEP],
    ),
    Bug(
        "passed over: WeChat takes a refund that was given up, and nobody hears of it",
        "payments/refunds/actions/learn.py",
        "accepted_before = heard_before and refund.state",
        "accepted_before = refund.state",
        [_REFUND_ASLEEP],
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

_ENTERED: Final = [
    Bug(
        "late money announced: a charge that was closed tells its source that it is paid",
        "payments/charges/actions/enter.py",
        """.where(owed.c.state == "paid").cte("news")""",
        """.cte("news")""",
        [_NOTICE],
    ),
    Bug(
        "notice not kept: what WeChat said of a payment is nowhere",
        "payments/charges/actions/enter.py",
        ".add_cte(*also, keeping())",
        ".add_cte(*also)",
        ["tests/payments/test_door.py"],
    ),
    Bug(
        "old word believed: a refund's notice that comes again contradicts what WeChat said since",
        "payments/charges/actions/inbox.py",
        "return _KNOWN.first(notify_id=notice.id) is not None",
        "return False",
        [_REFUND_WORD],
    ),
    Bug(
        "locks dropped: two notices of one refund take effect side by side",
        "payments/refunds/actions/locks.py",
        """filter_by(id=refund_id).with_for_update()).one()


def _payment(payment_id: int) -> Payment:
    return current().scalars(select(Payment).filter_by(id=payment_id).with_for_update()).one()
""",
        """filter_by(id=refund_id)).one()


def _payment(payment_id: int) -> Payment:
    return current().scalars(select(Payment).filter_by(id=payment_id)).one()
""",
        [_REFUND_TWINS],
    ),
    Bug(
        "twin forgotten: a copy that waited for the lock contradicts what WeChat said meanwhile",
        "payments/refunds/actions/notices.py",
        '    if is_known(notice):\n        return "known"',
        '    if False:\n        return "known"',
        [_REFUND_TWINS],
    ),
    Bug(
        "left asleep: while a job waits to be tried again, no other wakes a worker",
        "migrations/versions/0058_notices.py",
        "AND (scheduled_at IS NULL OR scheduled_at <= now())",
        "",
        ["tests/jobs/test_queue.py"],
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


_MAILED: Final = [
    Bug(
        "another letter each time: a mail that is sent twice cannot be known as one",
        "app/adapters/mail/letter.py",
        "<{letter.key.hex}@",
        "<{uuid.uuid4().hex}@",
        [_MAIL, _MAIL_SERVER],
    ),
    Bug(
        "any certificate: the mail server need not prove its name",
        "app/adapters/mail/client.py",
        "ssl.create_default_context(cafile=account.ca_file)",
        "ssl._create_unverified_context(cafile=account.ca_file)",
        [_MAIL_SERVER],
    ),
    Bug(
        "ours taken for theirs: while our sender is refused, each mail ends as if its address were wrong",
        "app/adapters/mail/client.py",
        "return Refused(code) if code == TOO_LARGE else _about_us(code)",
        "return _about_it(code, b'')",
        [_MAIL, _MAIL_SERVER],
    ),
    Bug(
        "policy taken for an address: while we may not relay, each mail ends as if its address were wrong",
        "app/adapters/mail/client.py",
        "code in FINAL and _POLICY.match(said)",
        "code in ABOUT_US and _POLICY.match(said)",
        [_MAIL_SERVER],
    ),
    Bug(
        "counted before it is looked at: with invented keys a stranger uses an address's day up",
        "miniprogram_api/receipts.py",
        '    check_mail(asking(), wish["receipt_keys"], wish["email"])\n',
        "",
        ["tests/miniprogram/test_receipts.py"],
    ),
    Bug(
        "line end let through: who writes one behind an e-mail address writes headers of their own",
        "app/adapters/mail/addresses.py",
        "_ADDRESS.fullmatch(text)",
        "_ADDRESS.match(text)",
        [_MAIL_SERVER],
    ),
    Bug(
        "constraint dropped: an address outlives its mail",
        "migrations/versions/0053_receipt_mails.py",
        """"(state IN ('due', 'sending')) = (address IS NOT NULL)\"""",
        '"address IS NULL OR address IS NOT NULL"',
        [_MAIL, "tests/house/test_migrations.py"],
    ),
    Bug(
        "lease not looked at: an answer that comes too late undoes what came of the mail since",
        "app/domain/receipts/actions/bring_mail.py",
        'filter_by(id=mail_id, state="sending", attempts=attempts)',
        "filter_by(id=mail_id)",
        [_MAIL],
    ),
    Bug(
        "not issued yet: a mail goes out without the receipt that was asked for",
        "app/domain/receipts/actions/ask_mail.py",
        "        if issued is None:\n            raise NotIssuedYet\n",
        "        if issued is None:\n            continue\n",
        [_MAIL],
    ),
]

_TO_CARDS: Final = [
    Bug(
        "legible: a motorist's card goes to WeChat as it was typed",
        "payments/wechat/cards.py",
        '"bank_account": sealed(self.account, keys)',
        '"bank_account": self.account',
        [_REFUND_CARD],
    ),
    Bug(
        "chosen alone: whoever asked for a refund says to which card it goes",
        "payments/refunds/actions/pay_to_card.py",
        "if refund.asked_by == by:",
        "if refund.asked_by == because:",
        [_REFUND_CARD],
    ),
]

_RENDERED: Final = [
    Bug(
        "nobody waited for: what is rendered while WeChat comes to want to know is never reported",
        "payments/shipping/actions/ask.py",
        "    wait_for_all_who_note()\n    newest",
        "    newest",
        [_SHIPPING],
    ),
]

_RECEIVED: Final = [
    Bug(
        "one person's word: who ties a sub-merchant to a payee confirms it",
        "migrations/versions/0064_payees.py",
        '"a_channel_is_confirmed_by_another_person": "confirmed_by <> opened_by"',
        '"a_channel_is_confirmed_by_another_person": "confirmed_by <> payee_id::text"',
        [_PAYEES],
    ),
    Bug(
        "reopened twice: what two persons agreed on once lets a sub-merchant begin again whenever it has ended",
        "migrations/versions/0079_reopening.py",
        "WHERE channel_id = NEW.id AND number = NEW.reopened AND state = 'accepted'",
        "WHERE channel_id = NEW.id AND state = 'accepted'",
        [_REOPENING],
    ),
    Bug(
        "reopened in words: two persons agree, and the sub-merchant takes no orders all the same",
        "migrations/versions/0079_reopening.py",
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'accepted')",
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'agreed')",
        [_REOPENING],
    ),
    Bug(
        "between its times: days on which a sub-merchant took no orders wait for two persons for ever",
        "migrations/versions/0079_reopening.py",
        "    _quiet_days(OUTSIDE_ITS_TIMES)\n",
        "    _quiet_days(AFTER_ITS_END)\n",
        [_REOPENING],
    ),
    Bug(
        "unconfirmed: hand-written SQL has a motorist owe a payee that nobody vouched for",
        "migrations/versions/0065_collecting.py",
        "a_charge_is_for_a_confirmed_payee BEFORE INSERT ON charge",
        "a_charge_is_for_a_confirmed_payee BEFORE DELETE ON charge",
        ["tests/payments/test_charge_guard.py"],
    ),
    Bug(
        "routed by one: whoever proposes whose a lot's money is lets it come true",
        "app/domain/lots/actions/payees.py",
        "if proposal.proposed_by == by.label:",
        "if proposal.proposed_by == by.name:",
        ["tests/lots/test_payees.py"],
    ),
    Bug(
        "no VAT, no matter: an enterprise collects though nobody has said at which rate",
        "payments/payees/queries.py",
        "or_(Payee.regime != SOE, taxed.exists())",
        "or_(Payee.regime.is_not(None), taxed.exists())",
        [_PAYEES],
    ),
    Bug(
        "former one left in: two sub-merchants of a payee take orders at one time",
        "payments/payees/actions/channels.py",
        "        end_taking(channel.payee_id, begins_at)\n",
        "",
        [_PAYEES],
    ),
]


BUGS: Final[Sequence[Bug]] = [
    *_RECEIVED,
    *_REFUNDED,
    *_PAID_TOGETHER,
    *_ENTERED,
    *_CLOSED,
    *_MAILED,
    *_TO_CARDS,
    *_RENDERED,
]
