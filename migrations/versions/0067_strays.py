"""A payment of which only WeChat knows is placed by two persons: it pays an open debt, or goes back to whoever paid it."""

import sqlalchemy as sa
from alembic import op

from migrations.words import follows_graph, forget_graph, grant, graph, written_down

revision = "0067"
down_revision = "0066"

TABLE = "stray_placement"
PLACEMENT = (
    ("", "ask", "waiting"),
    ("waiting", "accept", "accepted"),
    ("waiting", "reject", "rejected"),
    ("accepted", "place", "placed"),
    ("accepted", "fail", "failed"),
)
OF_A_STRAY = """ AND NOT EXISTS (
                SELECT FROM stray_placement asked JOIN difference stray ON stray.id = asked.difference_id
                WHERE asked.state = 'accepted' AND stray.channel_id = NEW.channel_id
                  AND (stray.out_trade_no, stray.gap_fen) = (NEW.out_trade_no, NEW.amount_fen)
            )"""
CHANGING = ("state", "charge_id", "decided_by", "decided_at", "decided_because", "next_check_at", "tries")


def upgrade() -> None:
    op.alter_column("charge", "motorist_id", nullable=True)
    op.create_check_constraint(
        "only_what_strayed_is_nobodys", "charge", "motorist_id IS NOT NULL OR source_kind = 'stray'",
        postgresql_not_valid=True,
    )  # fmt: skip
    _placements()
    graph(TABLE, PLACEMENT)
    follows_graph(TABLE, TABLE)
    grant(f"SELECT, INSERT, UPDATE ({', '.join(CHANGING)})", TABLE)
    _terms_are_fixed()
    _paid()
    _brought_in(OF_A_STRAY)
    written_down(
        TABLE, "difference_id", "payee_id", "amount_fen", "way", "charge_id", "state", "made_by", "decided_by",
        moving="state",
    )  # fmt: skip


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _placements() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False), _number("difference_id"), _number("payee_id"),
        _number("amount_fen"), _text("way"), _number("charge_id", nullable=True), _text("because"), _text("made_by"),
        _moment("made_at"), _text("state"), _text("decided_by", nullable=True), _moment("decided_at", nullable=True),
        _text("decided_because", nullable=True), _moment("next_check_at", nullable=True), _number("tries"),
        sa.PrimaryKeyConstraint("id", name="pk_stray_placement"),
        sa.UniqueConstraint("key", name="uq_stray_placement_key"),
        sa.ForeignKeyConstraint(
            ["difference_id", "payee_id", "amount_fen"], [f"difference.{name}" for name in ("id", "payee_id", "gap_fen")],
            name="a_stray_is_placed_whole",
        ),
        sa.ForeignKeyConstraint(
            ["charge_id", "payee_id", "amount_fen"], [f"charge.{name}" for name in ("id", "payee_id", "amount_fen")],
            name="a_stray_pays_its_payees_charge_to_the_fen",
        ),
        sa.CheckConstraint("way IN ('settle', 'give_back')", name="a_stray_goes_a_known_way"),
        sa.CheckConstraint("amount_fen > 0", name="a_stray_is_money_that_came"),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'rejected', 'placed', 'failed')", name="a_placement_is_in_a_known_state"
        ),
        sa.CheckConstraint(
            "charge_id IS NOT NULL OR way = 'give_back' AND state IN ('waiting', 'rejected')",
            name="a_stray_that_is_placed_has_its_charge",
        ),
        sa.CheckConstraint("decided_by <> made_by", name="a_placement_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_placement_says_how_and_why",
        ),
        sa.CheckConstraint("because <> '' AND decided_because <> ''", name="a_placement_says_something"),
        sa.CheckConstraint(
            "next_check_at IS NULL OR state = 'accepted'", name="wechat_is_asked_while_a_placement_is_accepted"
        ),
    )  # fmt: skip
    live, due = sa.text("state NOT IN ('rejected', 'failed')"), sa.text("next_check_at IS NOT NULL")
    op.create_index("a_stray_is_placed_once", TABLE, ["difference_id"], unique=True, postgresql_where=live)
    op.create_index("ix_stray_placement_next_check_at", TABLE, ["next_check_at"], postgresql_where=due)


def _terms_are_fixed() -> None:
    kept = ", ".join(f"'{column}'" for column in CHANGING)
    op.execute(
        f"""
        CREATE FUNCTION stray_placement_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}]
               AND (OLD.charge_id IS NULL OR OLD.charge_id = NEW.charge_id)
               AND (OLD.state = 'waiting' OR (OLD.decided_by, OLD.decided_at, OLD.decided_because)
                    = (NEW.decided_by, NEW.decided_at, NEW.decided_because)) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the terms of a placement are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stray_placement_terms_are_fixed';
        END $$;
        CREATE TRIGGER stray_placement_terms_are_fixed BEFORE UPDATE OR DELETE ON stray_placement
            FOR EACH ROW EXECUTE FUNCTION stray_placement_terms_are_fixed();
        """
    )


def _paid() -> None:
    op.execute(
        """
        CREATE FUNCTION a_placed_stray_is_a_payment() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM difference stray JOIN payment ON payment.transaction_id = stray.subject
                WHERE stray.id = NEW.difference_id AND stray.state = 'gone' AND payment.charge_id = NEW.charge_id
                  AND payment.channel_id = stray.channel_id AND NOT payment.surplus
            ) THEN
                RAISE EXCEPTION 'difference % is no payment of charge %', NEW.difference_id, NEW.charge_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_placed_stray_is_a_payment';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_placed_stray_is_a_payment AFTER INSERT OR UPDATE ON stray_placement
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'placed')
            EXECUTE FUNCTION a_placed_stray_is_a_payment();
        """
    )


def _brought_in(of_a_stray: str) -> None:
    """What was paid through a merchant that has retired since is written down as its order; nobody is asked for it."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION an_order_goes_through_a_channel_that_takes_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM merchant_channel WHERE id = NEW.channel_id AND valid @> NEW.created_at){of_a_stray} THEN
                RAISE EXCEPTION 'channel % takes no order at %', NEW.channel_id, NEW.created_at
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'an_order_goes_through_a_channel_that_takes_it';
            END IF;
            RETURN NEW;
        END $$
        """
    )


def downgrade() -> None:
    """Only where nothing strayed that was given back: its charge is nobody's."""
    _brought_in("")
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION a_placed_stray_is_a_payment, stray_placement_terms_are_fixed")
    forget_graph(TABLE)
    op.drop_constraint("only_what_strayed_is_nobodys", "charge")
    op.alter_column("charge", "motorist_id", nullable=False)
