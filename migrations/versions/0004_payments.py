"""The money: payees, charges and their WeChat orders, the books, receipts.

Whatever must hold against our own program is held here: composite keys lead each fen to one payee, the books
can only be added to, and only through `post_journal`, which belongs to the schema's owner.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.words import append_only, follows_graph, forget_graph, grant, graph

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)
CODES = (
    "'wx_receivable', 'bank', 'suspense_short', 'treasury_refund_claim', 'wx_fee', 'customer_prepaid', "
    "'refund_payable', 'refund_abnormal', 'suspense_long', 'due_to_treasury', 'revenue'"
)
CHARGE = (
    ("", "born", "created"),
    ("created", "waive", "fulfilled"),
    ("created", "pay", "paid"),
    ("created", "withdraw", "closing"),
    ("closing", "close", "closed"),
    ("closing", "pay", "paid"),
    ("closed", "pay", "paid_late"),
    ("paid", "fulfil", "fulfilled"),
    ("paid_late", "rebook", "rebooked"),
    ("paid_late", "refund", "refund_full"),
)
ORDER = (
    ("", "born", "preparing"),
    ("preparing", "accept", "payable"),
    ("preparing", "time_out", "unknown"),
    ("preparing", "refuse", "refused"),
    ("preparing", "stop", "closing"),
    ("preparing", "pay", "paid"),
    ("unknown", "accept", "payable"),
    ("unknown", "vanish", "closed"),
    ("unknown", "close", "closed"),
    ("unknown", "stop", "closing"),
    ("unknown", "pay", "paid"),
    ("payable", "close", "closed"),
    ("payable", "stop", "closing"),
    ("payable", "pay", "paid"),
    ("closing", "close", "closed"),
    ("closing", "vanish", "closed"),
    ("closing", "pay", "paid"),
    ("closed", "pay", "paid"),
    ("refused", "pay", "paid"),
)
TABLES = (
    "receipt_request", "posting", "journal", "account", "exception_case", "callback_inbox", "channel_call",
    "payment", "payment_order", "charge", "merchant_channel", "payee_confirmation", "payee",
)  # fmt: skip


def upgrade() -> None:
    _payees()
    _charges()
    _orders()
    _payments()
    _channel()
    _books()
    _receipts()
    graph("charge", CHARGE)
    graph("payment_order", ORDER)
    follows_graph("charge", "charge")
    follows_graph("payment_order", "payment_order")


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _key(table: str) -> tuple[sa.Column, sa.UniqueConstraint]:
    return sa.Column("key", sa.Uuid, nullable=False), sa.UniqueConstraint("key", name=f"uq_{table}_key")


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, MOMENT, nullable=nullable)


def _payees() -> None:
    op.create_table(
        "payee",
        _id(),
        *_key("payee"),
        _text("name"),
        _text("regime"),
        _text("level", nullable=True),
        _text("district_code", nullable=True),
        _text("collecting_unit_code", nullable=True),
        _text("collecting_unit_name", nullable=True),
        _text("item_code", nullable=True),
        _text("treasury_target", nullable=True),
        _text("tax_number", nullable=True),
        _text("bank_name", nullable=True),
        _text("bank_account", nullable=True),
        _moment("created_at"),
        sa.Column(
            "purse",
            sa.Text,
            sa.Computed(
                "CASE WHEN regime = 'SOE'::text THEN 'enterprise'::text WHEN level = 'city'::text THEN 'city'::text "
                "ELSE COALESCE(district_code, ''::text) END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.UniqueConstraint("id", "regime", name="a_payee_has_one_regime"),
        sa.UniqueConstraint("id", "purse", name="a_payee_fills_one_purse"),
        sa.CheckConstraint("district_code ~ '^[0-9]{6}$'", name="a_payees_district_has_six_digits"),
        sa.CheckConstraint("regime IN ('TREASURY', 'SOE')", name="a_payee_is_of_the_treasury_or_an_enterprise"),
        sa.CheckConstraint(
            "(regime = 'TREASURY') = (level IS NOT NULL AND collecting_unit_code IS NOT NULL "
            "AND collecting_unit_name IS NOT NULL AND item_code IS NOT NULL AND treasury_target IS NOT NULL)",
            name="a_treasury_payee_names_unit_item_and_treasury",
        ),
        sa.CheckConstraint(
            "regime = 'TREASURY' OR num_nonnulls(level, collecting_unit_code, collecting_unit_name, "
            "item_code, treasury_target) = 0",
            name="an_enterprise_has_no_treasury_fields",
        ),
        sa.CheckConstraint(
            "(regime = 'SOE') = (tax_number IS NOT NULL AND bank_name IS NOT NULL AND bank_account IS NOT NULL)",
            name="an_enterprise_names_tax_number_and_bank",
        ),
        sa.CheckConstraint(
            "regime = 'SOE' OR num_nonnulls(tax_number, bank_name, bank_account) = 0",
            name="a_treasury_payee_has_no_bank_of_its_own",
        ),
        sa.CheckConstraint("level IN ('city', 'district')", name="a_treasury_is_of_the_city_or_a_district"),
        sa.CheckConstraint(
            "level IS DISTINCT FROM 'district' OR district_code IS NOT NULL",
            name="a_district_treasury_names_its_district",
        ),
    )
    op.create_table(
        "payee_confirmation",
        _id(),
        sa.Column("payee_id", sa.BigInteger, sa.ForeignKey("payee.id"), nullable=False),
        _text("confirmed_by"),
        _moment("confirmed_at"),
        _text("note"),
        sa.Column("sample", sa.Boolean, nullable=False),
        sa.CheckConstraint("sample = (position('示例' in note) > 0)", name="a_sample_says_so_in_its_note"),
        sa.CheckConstraint("confirmed_by <> '' AND note <> ''", name="a_confirmation_says_who_and_why"),
        sa.UniqueConstraint("payee_id", "sample", name="a_payee_is_confirmed_once"),
    )
    op.create_table(
        "merchant_channel",
        _id(),
        sa.Column("payee_id", sa.BigInteger, sa.ForeignKey("payee.id"), nullable=False),
        _text("sp_mchid"),
        _text("sub_mchid"),
        _moment("opened_at"),
        sa.UniqueConstraint("sub_mchid", name="a_sub_merchant_belongs_to_one_payee"),
        sa.UniqueConstraint("id", "payee_id", name="a_channel_leads_to_one_payee"),
    )
    append_only("payee", "payee_confirmation", "merchant_channel")


def _charges() -> None:
    op.create_table(
        "charge",
        _id(),
        *_key("charge"),
        _text("source_kind"),
        sa.Column("source_key", sa.Uuid, nullable=False),
        sa.Column("payee_id", sa.BigInteger, sa.ForeignKey("payee.id"), nullable=False),
        _number("motorist_id"),
        _number("amount_fen"),
        _text("description"),
        _text("on_paid"),
        _text("state"),
        _moment("created_at"),
        sa.UniqueConstraint("source_kind", "source_key", name="a_source_is_charged_once"),
        sa.UniqueConstraint("id", "payee_id", name="a_charge_belongs_to_one_payee"),
        sa.UniqueConstraint("id", "payee_id", "amount_fen", name="a_charge_has_one_amount"),
        sa.UniqueConstraint("key", "payee_id", "amount_fen", name="a_charge_is_known_with_payee_and_amount"),
        sa.CheckConstraint("amount_fen >= 0", name="a_charge_is_never_negative"),
        sa.CheckConstraint(
            "state IN ('created', 'closing', 'closed', 'paid', 'paid_late', 'fulfilled', 'rebooked', 'refund_full')",
            name="a_charge_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "char_length(description) BETWEEN 1 AND 127 AND description !~ '[,`]'",
            name="a_description_fits_wechats_bill",
        ),
    )
    op.create_index("ix_charge_motorist_id", "charge", ["motorist_id"])
    grant("SELECT, INSERT, UPDATE (state)", "charge")
    _only_these_change("charge", "state")


def _only_these_change(table: str, *columns: str) -> None:
    """An update may touch these columns and no other, whoever makes it; rows are never removed."""
    kept = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f"""
        CREATE FUNCTION {table}_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the terms of a {table} are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{table}_terms_are_fixed';
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER {table}_terms_are_fixed BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_terms_are_fixed()"
    )


def _orders() -> None:
    op.create_table(
        "payment_order",
        _id(),
        *_key("payment_order"),
        _number("charge_id"),
        _number("channel_id"),
        _number("payee_id"),
        _number("amount_fen"),
        _text("out_trade_no"),
        _text("sp_appid"),
        sa.Column("payer", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        _text("prepay_id", nullable=True),
        _text("state"),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("next_check_at", nullable=True),
        _number("checks"),
        sa.UniqueConstraint("out_trade_no", name="an_out_trade_no_is_used_once"),
        sa.UniqueConstraint(
            "id", "charge_id", "channel_id", "payee_id", "amount_fen", name="an_order_is_for_one_sum_and_payee"
        ),
        sa.ForeignKeyConstraint(
            ["charge_id", "payee_id", "amount_fen"],
            ["charge.id", "charge.payee_id", "charge.amount_fen"],
            name="an_order_asks_for_its_charge",
        ),
        sa.ForeignKeyConstraint(
            ["channel_id", "payee_id"],
            ["merchant_channel.id", "merchant_channel.payee_id"],
            name="an_order_goes_to_its_payees_channel",
        ),
        sa.CheckConstraint("amount_fen > 0", name="an_order_is_for_money"),
        sa.CheckConstraint(
            "state IN ('preparing', 'unknown', 'payable', 'closing', 'closed', 'refused', 'paid')",
            name="an_order_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "state <> 'payable' OR prepay_id IS NOT NULL OR checks > 0", name="a_payable_order_was_seen_at_wechat"
        ),
    )
    op.create_index(
        "a_charge_has_one_open_order",
        "payment_order",
        ["charge_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('preparing', 'unknown', 'payable', 'closing')"),
    )
    op.create_index("ix_payment_order_charge_id", "payment_order", ["charge_id"])
    op.create_index(
        "ix_payment_order_next_check_at",
        "payment_order",
        ["next_check_at"],
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    grant("SELECT, INSERT, UPDATE (state, prepay_id, next_check_at, checks)", "payment_order")
    _only_these_change("payment_order", "state", "prepay_id", "next_check_at", "checks")


def _payments() -> None:
    op.create_table(
        "payment",
        _id(),
        *_key("payment"),
        _number("order_id"),
        _number("charge_id"),
        _number("channel_id"),
        _number("payee_id"),
        _text("transaction_id"),
        _number("paid_fen"),
        _number("refund_reserved_fen"),
        sa.Column("surplus", sa.Boolean, nullable=False),
        _moment("paid_at"),
        _moment("learned_at"),
        sa.UniqueConstraint("transaction_id", name="a_wechat_payment_is_recorded_once"),
        sa.UniqueConstraint("order_id", name="an_order_is_paid_once"),
        sa.ForeignKeyConstraint(
            ["order_id", "charge_id", "channel_id", "payee_id", "paid_fen"],
            [f"payment_order.{name}" for name in ("id", "charge_id", "channel_id", "payee_id", "amount_fen")],
            name="a_payment_is_what_its_order_asked",
        ),
        sa.ForeignKeyConstraint(
            ["channel_id", "payee_id"],
            ["merchant_channel.id", "merchant_channel.payee_id"],
            name="a_payment_reaches_its_channels_payee",
        ),
        sa.CheckConstraint("refund_reserved_fen BETWEEN 0 AND paid_fen", name="no_more_is_refunded_than_was_paid"),
    )
    op.create_index(
        "a_charge_is_paid_once", "payment", ["charge_id"], unique=True, postgresql_where=sa.text("NOT surplus")
    )
    grant("SELECT, INSERT, UPDATE (refund_reserved_fen)", "payment")
    _only_these_change("payment", "refund_reserved_fen")
    _paid_by_a_payment()


def _paid_by_a_payment() -> None:
    """Looked at when the transaction ends, so that charge and payment may be written in any order."""
    op.execute(
        """
        CREATE FUNCTION a_paid_charge_has_its_payment() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM payment WHERE charge_id = NEW.id AND NOT surplus) THEN
                RAISE EXCEPTION 'charge % is % without a payment', NEW.id, NEW.state
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_paid_charge_has_its_payment';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_paid_charge_has_its_payment AFTER INSERT OR UPDATE OF state ON charge
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.amount_fen > 0 AND NEW.state NOT IN ('created', 'closing', 'closed'))
            EXECUTE FUNCTION a_paid_charge_has_its_payment();
        """
    )


def _channel() -> None:
    op.create_table(
        "channel_call",
        _id(),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("payment_order.id"), nullable=False),
        _text("purpose"),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        _text("state"),
        _text("answer", nullable=True),
        _moment("intended_at"),
        _moment("answered_at", nullable=True),
        sa.CheckConstraint("purpose IN ('create', 'close')", name="a_call_has_a_known_purpose"),
        sa.CheckConstraint("state IN ('intended', 'done', 'refused', 'unknown')", name="a_call_is_in_a_known_state"),
        sa.CheckConstraint("(state = 'intended') = (answered_at IS NULL)", name="an_answer_has_its_time"),
    )
    op.create_index("ix_channel_call_order_id", "channel_call", ["order_id"])
    grant("SELECT, INSERT, UPDATE (state, answer, answered_at)", "channel_call")
    op.create_table(
        "callback_inbox",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("notify_id", sa.Text, primary_key=True),
        _text("kind"),
        _text("event_type"),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        _text("verified_by"),
        _text("outcome"),
        _moment("received_at"),
        sa.CheckConstraint("kind IN ('transaction', 'unknown')", name="a_notice_is_of_a_known_kind_or_unknown"),
    )
    op.create_index("ix_callback_inbox_received_at", "callback_inbox", ["received_at"])
    grant("SELECT, INSERT, UPDATE (outcome)", "callback_inbox")
    op.create_table(
        "exception_case",
        _id(),
        *_key("exception_case"),
        _text("kind"),
        _text("reference"),
        _number("severity"),
        _text("state"),
        sa.Column("detail", JSONB, nullable=False),
        _moment("opened_at"),
        sa.UniqueConstraint("kind", "reference", name="a_case_is_opened_once"),
        sa.CheckConstraint("severity BETWEEN 1 AND 3", name="a_severity_is_one_to_three"),
        sa.CheckConstraint("state IN ('open', 'resolved')", name="a_case_is_open_or_resolved"),
    )
    op.create_index("ix_exception_case_state", "exception_case", ["state"])
    grant("SELECT, INSERT, UPDATE (state)", "exception_case")


def _books() -> None:
    op.create_table(
        "account",
        _id(),
        _number("payee_id"),
        _text("regime"),
        _text("code"),
        _text("kind"),
        _text("normal_side"),
        sa.UniqueConstraint("payee_id", "code", name="a_payee_keeps_an_account_once"),
        sa.UniqueConstraint("id", "payee_id", name="an_account_belongs_to_one_payee"),
        sa.ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="an_account_has_its_payees_regime"
        ),
        sa.CheckConstraint(f"code IN ({CODES})", name="an_account_stands_in_the_chart"),
        sa.CheckConstraint(
            "code NOT IN ('due_to_treasury', 'treasury_refund_claim') OR regime = 'TREASURY'",
            name="only_a_treasury_payee_owes_the_treasury",
        ),
        sa.CheckConstraint("code <> 'revenue' OR regime = 'SOE'", name="only_an_enterprise_has_revenue"),
        sa.CheckConstraint("kind IN ('asset', 'expense', 'liability', 'income')", name="an_account_is_of_a_known_kind"),
        sa.CheckConstraint(
            "(normal_side = 'debit') = (kind IN ('asset', 'expense')) AND normal_side IN ('debit', 'credit')",
            name="an_accounts_side_follows_its_kind",
        ),
    )
    op.create_table(
        "journal",
        _id(),
        _text("kind"),
        _text("business_ref"),
        sa.Column("payee_id", sa.BigInteger, sa.ForeignKey("payee.id"), nullable=False),
        _moment("event_at"),
        sa.Column("posted_on", sa.Date, nullable=False),
        sa.Column("intent_hash", sa.LargeBinary, nullable=False),
        _number("reverses_id", nullable=True),
        sa.Column("transaction_id", sa.BigInteger, nullable=False, server_default=sa.func.txid_current()),
        sa.UniqueConstraint("kind", "business_ref", name="a_reference_is_posted_once"),
        sa.UniqueConstraint("id", "payee_id", name="a_journal_belongs_to_one_payee"),
        sa.UniqueConstraint("reverses_id", name="a_journal_is_reversed_once"),
        sa.ForeignKeyConstraint(
            ["reverses_id", "payee_id"], ["journal.id", "journal.payee_id"], name="a_reversal_stays_with_its_payee"
        ),
        sa.CheckConstraint("octet_length(intent_hash) = 32", name="an_intent_rests_as_sha256"),
    )
    op.create_index("ix_journal_payee_id_posted_on", "journal", ["payee_id", "posted_on"])
    op.create_table(
        "posting",
        _id(),
        _number("journal_id"),
        _number("account_id"),
        _number("payee_id"),
        _number("amount_fen"),
        sa.ForeignKeyConstraint(
            ["journal_id", "payee_id"], ["journal.id", "journal.payee_id"], name="a_posting_has_its_journals_payee"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "payee_id"], ["account.id", "account.payee_id"], name="a_posting_has_its_accounts_payee"
        ),
        sa.CheckConstraint("amount_fen <> 0", name="a_posting_moves_something"),
    )
    op.create_index("ix_posting_journal_id", "posting", ["journal_id"])
    op.create_index("ix_posting_account_id", "posting", ["account_id"])
    append_only("account", "journal", "posting")
    op.execute("REVOKE INSERT ON journal, posting FROM app_rw")
    _balance()
    _post()


def _balance() -> None:
    """On both tables: a trigger on posting alone would miss a journal without any."""
    op.execute(
        """
        CREATE FUNCTION a_journal_balances() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            checked bigint := (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'journal' THEN 'id' ELSE 'journal_id' END);
            lines   bigint;
            total   numeric;
            written bigint;
        BEGIN
            SELECT count(*), coalesce(sum(amount_fen), 0) INTO lines, total FROM posting WHERE journal_id = checked;
            SELECT transaction_id INTO written FROM journal WHERE id = checked;
            IF lines < 2 OR total <> 0 OR written <> txid_current() THEN
                RAISE EXCEPTION 'journal % has % postings that sum to % fen', checked, lines, total
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_journal_balances';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table in ("journal", "posting"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER a_journal_balances_by_{table} AFTER INSERT ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_journal_balances()"
        )


def _post() -> None:
    """The only door into the books; it runs as the schema's owner and sees only this schema."""
    op.execute(
        """
        CREATE FUNCTION post_journal(
            a_kind text, a_ref text, a_payee bigint, happened_at timestamptz, booked_on date,
            an_intent bytea, reversed_id bigint, codes text[], amounts bigint[]
        ) RETURNS bigint LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            entered bigint;
        BEGIN
            INSERT INTO journal (kind, business_ref, payee_id, event_at, posted_on, intent_hash, reverses_id)
            VALUES (a_kind, a_ref, a_payee, happened_at, booked_on, an_intent, reversed_id)
            ON CONFLICT ON CONSTRAINT a_reference_is_posted_once DO NOTHING
            RETURNING id INTO entered;
            IF entered IS NULL THEN
                RETURN NULL;
            END IF;
            IF cardinality(codes) <> cardinality(amounts) OR EXISTS (
                SELECT FROM unnest(codes) AS code
                WHERE code NOT IN (SELECT account.code FROM account WHERE account.payee_id = a_payee)
            ) THEN
                RAISE EXCEPTION 'payee % keeps no such account', a_payee
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_line_names_the_payees_account';
            END IF;
            INSERT INTO posting (journal_id, account_id, payee_id, amount_fen)
            SELECT entered, account.id, a_payee, line.amount
            FROM unnest(codes, amounts) WITH ORDINALITY AS line(code, amount, place)
            JOIN account ON account.payee_id = a_payee AND account.code = line.code
            ORDER BY line.place;
            RETURN entered;
        END $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION post_journal, a_journal_balances FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION post_journal TO app_rw")


def _receipts() -> None:
    op.create_table(
        "receipt_request",
        _id(),
        *_key("receipt_request"),
        _number("charge_id"),
        _number("payee_id"),
        _text("regime"),
        _text("kind"),
        _number("motorist_id"),
        _number("amount_fen"),
        _text("state"),
        _moment("requested_at"),
        sa.UniqueConstraint("charge_id", name="a_charge_has_one_receipt"),
        sa.ForeignKeyConstraint(
            ["charge_id", "payee_id"], ["charge.id", "charge.payee_id"], name="a_receipt_has_its_charges_payee"
        ),
        sa.ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_receipt_has_its_payees_regime"
        ),
        sa.CheckConstraint(
            "kind = CASE regime WHEN 'TREASURY' THEN 'fiscal_ebill' ELSE 'tax_invoice' END",
            name="the_treasury_gives_fiscal_ebills_and_enterprises_tax_invoices",
        ),
        sa.CheckConstraint("amount_fen > 0", name="a_receipt_is_for_money"),
        sa.CheckConstraint("state IN ('requested')", name="a_receipt_is_in_a_known_state"),
    )
    op.create_index("ix_receipt_request_motorist_id", "receipt_request", ["motorist_id"])
    grant("SELECT, INSERT", "receipt_request")


def downgrade() -> None:
    forget_graph("payment_order")
    forget_graph("charge")
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION post_journal, a_journal_balances, a_paid_charge_has_its_payment")
    op.execute("DROP FUNCTION payment_terms_are_fixed, payment_order_terms_are_fixed, charge_terms_are_fixed")
