"""Receipts are issued: terms that finance confirmed, titles, bills and invoices with lines, red ones, calls."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import follows_graph, forget_graph, grant, graph, written_down

revision = "0043"
down_revision = "0042"

MOMENT = sa.DateTime(timezone=True)
RECEIPT = (
    ("", "born", "due"),
    ("due", "send", "issuing"),
    ("due", "cancel", "cancelled"),
    ("issuing", "issue", "issued"),
    ("issuing", "refuse", "refused"),
    ("issued", "reverse", "reversing"),
    ("reversing", "take_back", "reversed"),
)
CHANGING = ("state", "next_check_at", "attempts", "code", "number", "check_code", "issued_at", "refusal")
ASKED = ("wanted_at", "title_id", "together", "next_check_at")
TOLD_OF_TERMS = ("payee_id", "valid", "item_code", "vat_basis_points", "recorded_by", "confirmed_by")
KIND = "kind = CASE regime WHEN 'TREASURY' THEN 'fiscal_ebill' ELSE 'tax_invoice' END"


def _number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=nullable, server_default=default)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _sealed(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, MOMENT, nullable=nullable)


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _key(table: str) -> list[sa.Column | sa.UniqueConstraint]:
    return [sa.Column("key", sa.Uuid, nullable=False), sa.UniqueConstraint("key", name=f"uq_{table}_key")]


def upgrade() -> None:
    _terms()
    _titles()
    _requests()
    _receipts()
    _lines()
    _calls()
    graph("receipt", RECEIPT)
    follows_graph("receipt", "receipt")
    _fixed(
        "receipt",
        CHANGING,
        "AND (OLD.number IS NULL OR (OLD.number, OLD.code) IS NOT DISTINCT FROM (NEW.number, NEW.code))",
    )
    _fixed("receipt_line", ("receipt_state",))
    _sums()
    written_down("receipt", "payee_id", "kind", "colour", "amount_fen", "request_no", "number", "state", moving="state")
    written_down("receipt_terms", *TOLD_OF_TERMS, moving="confirmed_by")


def _terms() -> None:
    op.create_table(
        "receipt_terms",
        _id(),
        *_key("receipt_terms"),
        _number("payee_id"),
        _text("regime"),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False),
        _text("item_code"),
        _text("item_name"),
        sa.Column("vat_basis_points", sa.SmallInteger, nullable=True),
        _text("note"),
        sa.Column("sample", sa.Boolean, nullable=False),
        _text("recorded_by"),
        _moment("recorded_at"),
        _text("confirmed_by", nullable=True),
        _moment("confirmed_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="terms_have_their_payees_regime"
        ),
        sa.UniqueConstraint("id", "payee_id", name="terms_are_one_payees"),
        postgresql.ExcludeConstraint(
            (sa.column("payee_id"), "="),
            (sa.column("valid"), "&&"),
            where=sa.text("confirmed_by IS NOT NULL"),
            using="gist",
            name="a_payee_has_one_kind_of_terms_at_a_time",
        ),
        sa.CheckConstraint("(regime = 'SOE') = (vat_basis_points IS NOT NULL)", name="an_enterprise_has_a_vat_rate"),
        sa.CheckConstraint("vat_basis_points BETWEEN 0 AND 2000", name="a_vat_rate_is_up_to_20_percent"),
        sa.CheckConstraint("confirmed_by <> recorded_by", name="terms_are_confirmed_by_another_person"),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmation_of_terms_has_its_time"
        ),
        sa.CheckConstraint("sample = (position('示例' in note) > 0)", name="sample_terms_say_so_in_their_note"),
        sa.CheckConstraint("item_code <> '' AND item_name <> '' AND note <> ''", name="terms_name_item_and_basis"),
        sa.CheckConstraint("NOT isempty(valid) AND lower_inc(valid)", name="terms_hold_for_some_time"),
    )
    op.execute(
        "CREATE TRIGGER receipt_terms_only_ends BEFORE UPDATE OF valid ON receipt_terms "
        "FOR EACH ROW EXECUTE FUNCTION refuse_stretching()"
    )
    grant("SELECT, INSERT, UPDATE (valid, confirmed_by, confirmed_at)", "receipt_terms")
    _fixed(
        "receipt_terms",
        ("valid", "confirmed_by", "confirmed_at"),
        "AND (OLD.confirmed_by IS NULL OR OLD.confirmed_by IS NOT DISTINCT FROM NEW.confirmed_by)",
    )


def _titles() -> None:
    op.create_table(
        "invoice_title",
        _id(),
        *_key("invoice_title"),
        _number("motorist_id"),
        _sealed("name"),
        _text("tax_number", nullable=True),
        sa.Column("is_usual", sa.Boolean, nullable=False),
        _moment("made_at"),
        _moment("removed_at", nullable=True),
        sa.UniqueConstraint("id", "motorist_id", name="a_title_is_one_motorists"),
        sa.CheckConstraint("is_credit_code(tax_number)", name="a_titles_tax_number_has_its_check_digit"),
    )
    kept = sa.text("removed_at IS NULL AND tax_number IS NOT NULL")
    op.create_index(
        "a_motorist_keeps_a_company_once",
        "invoice_title",
        ["motorist_id", "tax_number"],
        unique=True,
        postgresql_where=kept,
    )
    usual = sa.text("is_usual AND removed_at IS NULL")
    op.create_index(
        "a_motorist_has_one_usual_title", "invoice_title", ["motorist_id"], unique=True, postgresql_where=usual
    )
    op.create_index("ix_invoice_title_motorist_id", "invoice_title", ["motorist_id"])
    grant("SELECT, INSERT, UPDATE (is_usual, removed_at)", "invoice_title")


def _requests() -> None:
    """What was owed before this step is owed still: fiscal bills are issued now, invoices wait for their motorist."""
    op.drop_constraint("a_receipt_is_in_a_known_state", "receipt_request")
    op.drop_column("receipt_request", "state")
    op.add_column("receipt_request", _moment("wanted_at", nullable=True))
    op.add_column("receipt_request", _number("title_id", nullable=True))
    op.add_column("receipt_request", sa.Column("together", sa.Uuid, nullable=True))
    op.add_column("receipt_request", _moment("next_check_at", nullable=True))
    op.execute(
        "UPDATE receipt_request SET wanted_at = requested_at, next_check_at = requested_at WHERE kind = 'fiscal_ebill'"
    )
    op.create_foreign_key(
        "a_receipt_is_made_out_by_its_motorist",
        "receipt_request",
        "invoice_title",
        ["title_id", "motorist_id"],
        ["id", "motorist_id"],
    )
    op.create_check_constraint(
        "a_fiscal_bill_is_wanted_at_once", "receipt_request", "kind <> 'fiscal_ebill' OR wanted_at IS NOT NULL"
    )
    op.create_index(
        "ix_receipt_request_together", "receipt_request", ["together"], postgresql_where=sa.text("together IS NOT NULL")
    )
    op.create_index(
        "ix_receipt_request_next_check_at",
        "receipt_request",
        ["next_check_at"],
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    grant(f"UPDATE ({', '.join(ASKED)})", "receipt_request")
    _fixed("receipt_request", ASKED)


def _receipts() -> None:
    op.create_table(
        "receipt",
        _id(),
        *_key("receipt"),
        _number("payee_id"),
        _text("regime"),
        _text("kind"),
        _number("motorist_id"),
        _number("terms_id"),
        _text("colour"),
        _number("reverses_id", nullable=True),
        _number("amount_fen"),
        _number("tax_fen"),
        _sealed("payer_name", nullable=True),
        _text("payer_tax_number", nullable=True),
        _sealed("remark"),
        _text("request_no"),
        _text("state"),
        _moment("made_at"),
        _moment("next_check_at", nullable=True),
        _number("attempts"),
        _text("code", nullable=True),
        _text("number", nullable=True),
        _text("check_code", nullable=True),
        _moment("issued_at", nullable=True),
        _text("refusal", nullable=True),
        sa.UniqueConstraint("request_no", name="a_receipt_is_asked_for_under_one_number"),
        sa.UniqueConstraint("kind", "code", "number", name="a_receipts_number_is_used_once"),
        sa.UniqueConstraint("id", "payee_id", "colour", "state", name="a_receipt_is_of_one_payee_in_one_state"),
        sa.UniqueConstraint("id", "payee_id", "amount_fen", name="a_receipt_is_for_one_sum"),
        sa.ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="an_issued_receipt_has_its_payees_regime"
        ),
        sa.ForeignKeyConstraint(
            ["terms_id", "payee_id"],
            ["receipt_terms.id", "receipt_terms.payee_id"],
            name="a_receipt_rests_on_its_payees_terms",
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id", "payee_id", "amount_fen"],
            ["receipt.id", "receipt.payee_id", "receipt.amount_fen"],
            name="a_red_receipt_takes_back_the_whole",
        ),
        sa.CheckConstraint(KIND, name="an_issued_receipt_is_of_its_regimes_kind"),
        sa.CheckConstraint("colour IN ('blue', 'red')", name="a_receipt_is_blue_or_red"),
        sa.CheckConstraint("(colour = 'red') = (reverses_id IS NOT NULL)", name="a_red_receipt_names_the_blue_one"),
        sa.CheckConstraint("colour = 'blue' OR state NOT IN ('reversing', 'reversed')", name="a_red_receipt_stays"),
        sa.CheckConstraint(
            "amount_fen > 0 AND tax_fen BETWEEN 0 AND amount_fen", name="an_issued_receipt_is_for_money"
        ),
        sa.CheckConstraint(
            "state IN ('due', 'issuing', 'issued', 'refused', 'cancelled', 'reversing', 'reversed')",
            name="a_receipt_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "(state IN ('issued', 'reversing', 'reversed')) = (number IS NOT NULL) AND (number IS NULL) = (issued_at IS NULL)",
            name="an_issued_receipt_has_number_and_date",
        ),
        sa.CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="a_refused_receipt_says_why"),
    )
    once = sa.text("state <> 'refused'")
    op.create_index("a_receipt_is_reversed_once", "receipt", ["reverses_id"], unique=True, postgresql_where=once)
    due = sa.text("next_check_at IS NOT NULL")
    op.create_index("ix_receipt_next_check_at", "receipt", ["next_check_at"], postgresql_where=due)
    op.create_index("ix_receipt_motorist_id", "receipt", ["motorist_id"])
    grant(f"SELECT, INSERT, UPDATE ({', '.join(CHANGING)})", "receipt")


def _lines() -> None:
    op.create_table(
        "receipt_line",
        _number("receipt_id"),
        _number("charge_id"),
        _number("payee_id"),
        _number("amount_fen"),
        _number("tax_fen"),
        _sealed("about"),
        _text("colour"),
        _text("receipt_state"),
        sa.PrimaryKeyConstraint("receipt_id", "charge_id", name="pk_receipt_line"),
        sa.ForeignKeyConstraint(
            ["receipt_id", "payee_id", "colour", "receipt_state"],
            ["receipt.id", "receipt.payee_id", "receipt.colour", "receipt.state"],
            name="a_receipt_line_follows_its_receipt",
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["charge_id", "payee_id"], ["charge.id", "charge.payee_id"], name="a_receipt_line_has_its_charges_payee"
        ),
        sa.CheckConstraint("amount_fen > 0 AND tax_fen BETWEEN 0 AND amount_fen", name="a_receipt_line_is_for_money"),
    )
    live = sa.text("colour = 'blue' AND receipt_state IN ('due', 'issuing', 'issued', 'reversing')")
    op.create_index("a_charge_has_one_live_receipt", "receipt_line", ["charge_id"], unique=True, postgresql_where=live)
    op.create_index("ix_receipt_line_charge_id", "receipt_line", ["charge_id"])
    grant("SELECT, INSERT", "receipt_line")


def _calls() -> None:
    op.create_table(
        "receipt_call",
        _id(),
        sa.Column("receipt_id", sa.BigInteger, sa.ForeignKey("receipt.id"), nullable=False),
        _text("purpose"),
        _moment("intended_at"),
        _moment("answered_at", nullable=True),
        _text("answer", nullable=True),
        sa.CheckConstraint("purpose IN ('issue', 'find')", name="a_receipt_call_has_a_known_purpose"),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="a_receipt_answer_has_its_time"),
    )
    op.create_index("ix_receipt_call_receipt_id", "receipt_call", ["receipt_id"])
    grant("SELECT, INSERT, UPDATE (answered_at, answer)", "receipt_call")


def _fixed(table: str, changing: tuple[str, ...], also: str = "") -> None:
    """Of a row only these columns change, whoever writes, and it is never removed."""
    kept = ", ".join(f"'{column}'" for column in changing)
    op.execute(
        f"""
        CREATE FUNCTION {table}_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}] {also} THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'what a {table} says is fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{table}_says_the_same';
        END $$;
        CREATE TRIGGER {table}_says_the_same BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_says_the_same();
        """
    )


def _sums() -> None:
    """Looked at when the transaction ends: a receipt is for what its lines sum to, none for more than its charge."""
    op.execute(
        """
        CREATE FUNCTION a_receipt_sums_its_lines() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            looked_at bigint := (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'receipt_line' THEN 'receipt_id' ELSE 'id' END);
            said receipt;
        BEGIN
            SELECT * INTO said FROM receipt WHERE id = looked_at;
            IF (said.amount_fen, said.tax_fen) IS DISTINCT FROM
               (SELECT (sum(amount_fen)::bigint, sum(tax_fen)::bigint) FROM receipt_line WHERE receipt_id = looked_at)
               OR EXISTS (SELECT FROM receipt_line JOIN charge ON charge.id = charge_id
                          WHERE receipt_id = looked_at AND receipt_line.amount_fen > charge.amount_fen) THEN
                RAISE EXCEPTION 'receipt % is not for what its lines sum to', looked_at
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_receipt_sums_its_lines';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_receipt_sums_its_lines_by_receipt AFTER INSERT ON receipt
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_receipt_sums_its_lines();
        CREATE CONSTRAINT TRIGGER a_receipt_sums_its_lines_by_line AFTER INSERT ON receipt_line
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_receipt_sums_its_lines();
        """
    )


def downgrade() -> None:
    for table in ("receipt_call", "receipt_line", "receipt"):
        op.drop_table(table)
    forget_graph("receipt")
    op.execute("DROP TRIGGER receipt_request_says_the_same ON receipt_request")
    op.drop_index("ix_receipt_request_next_check_at", "receipt_request")
    op.drop_index("ix_receipt_request_together", "receipt_request")
    op.drop_constraint("a_fiscal_bill_is_wanted_at_once", "receipt_request")
    op.drop_constraint("a_receipt_is_made_out_by_its_motorist", "receipt_request")
    for column in ASKED:
        op.drop_column("receipt_request", column)
    op.add_column("receipt_request", sa.Column("state", sa.Text, nullable=False, server_default="requested"))
    op.alter_column("receipt_request", "state", server_default=None)
    op.create_check_constraint("a_receipt_is_in_a_known_state", "receipt_request", "state IN ('requested')")
    op.drop_table("invoice_title")
    op.drop_table("receipt_terms")
    op.execute(
        "DROP FUNCTION a_receipt_sums_its_lines, receipt_says_the_same, receipt_line_says_the_same, "
        "receipt_request_says_the_same, receipt_terms_says_the_same"
    )
