"""Partners: their keys, counts, visits, proposals, and what was refused of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, grant, only_ends

revision = "0012"
down_revision = "0011"

TABLES = (
    "lot_proposal", "partner_visit_report", "partner_visit", "lot_count", "partner_refusal", "partner_lot",
    "partner_nonce", "partner_key", "partner",
)  # fmt: skip


def upgrade() -> None:
    _partners()
    _counts()
    _visits()
    _proposals()
    _order_of_counts()
    _what_is_final()
    _rights()


def _partners() -> None:
    op.create_table(
        "partner",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("operator_id", sa.BigInteger(), nullable=True),
        sa.Column("registered_by", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.CheckConstraint("name <> ''", name="a_partner_has_a_name"),
        sa.CheckConstraint(
            "num_nonnulls(revoked_by, revoked_at, revoked_because) IN (0, 3) AND revoked_because <> ''",
            name="a_revocation_says_who_and_why",
        ),
        sa.CheckConstraint("num_nonnulls(unit_id, operator_id) = 1", name="a_partner_speaks_for_a_unit_or_an_operator"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_partner_operator_id"),
        sa.ForeignKeyConstraint(["registered_by"], ["staff_account.id"], name="fk_partner_registered_by"),
        sa.ForeignKeyConstraint(["revoked_by"], ["staff_account.id"], name="fk_partner_revoked_by"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_partner_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_partner"),
        sa.UniqueConstraint("key", name="uq_partner_key"),
        sa.UniqueConstraint("name", name="a_partner_has_a_name_of_its_own"),
    )
    op.create_table(
        "partner_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("secret_enc", sa.LargeBinary(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("partner_id"), "="),
            (sa.column("slot"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="two_keys_of_a_partner_are_valid_at_most",
        ),
        sa.CheckConstraint("NOT isempty(valid) AND lower_inc(valid)", name="a_partners_key_is_valid_for_some_time"),
        sa.CheckConstraint("slot IN (1, 2)", name="a_partner_has_two_key_slots"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_partner_key_partner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_partner_key"),
        sa.UniqueConstraint("partner_id", "key_id", name="a_key_is_named_once_per_partner"),
    )
    op.create_table(
        "partner_nonce",
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_partner_nonce_partner_id"),
        sa.PrimaryKeyConstraint("partner_id", "nonce", name="pk_partner_nonce"),
    )
    op.create_index("ix_partner_nonce_seen_at", "partner_nonce", ["seen_at"], unique=False)
    op.create_table(
        "partner_lot",
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("own_code", sa.Text(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silence_noted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("own_code <> ''", name="a_partners_code_says_something"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_partner_lot_lot_id"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_partner_lot_partner_id"),
        sa.PrimaryKeyConstraint("partner_id", "lot_id", name="pk_partner_lot"),
        sa.UniqueConstraint("partner_id", "own_code", name="a_partner_gives_a_code_to_one_lot"),
    )
    op.create_index("ix_partner_lot_lot_id", "partner_lot", ["lot_id"], unique=False)
    op.create_table(
        "partner_refusal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('count', 'visit', 'lot', 'request')", name="a_refusal_is_of_a_known_kind"),
        sa.CheckConstraint("octet_length(digest) = 16", name="a_refusal_has_a_digest"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_partner_refusal_lot_id"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_partner_refusal_partner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_partner_refusal"),
    )
    op.create_index("ix_partner_refusal_partner_id_at", "partner_refusal", ["partner_id", "at"], unique=False)


def _counts() -> None:
    op.create_table(
        "lot_count",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("charging_free", sa.BigInteger(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("counted_at <= received_at + interval '5 minutes'", name="a_count_is_not_from_the_future"),
        sa.CheckConstraint("charging_free BETWEEN 0 AND free", name="free_charging_bays_are_some_of_the_free"),
        sa.CheckConstraint("free BETWEEN 0 AND total", name="free_bays_are_some_of_all"),
        sa.ForeignKeyConstraint(
            ["partner_id", "lot_id"],
            ["partner_lot.partner_id", "partner_lot.lot_id"],
            name="a_count_is_of_a_partners_lot",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_lot_count"),
        sa.UniqueConstraint("partner_id", "lot_id", "counted_at", name="a_moment_is_counted_once"),
    )
    op.create_index("ix_lot_count_lot_id_counted_at", "lot_count", ["lot_id", "counted_at"], unique=False)


def _visits() -> None:
    op.create_table(
        "partner_visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "lot_id"],
            ["partner_lot.partner_id", "partner_lot.lot_id"],
            name="a_visit_is_to_a_partners_lot",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_partner_visit"),
        sa.UniqueConstraint("partner_id", "lot_id", "uid", name="a_visit_is_known_once"),
    )
    op.create_index("ix_partner_visit_lot_id", "partner_visit", ["lot_id"], unique=False)
    op.create_table(
        "partner_visit_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("visit_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("plate_id", sa.BigInteger(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_lane", sa.Text(), nullable=True),
        sa.Column("exit_lane", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'report') = (reason IS NULL) AND reason <> ''", name="a_correction_gives_a_reason"),
        sa.CheckConstraint(
            "greatest(entered_at, left_at, told_at) <= received_at + interval '5 minutes'",
            name="a_visit_is_not_from_the_future",
        ),
        sa.CheckConstraint("kind IN ('report', 'correction', 'void')", name="a_report_is_of_one_of_three_kinds"),
        sa.CheckConstraint("entered_at <= left_at", name="a_car_leaves_after_it_entered"),
        sa.CheckConstraint("number > 0", name="reports_are_numbered_from_one"),
        sa.CheckConstraint("octet_length(digest) = 32", name="a_report_has_its_digest"),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name="fk_partner_visit_report_plate_id"),
        sa.ForeignKeyConstraint(["visit_id"], ["partner_visit.id"], name="fk_partner_visit_report_visit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_partner_visit_report"),
        sa.UniqueConstraint("visit_id", "digest", name="a_visit_is_told_the_same_once"),
        sa.UniqueConstraint("visit_id", "number", name="reports_of_a_visit_are_numbered"),
    )
    op.create_index(
        "a_visit_is_voided_once",
        "partner_visit_report",
        ["visit_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'void'"),
    )
    op.create_index("ix_partner_visit_report_plate_id", "partner_visit_report", ["plate_id"], unique=False)


def _proposals() -> None:
    op.create_table(
        "lot_proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("proposed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(coalesce(outcome, 'superseded') = 'superseded') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_because IS NULL) AND decided_because <> ''",
            name="a_decision_on_a_proposal_says_who_and_why",
        ),
        sa.CheckConstraint("outcome IN ('accepted', 'declined', 'superseded')", name="a_proposal_ends_in_one_of_three"),
        sa.CheckConstraint("proposed <> '{}'", name="a_proposal_proposes_something"),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="an_ended_proposal_says_when"),
        sa.ForeignKeyConstraint(["decided_by"], ["staff_account.id"], name="fk_lot_proposal_decided_by"),
        sa.ForeignKeyConstraint(
            ["partner_id", "lot_id"],
            ["partner_lot.partner_id", "partner_lot.lot_id"],
            name="a_proposal_is_about_a_partners_lot",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_lot_proposal"),
        sa.UniqueConstraint("key", name="uq_lot_proposal_key"),
    )
    op.create_index(
        "a_partner_has_one_open_proposal_for_a_lot",
        "lot_proposal",
        ["partner_id", "lot_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
    )


def _order_of_counts() -> None:
    """A partner's counts of a lot only go forward in time, and never name more bays than the lot shares."""
    op.execute(
        """
        CREATE FUNCTION a_count_follows_the_last() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM 1 FROM partner_lot WHERE partner_id = NEW.partner_id AND lot_id = NEW.lot_id FOR UPDATE;
            IF EXISTS (
                SELECT FROM lot_count
                WHERE partner_id = NEW.partner_id AND lot_id = NEW.lot_id AND counted_at > NEW.counted_at
            ) THEN
                RAISE EXCEPTION 'a later count is known already'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_count_follows_the_last';
            END IF;
            IF NEW.total > (SELECT count(*) FROM bay WHERE lot_id = NEW.lot_id AND shared) THEN
                RAISE EXCEPTION 'more bays than the lot shares'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_count_stays_within_the_shared_bays';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_count_follows_the_last BEFORE INSERT ON lot_count
            FOR EACH ROW EXECUTE FUNCTION a_count_follows_the_last();
        """
    )


def _what_is_final() -> None:
    op.execute(
        """
        CREATE TRIGGER a_revocation_is_final BEFORE UPDATE ON partner
            FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER a_decision_on_a_proposal_is_final BEFORE UPDATE ON lot_proposal
            FOR EACH ROW WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION refuse_change();
        """
    )


def _rights() -> None:
    append_only("lot_count", "partner_visit", "partner_visit_report", "partner_refusal")
    only_ends("partner_key")
    grant("SELECT, INSERT, UPDATE (revoked_by, revoked_at, revoked_because)", "partner")
    grant("SELECT, INSERT, DELETE", "partner_nonce")
    grant("SELECT, INSERT, UPDATE (own_code, heard_at, silence_noted_at)", "partner_lot")
    grant("SELECT, INSERT, UPDATE (outcome, decided_at, decided_by, decided_because)", "lot_proposal")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION a_count_follows_the_last()")
