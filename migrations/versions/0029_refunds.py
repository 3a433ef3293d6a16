"""Refunds: what goes back of a payment, never more than was paid, however many ask at once."""

import sqlalchemy as sa
from alembic import op

from migrations.words import follows_graph, forget_graph, grant, graph

revision = "0029"
down_revision = "0028"

MOMENT = sa.DateTime(timezone=True)
REFUND = (
    ("", "born", "requested"),
    ("requested", "approve", "approved"),
    ("requested", "reject", "rejected"),
    ("approved", "send", "submitting"),
    ("submitting", "time_out", "unknown"),
    ("submitting", "accept", "processing"),
    ("submitting", "succeed", "success"),
    ("submitting", "close", "closed"),
    ("submitting", "fail", "abnormal"),
    ("unknown", "accept", "processing"),
    ("unknown", "succeed", "success"),
    ("unknown", "close", "closed"),
    ("unknown", "fail", "abnormal"),
    ("processing", "succeed", "success"),
    ("processing", "close", "closed"),
    ("processing", "fail", "abnormal"),
    ("abnormal", "succeed", "success"),
    ("abnormal", "close", "closed"),
)
PAYMENT = ("id", "charge_id", "channel_id", "payee_id", "paid_fen", "surplus")
CHANGING = (
    "body", "refund_id", "state", "moved_at", "next_check_at", "checks", "decided_by", "decided_at", "decided_because",
)  # fmt: skip
FORMER_CALLS = "purpose IN ('create', 'close')"
FORMER_NOTICES = "kind IN ('transaction', 'unknown')"


def upgrade() -> None:
    op.create_unique_constraint("a_payment_is_one_sum_for_one_payee", "payment", PAYMENT)
    kept = sa.text("surplus AND refund_reserved_fen = 0")
    op.create_index("ix_payment_surplus_kept", "payment", ["id"], postgresql_where=kept)
    returned = sa.text("state IN ('paid_late', 'refund_full')")
    op.create_index("ix_charge_to_be_returned", "charge", ["id"], postgresql_where=returned)
    _refunds()
    graph("refund", REFUND)
    follows_graph("refund", "refund")
    _terms()
    _sums()
    _channel()


def _number(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, MOMENT, nullable=nullable)


def _refunds() -> None:
    op.create_table(
        "refund",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        *(_number(name) for name in ("payment_id", "charge_id", "channel_id", "payee_id")),
        _text("regime"),
        _number("paid_fen"),
        sa.Column("surplus", sa.Boolean, nullable=False),
        _number("amount_fen"),
        _number("from_prepaid_fen"),
        _text("reason"),
        _text("basis", nullable=True),
        _text("asked_by"),
        _moment("asked_at"),
        _number("alone_up_to_fen"),
        _text("decided_by", nullable=True),
        _moment("decided_at", nullable=True),
        _text("decided_because", nullable=True),
        _text("out_refund_no"),
        sa.Column("body", sa.LargeBinary, nullable=True),
        _text("refund_id", nullable=True),
        _text("state"),
        _moment("moved_at"),
        _moment("next_check_at", nullable=True),
        _number("checks"),
        _text("on_moved"),
        sa.UniqueConstraint("key", name="uq_refund_key"),
        sa.UniqueConstraint("out_refund_no", name="an_out_refund_no_is_used_once"),
        sa.UniqueConstraint("refund_id", name="a_wechat_refund_is_known_once"),
        sa.ForeignKeyConstraint(
            ["payment_id", *PAYMENT[1:]], [f"payment.{name}" for name in PAYMENT], name="a_refund_is_of_one_payment"
        ),
        sa.ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_refund_has_its_payees_regime"
        ),
        *_conditions(),
    )
    for column in ("payment_id", "charge_id", "moved_at"):
        op.create_index(f"ix_refund_{column}", "refund", [column])
    op.create_index(
        "ix_refund_next_check_at", "refund", ["next_check_at"], postgresql_where=sa.text("next_check_at IS NOT NULL")
    )
    grant(f"SELECT, INSERT, UPDATE ({', '.join(CHANGING)})", "refund")


def _conditions() -> list[sa.CheckConstraint]:
    told = {
        "a_refund_is_for_money_that_was_paid": "amount_fen BETWEEN 1 AND paid_fen",
        "a_refund_is_drawn_from_where_the_money_lies": (
            "from_prepaid_fen BETWEEN 0 AND amount_fen AND (from_prepaid_fen = 0 OR NOT surplus)"
        ),
        "a_refund_has_a_reason_from_the_list": (
            "reason IN ('paid_twice', 'paid_late', 'overpaid', 'charged_wrongly', 'not_served', 'goodwill')"
        ),
        "nobody_gives_the_treasurys_money_away": "reason <> 'goodwill' OR regime = 'SOE'",
        "the_platform_returns_what_the_law_says_and_persons_say_why": (
            "(asked_by = 'platform') = (reason IN ('paid_twice', 'paid_late')) "
            "AND (asked_by = 'platform') = (basis IS NULL)"
        ),
        "the_platform_returns_whole_payments": "asked_by <> 'platform' OR amount_fen = paid_fen",
        "a_refund_is_decided_by_another_person": "decided_by <> asked_by",
        "a_large_refund_needs_two_persons": (
            "state IN ('requested', 'rejected') OR asked_by = 'platform' OR amount_fen <= alone_up_to_fen "
            "OR decided_by IS NOT NULL"
        ),
        "somebody_rejects_a_refund": "state <> 'rejected' OR decided_by IS NOT NULL",
        "a_decision_has_its_time": "(decided_by IS NULL) = (decided_at IS NULL)",
        "a_refund_that_was_sent_says_what": "(state IN ('requested', 'approved', 'rejected')) = (body IS NULL)",
        "a_refund_is_in_a_known_state": (
            "state IN ('requested', 'rejected', 'approved', 'submitting', 'unknown', 'processing', 'success', "
            "'closed', 'abnormal')"
        ),
    }
    return [sa.CheckConstraint(holds, name=name) for name, holds in told.items()]


def _terms() -> None:
    """What was asked for stays as it was, whoever writes; so do a request that was sent and a decision once taken."""
    changing = ", ".join(f"'{column}'" for column in CHANGING)
    op.execute(
        f"""
        CREATE FUNCTION refund_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{changing}] = to_jsonb(OLD) - ARRAY[{changing}]
               AND (OLD.body IS NULL OR OLD.body = NEW.body)
               AND (OLD.refund_id IS NULL OR OLD.refund_id IS NOT DISTINCT FROM NEW.refund_id)
               AND (OLD.decided_by IS NULL OR OLD.decided_by IS NOT DISTINCT FROM NEW.decided_by) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the terms of a refund are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refund_terms_are_fixed';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER refund_terms_are_fixed BEFORE UPDATE OR DELETE ON refund "
        "FOR EACH ROW EXECUTE FUNCTION refund_terms_are_fixed()"
    )


def _sums() -> None:
    """A payment's `refund_reserved_fen` is what its live refunds sum to, looked at when the transaction ends.

    Whoever adds a refund must so write on the payment's row; writers of one row wait for each other, and the row's own
    check compares the sum with what was paid.
    """
    op.execute(
        """
        CREATE FUNCTION a_payment_reserves_what_is_refunded() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            looked_at bigint := (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'refund' THEN 'payment_id' ELSE 'id' END);
            reserved  bigint;
            promised  numeric;
        BEGIN
            SELECT refund_reserved_fen INTO reserved FROM payment WHERE id = looked_at;
            SELECT coalesce(sum(amount_fen), 0) INTO promised
            FROM refund WHERE payment_id = looked_at AND state NOT IN ('rejected', 'closed');
            IF reserved <> promised THEN
                RAISE EXCEPTION 'payment % reserves % fen for refunds of % fen', looked_at, reserved, promised
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_payment_reserves_what_is_refunded';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table, deeds in (("refund", "INSERT OR UPDATE OF state"), ("payment", "UPDATE OF refund_reserved_fen")):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER a_payment_reserves_what_is_refunded_by_{table} AFTER {deeds} ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_payment_reserves_what_is_refunded()"
        )


def _channel() -> None:
    op.alter_column("channel_call", "order_id", nullable=True)
    op.add_column("channel_call", sa.Column("refund_id", sa.BigInteger, sa.ForeignKey("refund.id"), nullable=True))
    about = sa.text("refund_id IS NOT NULL")
    op.create_index("ix_channel_call_refund_id", "channel_call", ["refund_id"], postgresql_where=about)
    _say_instead("channel_call", "a_call_has_a_known_purpose", "purpose IN ('create', 'close', 'refund')")
    op.create_check_constraint(
        "a_call_is_about_an_order_or_a_refund",
        "channel_call",
        "(purpose = 'refund') = (refund_id IS NOT NULL) AND (refund_id IS NULL) = (order_id IS NOT NULL)",
    )
    _say_instead(
        "callback_inbox", "a_notice_is_of_a_known_kind_or_unknown", "kind IN ('transaction', 'refund', 'unknown')"
    )


def _say_instead(table: str, constraint: str, holds: str) -> None:
    op.drop_constraint(constraint, table)
    op.create_check_constraint(constraint, table, holds)


def downgrade() -> None:
    op.execute("UPDATE callback_inbox SET kind = 'unknown' WHERE kind = 'refund'")
    _say_instead("callback_inbox", "a_notice_is_of_a_known_kind_or_unknown", FORMER_NOTICES)
    op.drop_constraint("a_call_is_about_an_order_or_a_refund", "channel_call")
    op.execute("DELETE FROM channel_call WHERE refund_id IS NOT NULL")
    op.drop_column("channel_call", "refund_id")
    op.alter_column("channel_call", "order_id", nullable=False)
    _say_instead("channel_call", "a_call_has_a_known_purpose", FORMER_CALLS)
    op.execute("DROP TRIGGER a_payment_reserves_what_is_refunded_by_payment ON payment")
    forget_graph("refund")
    op.drop_table("refund")
    op.execute("DROP FUNCTION a_payment_reserves_what_is_refunded, refund_terms_are_fixed")
    op.drop_index("ix_charge_to_be_returned", "charge")
    op.drop_index("ix_payment_surplus_kept", "payment")
    op.drop_constraint("a_payment_is_one_sum_for_one_payee", "payment")
