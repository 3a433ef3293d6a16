"""Receipts by e-mail: mails with an address that goes when they end, what is in them, and the line to the mail server."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, follows_graph, forget_graph, grant, graph

revision = "0053"
down_revision = "0052"

MAIL = (
    ("", "born", "due"),
    ("due", "send", "sending"),
    ("due", "give_up", "given_up"),
    ("sending", "deliver", "delivered"),
    ("sending", "refuse", "refused"),
    ("sending", "postpone", "due"),
    ("sending", "lose", "due"),
)
CHANGING = ("address", "state", "attempts", "next_check_at", "smtp_code", "ended_at")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_unique_constraint(
        "a_receipt_is_one_motorists_under_one_number", "receipt", ["id", "motorist_id", "number"]
    )
    _mails()
    _enclosed()
    _line()
    graph("receipt_mail", MAIL)
    follows_graph("receipt_mail", "receipt_mail")
    _erased_only()


def _mails() -> None:
    op.create_table(
        "receipt_mail",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("motorist_id", sa.BigInteger, sa.ForeignKey("motorist.id"), nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("give_up_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("next_check_at", MOMENT, nullable=True),
        sa.Column("smtp_code", sa.BigInteger, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.UniqueConstraint("key", name="uq_receipt_mail_key"),
        sa.UniqueConstraint("id", "motorist_id", name="a_receipt_mail_is_one_motorists"),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'delivered', 'refused', 'given_up')",
            name="a_receipt_mail_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "(state IN ('due', 'sending')) = (address IS NOT NULL)", name="an_address_is_kept_until_its_mail_has_ended"
        ),
        sa.CheckConstraint(
            "(state IN ('due', 'sending')) = (ended_at IS NULL)", name="a_receipt_mail_that_ended_says_when"
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (next_check_at IS NOT NULL)", name="a_receipt_mail_under_way_is_looked_at_again"
        ),
        sa.CheckConstraint(
            "state NOT IN ('sending', 'delivered', 'refused') OR attempts > 0", name="what_was_mailed_was_tried"
        ),
        sa.CheckConstraint("state <> 'refused' OR smtp_code >= 500", name="a_refused_receipt_mail_says_the_code"),
        sa.CheckConstraint("give_up_at > asked_at", name="a_receipt_mail_has_some_time"),
    )
    op.create_index("ix_receipt_mail_motorist_id_asked_at", "receipt_mail", ["motorist_id", "asked_at"])
    due = sa.text("next_check_at IS NOT NULL")
    op.create_index("ix_receipt_mail_next_check_at", "receipt_mail", ["next_check_at"], postgresql_where=due)
    grant(f"SELECT, INSERT, UPDATE ({', '.join(CHANGING)})", "receipt_mail")


def _enclosed() -> None:
    op.create_table(
        "mailed_receipt",
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("mail_id", "receipt_id", "motorist_id")),
        sa.Column("number", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("mail_id", "receipt_id", name="pk_mailed_receipt"),
        sa.ForeignKeyConstraint(
            ["mail_id", "motorist_id"],
            ["receipt_mail.id", "receipt_mail.motorist_id"],
            name="a_mailed_receipt_goes_to_who_asked",
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id", "motorist_id", "number"],
            ["receipt.id", "receipt.motorist_id", "receipt.number"],
            name="only_ones_own_issued_receipts_are_mailed",
        ),
    )
    op.create_index("ix_mailed_receipt_receipt_id", "mailed_receipt", ["receipt_id"])
    append_only("mailed_receipt")


def _line() -> None:
    op.create_table(
        "receipt_mail_line",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("failures", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("rests_until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_receipt_mail_line"),
        sa.CheckConstraint("id = 1", name="there_is_one_line_for_receipt_mails"),
        sa.CheckConstraint(
            "(failures = 0) = (rests_until IS NULL)", name="a_mail_line_that_failed_rests_until_a_moment"
        ),
    )
    grant("SELECT, INSERT, UPDATE", "receipt_mail_line")


def _erased_only() -> None:
    """Nobody can turn a mail that is under way to another address."""
    op.execute(
        """
        CREATE FUNCTION an_address_is_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.address IS NOT NULL AND NEW.address IS DISTINCT FROM OLD.address THEN
                RAISE EXCEPTION 'the address of a receipt mail can be erased, never replaced'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_address_is_only_erased';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER an_address_is_only_erased BEFORE UPDATE OF address ON receipt_mail
            FOR EACH ROW EXECUTE FUNCTION an_address_is_only_erased();
        """
    )


def downgrade() -> None:
    forget_graph("receipt_mail")
    for table in ("mailed_receipt", "receipt_mail", "receipt_mail_line"):
        op.drop_table(table)
    op.execute("DROP FUNCTION an_address_is_only_erased")
    op.drop_constraint("a_receipt_is_one_motorists_under_one_number", "receipt")
