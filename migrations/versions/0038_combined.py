"""One payment for several charges: orders with lines, and combined orders (合单) with a sub-order for each payee."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0038"
down_revision = "0037"

MOMENT = sa.DateTime(timezone=True)
OPEN = "state IN ('preparing', 'unknown', 'payable', 'closing')"
CHANGING = ("state", "prepay_id", "next_check_at", "checks")


def upgrade() -> None:
    _combined()
    _orders()
    _lines()
    _payments()
    op.drop_column("payment_order", "charge_id")
    _sums()
    _calls()


def _combined() -> None:
    op.create_table(
        "combined_order",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("out_trade_no", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("next_check_at", MOMENT, nullable=True),
        sa.UniqueConstraint("key", name="uq_combined_order_key"),
        sa.UniqueConstraint("out_trade_no", name="a_combined_number_is_used_once"),
    )
    due = sa.text("next_check_at IS NOT NULL")
    op.create_index("ix_combined_order_next_check_at", "combined_order", ["next_check_at"], postgresql_where=due)
    grant("SELECT, INSERT, UPDATE (next_check_at)", "combined_order")


def _orders() -> None:
    op.drop_constraint("a_payment_is_what_its_order_asked", "payment")
    op.drop_constraint("an_order_asks_for_its_charge", "payment_order")
    op.drop_constraint("an_order_is_for_one_sum_and_payee", "payment_order")
    op.drop_index("a_charge_has_one_open_order", "payment_order")
    op.drop_index("ix_payment_order_charge_id", "payment_order")
    op.add_column(
        "payment_order", sa.Column("combined_id", sa.BigInteger, sa.ForeignKey("combined_order.id"), nullable=True)
    )
    op.add_column("payment_order", sa.Column("transaction_id", sa.Text, nullable=True))
    op.alter_column("payment_order", "body", nullable=True)
    op.execute("ALTER TABLE payment_order DISABLE TRIGGER payment_order_terms_are_fixed")
    op.execute(
        "UPDATE payment_order SET transaction_id = payment.transaction_id FROM payment "
        "WHERE payment.order_id = payment_order.id"
    )
    op.execute("ALTER TABLE payment_order ENABLE TRIGGER payment_order_terms_are_fixed")
    _fixed_but(*CHANGING, "transaction_id")
    grant("UPDATE (transaction_id)", "payment_order")
    for name, columns in (
        ("a_wechat_payment_pays_one_order", ["transaction_id"]),
        ("an_order_is_for_one_payee_in_one_state", ["id", "payee_id", "state"]),
        ("an_order_is_paid_by_one_wechat_payment", ["id", "channel_id", "payee_id", "transaction_id"]),
        ("a_payee_has_one_sub_order", ["combined_id", "payee_id"]),
    ):
        op.create_unique_constraint(name, "payment_order", columns)
    for name, holds in (
        ("a_paid_order_names_its_payment", "(state = 'paid') = (transaction_id IS NOT NULL)"),
        ("a_sub_order_was_sent_with_its_whole", "(combined_id IS NULL) = (body IS NOT NULL)"),
        ("a_sub_order_is_asked_about_with_its_whole", "combined_id IS NULL OR next_check_at IS NULL"),
    ):
        op.create_check_constraint(name, "payment_order", holds)


def _fixed_but(*columns: str) -> None:
    """Say anew which columns of an order may change; WeChat's number of the payment is written once."""
    kept = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION payment_order_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}]
               AND (to_jsonb(OLD) ->> 'transaction_id' IS NULL
                    OR to_jsonb(OLD) ->> 'transaction_id' = to_jsonb(NEW) ->> 'transaction_id') THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the terms of a payment_order are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payment_order_terms_are_fixed';
        END $$
        """
    )


def _lines() -> None:
    op.create_table(
        "order_line",
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("order_id", "charge_id", "payee_id")),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.Column("order_state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "charge_id", name="pk_order_line"),
        sa.ForeignKeyConstraint(
            ["charge_id", "payee_id", "amount_fen"],
            ["charge.id", "charge.payee_id", "charge.amount_fen"],
            name="an_order_asks_for_its_charge",
        ),
        sa.UniqueConstraint("order_id", "charge_id", "payee_id", "amount_fen", name="a_line_is_for_one_sum_and_payee"),
    )
    op.execute(
        "INSERT INTO order_line (order_id, charge_id, payee_id, amount_fen, order_state) "
        "SELECT id, charge_id, payee_id, amount_fen, state FROM payment_order"
    )
    op.create_foreign_key(
        "a_line_follows_its_order",
        "order_line",
        "payment_order",
        ["order_id", "payee_id", "order_state"],
        ["id", "payee_id", "state"],
        onupdate="CASCADE",
    )
    still_open = sa.text(f"order_{OPEN}")
    op.create_index(
        "a_charge_has_one_open_order", "order_line", ["charge_id"], unique=True, postgresql_where=still_open
    )
    op.create_index("ix_order_line_charge_id", "order_line", ["charge_id"])
    grant("SELECT, INSERT", "order_line")
    _lines_stay()


def _lines_stay() -> None:
    """A line says the same for ever; its order's state reaches it by the key's cascade alone."""
    op.execute(
        """
        CREATE FUNCTION order_line_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'order_state' = to_jsonb(OLD) - 'order_state' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the terms of an order_line are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'order_line_terms_are_fixed';
        END $$;
        CREATE TRIGGER order_line_terms_are_fixed BEFORE UPDATE OR DELETE ON order_line
            FOR EACH ROW EXECUTE FUNCTION order_line_terms_are_fixed();
        """
    )


def _payments() -> None:
    op.drop_constraint("a_wechat_payment_is_recorded_once", "payment")
    op.drop_constraint("an_order_is_paid_once", "payment")
    op.create_unique_constraint("an_order_pays_a_charge_once", "payment", ["order_id", "charge_id"])
    op.create_foreign_key(
        "a_payment_is_what_its_order_asked",
        "payment",
        "order_line",
        ["order_id", "charge_id", "payee_id", "paid_fen"],
        ["order_id", "charge_id", "payee_id", "amount_fen"],
    )
    op.create_foreign_key(
        "a_payment_is_the_one_that_paid_its_order",
        "payment",
        "payment_order",
        ["order_id", "channel_id", "payee_id", "transaction_id"],
        ["id", "channel_id", "payee_id", "transaction_id"],
    )


def _sums() -> None:
    """Looked at when the transaction ends: an order asks for what its lines sum to, and is paid for each of them."""
    op.execute(
        """
        CREATE FUNCTION an_order_sums_its_lines() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            looked_at bigint := (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'order_line' THEN 'order_id' ELSE 'id' END);
            asked  bigint;
            summed numeric;
        BEGIN
            SELECT amount_fen INTO asked FROM payment_order WHERE id = looked_at;
            SELECT sum(amount_fen) INTO summed FROM order_line WHERE order_id = looked_at;
            IF asked IS DISTINCT FROM summed THEN
                RAISE EXCEPTION 'order % asks for % fen, its lines for %', looked_at, asked, summed
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_order_sums_its_lines';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_order_sums_its_lines_by_order AFTER INSERT ON payment_order
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_order_sums_its_lines();
        CREATE CONSTRAINT TRIGGER an_order_sums_its_lines_by_line AFTER INSERT ON order_line
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_order_sums_its_lines();
        CREATE FUNCTION a_paid_order_pays_each_line() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            brought numeric;
        BEGIN
            SELECT sum(paid_fen) INTO brought FROM payment WHERE order_id = NEW.id;
            IF NEW.amount_fen IS DISTINCT FROM brought THEN
                RAISE EXCEPTION 'order % is paid with % fen, its payments are %', NEW.id, NEW.amount_fen, brought
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_paid_order_pays_each_line';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_paid_order_pays_each_line AFTER INSERT OR UPDATE OF state ON payment_order
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'paid')
            EXECUTE FUNCTION a_paid_order_pays_each_line();
        CREATE FUNCTION a_combined_order_has_two_payees_or_more() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM payment_order WHERE combined_id = NEW.id) NOT BETWEEN 2 AND 50 THEN
                RAISE EXCEPTION 'a combined order has 2 to 50 sub-orders'
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_combined_order_has_two_payees_or_more';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_combined_order_has_two_payees_or_more AFTER INSERT ON combined_order
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_combined_order_has_two_payees_or_more();
        """
    )


def _calls() -> None:
    op.add_column(
        "channel_call", sa.Column("combined_id", sa.BigInteger, sa.ForeignKey("combined_order.id"), nullable=True)
    )
    about = sa.text("combined_id IS NOT NULL")
    op.create_index("ix_channel_call_combined_id", "channel_call", ["combined_id"], postgresql_where=about)
    op.drop_constraint("a_call_is_about_an_order_or_a_refund", "channel_call")
    op.create_check_constraint(
        "a_call_is_about_an_order_or_a_refund",
        "channel_call",
        "(purpose = 'refund') = (refund_id IS NOT NULL) AND num_nonnulls(order_id, combined_id, refund_id) = 1",
    )


def downgrade() -> None:
    """Only while no order asks for more than one charge: the former tables cannot say it."""
    _refuse_if_any_is_joint()
    op.drop_constraint("a_call_is_about_an_order_or_a_refund", "channel_call")
    op.drop_column("channel_call", "combined_id")
    op.create_check_constraint(
        "a_call_is_about_an_order_or_a_refund",
        "channel_call",
        "(purpose = 'refund') = (refund_id IS NOT NULL) AND (refund_id IS NULL) = (order_id IS NOT NULL)",
    )
    for name, table in (
        ("an_order_sums_its_lines_by_order", "payment_order"),
        ("an_order_sums_its_lines_by_line", "order_line"),
        ("a_paid_order_pays_each_line", "payment_order"),
        ("a_combined_order_has_two_payees_or_more", "combined_order"),
    ):
        op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(
        "DROP FUNCTION an_order_sums_its_lines, a_paid_order_pays_each_line, a_combined_order_has_two_payees_or_more"
    )
    _one_charge_an_order()
    op.drop_table("order_line")
    op.execute("DROP FUNCTION order_line_terms_are_fixed")
    op.drop_table("combined_order")


def _refuse_if_any_is_joint() -> None:
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM order_line GROUP BY order_id HAVING count(*) > 1)
               OR EXISTS (SELECT FROM combined_order) THEN
                RAISE EXCEPTION 'orders for several charges cannot be taken back';
            END IF;
        END $$
        """
    )


def _one_charge_an_order() -> None:
    for name in ("a_payment_is_what_its_order_asked", "a_payment_is_the_one_that_paid_its_order"):
        op.drop_constraint(name, "payment")
    op.drop_constraint("an_order_pays_a_charge_once", "payment")
    op.create_unique_constraint("a_wechat_payment_is_recorded_once", "payment", ["transaction_id"])
    op.create_unique_constraint("an_order_is_paid_once", "payment", ["order_id"])
    op.drop_constraint("a_line_follows_its_order", "order_line")
    op.drop_index("a_charge_has_one_open_order", "order_line")
    op.add_column("payment_order", sa.Column("charge_id", sa.BigInteger, nullable=True))
    op.execute("ALTER TABLE payment_order DISABLE TRIGGER payment_order_terms_are_fixed")
    op.execute(
        "UPDATE payment_order SET charge_id = order_line.charge_id FROM order_line "
        "WHERE order_line.order_id = payment_order.id"
    )
    op.execute("ALTER TABLE payment_order ENABLE TRIGGER payment_order_terms_are_fixed")
    _fixed_but(*CHANGING)
    for name in ("a_sub_order_is_asked_about_with_its_whole", "a_sub_order_was_sent_with_its_whole"):
        op.drop_constraint(name, "payment_order")
    op.drop_constraint("an_order_is_for_one_payee_in_one_state", "payment_order")
    op.drop_column("payment_order", "combined_id")
    op.drop_column("payment_order", "transaction_id")
    op.alter_column("payment_order", "body", nullable=False)
    op.alter_column("payment_order", "charge_id", nullable=False)
    sums = ["id", "charge_id", "channel_id", "payee_id", "amount_fen"]
    op.create_unique_constraint("an_order_is_for_one_sum_and_payee", "payment_order", sums)
    op.create_foreign_key(
        "an_order_asks_for_its_charge",
        "payment_order",
        "charge",
        ["charge_id", "payee_id", "amount_fen"],
        ["id", "payee_id", "amount_fen"],
    )
    op.create_foreign_key(
        "a_payment_is_what_its_order_asked",
        "payment",
        "payment_order",
        ["order_id", "charge_id", "channel_id", "payee_id", "paid_fen"],
        sums,
    )
    op.create_index(
        "a_charge_has_one_open_order", "payment_order", ["charge_id"], unique=True, postgresql_where=sa.text(OPEN)
    )
    op.create_index("ix_payment_order_charge_id", "payment_order", ["charge_id"])
