"""A lot's price from draft over proof to publication; nothing is charged but what was proved, published and announced."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph

revision = "0018"
down_revision = "0017"

LOT_PRICE = (
    ("", "draft", "draft"),
    ("draft", "prove", "proved"),
    ("draft", "fail", "failed"),
    ("proved", "prove", "proved"),
    ("proved", "fail", "failed"),
    ("failed", "prove", "proved"),
    ("failed", "fail", "failed"),
    ("proved", "publish", "published"),
    ("draft", "withdraw", "withdrawn"),
    ("proved", "withdraw", "withdrawn"),
    ("failed", "withdraw", "withdrawn"),
)
TABLES = ("lot_price_step", "lot_price", "cap_proof")
FUNCTIONS = ("a_decided_price_stays_as_it_was()", "a_lot_charges_by_a_published_price()")

COSTS_NOTHING = (
    "NOT jsonb_path_exists(parameters, '$.**.method ? (@ != \"free\")') "
    "AND NOT jsonb_path_exists(parameters, '$.overstay ? (@ != null)') "
    "AND NOT jsonb_path_exists(parameters, '$.occupancy ? (@ != null)')"
)
"""No band charges, nor does an overstay or an occupied charger."""


def upgrade() -> None:
    op.execute(
        f"ALTER TABLE tariff_version ADD COLUMN is_free boolean NOT NULL GENERATED ALWAYS AS ({COSTS_NOTHING}) STORED"
    )
    op.create_unique_constraint("a_tariff_costs_something_or_nothing", "tariff_version", ["id", "is_free"])
    _proofs()
    _prices()
    _steps()
    _charging()


def _proofs() -> None:
    op.create_table(
        "cap_proof",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("tariff_id", sa.BigInteger(), nullable=False),
        sa.Column("is_free", sa.Boolean(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=True),
        sa.Column("inputs", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("proved_by", sa.BigInteger(), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "octet_length(digest) = 32 AND octet_length(content_digest) = 32", name="a_proof_names_its_inputs"
        ),
        sa.CheckConstraint(
            "NOT holds OR is_free OR set_id IS NOT NULL", name="a_price_above_nothing_is_proved_against_references"
        ),
        sa.CheckConstraint(
            "holds OR jsonb_typeof(result -> 'counterexample') = 'object'",
            name="a_failed_proof_shows_its_counterexample",
        ),
        sa.CheckConstraint("explanation <> ''", name="a_proof_is_explained"),
        sa.CheckConstraint("first_day <= last_day", name="a_proof_covers_some_days"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_cap_proof_lot_id"),
        sa.ForeignKeyConstraint(["proved_by"], ["staff_account.id"], name="fk_cap_proof_proved_by"),
        sa.ForeignKeyConstraint(
            ["set_id", "lot_id"], ["reference_set.id", "reference_set.lot_id"], name="a_proof_is_about_the_lots_own_set"
        ),
        sa.ForeignKeyConstraint(
            ["tariff_id", "is_free"], ["tariff_version.id", "tariff_version.is_free"], name="a_proof_knows_its_tariff"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cap_proof"),
        sa.UniqueConstraint("key", name="uq_cap_proof_key"),
        sa.UniqueConstraint("lot_id", "digest", "first_day", name="the_same_is_proved_once"),
        sa.UniqueConstraint("id", "lot_id", "tariff_id", "holds", name="a_proof_holds_or_fails"),
    )
    op.create_index("ix_cap_proof_content_digest", "cap_proof", ["content_digest", "first_day"])
    append_only("cap_proof")


def _prices() -> None:
    op.create_table(
        "lot_price",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("tariff_id", sa.BigInteger(), nullable=False),
        sa.Column("running", sa.Text(), nullable=False),
        sa.Column("wanted_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proof_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "proof_holds",
            sa.Boolean(),
            sa.Computed(
                "CASE state WHEN 'proved' THEN true WHEN 'published' THEN true WHEN 'failed' THEN false END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice", sa.Text(), nullable=True),
        sa.Column("notice_days", sa.BigInteger(), nullable=True),
        sa.Column("needs_no_notice", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'proved', 'failed', 'published', 'withdrawn')", name="a_price_is_in_a_known_state"
        ),
        sa.CheckConstraint("running IN ('entry', 'split')", name="a_price_keeps_or_splits_running_stays"),
        sa.CheckConstraint(
            "state NOT IN ('proved', 'failed', 'published') OR proof_id IS NOT NULL",
            name="a_decided_price_has_its_proof",
        ),
        sa.CheckConstraint("published_by <> made_by", name="nobody_publishes_his_own_price"),
        sa.CheckConstraint(
            "num_nonnulls(published_by, published_at, effective_from, notice, notice_days) "
            "= CASE state WHEN 'published' THEN 5 ELSE 0 END",
            name="a_published_price_says_who_and_from_when",
        ),
        sa.CheckConstraint("notice <> ''", name="a_published_price_is_announced"),
        sa.CheckConstraint("effective_from >= published_at", name="a_price_is_announced_before_it_holds"),
        sa.CheckConstraint("needs_no_notice IN ('first', 'lower')", name="only_a_first_or_lower_price_needs_no_notice"),
        sa.CheckConstraint(
            "needs_no_notice IS NOT NULL OR effective_from >= published_at + notice_days * interval '24 hours'",
            name="a_dearer_price_is_announced_in_time",
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_price_lot_id"),
        sa.ForeignKeyConstraint(["made_by"], ["staff_account.id"], name="fk_lot_price_made_by"),
        sa.ForeignKeyConstraint(
            ["proof_id", "lot_id", "tariff_id", "proof_holds"],
            ["cap_proof.id", "cap_proof.lot_id", "cap_proof.tariff_id", "cap_proof.holds"],
            name="a_price_rests_on_its_own_proof",
        ),
        sa.ForeignKeyConstraint(["published_by"], ["staff_account.id"], name="fk_lot_price_published_by"),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff_version.id"], name="fk_lot_price_tariff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_price"),
        sa.UniqueConstraint("key", name="uq_lot_price_key"),
        sa.UniqueConstraint("lot_id", "version", name="a_lot_numbers_each_price_once"),
        sa.UniqueConstraint("id", "lot_id", "tariff_id", "running", name="a_price_is_one_lots_one_tariff"),
    )
    op.create_index(
        "a_lot_has_one_price_in_the_making",
        "lot_price",
        ["lot_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'proved', 'failed')"),
    )
    op.create_index(
        "ix_lot_price_effective_from", "lot_price", ["effective_from"], postgresql_where=sa.text("state = 'published'")
    )
    op.execute(
        """
        CREATE FUNCTION a_decided_price_stays_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'price % is decided', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_decided_price_stays_as_it_was';
        END $$;
        CREATE TRIGGER a_decided_price_stays_as_it_was BEFORE UPDATE ON lot_price FOR EACH ROW
            WHEN (OLD.state IN ('published', 'withdrawn')) EXECUTE FUNCTION a_decided_price_stays_as_it_was();
        """
    )
    graph("lot_price", LOT_PRICE)
    follows_graph("lot_price", "lot_price")
    changing = "state, proof_id, published_by, published_at, effective_from, notice, notice_days, needs_no_notice"
    grant(f"SELECT, INSERT, UPDATE ({changing})", "lot_price")


def _steps() -> None:
    op.create_table(
        "lot_price_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("price_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("by_account", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_account"], ["staff_account.id"], name="fk_lot_price_step_by_account"),
        sa.ForeignKeyConstraint(["price_id"], ["lot_price.id"], name="fk_lot_price_step_price_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_price_step"),
    )
    op.create_index("ix_lot_price_step_price_id_id", "lot_price_step", ["price_id", "id"])
    append_only("lot_price_step")


def _charging() -> None:
    """What a lot charges by was published for it, once; what it charged by before this step stays as it is."""
    op.add_column("lot_tariff", sa.Column("price_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        "a_lot_charges_by_its_own_price",
        "lot_tariff",
        "lot_price",
        ["price_id", "lot_id", "tariff_id", "running"],
        ["id", "lot_id", "tariff_id", "running"],
    )
    op.execute(
        """
        CREATE FUNCTION a_lot_charges_by_a_published_price() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM lot_price WHERE id = NEW.price_id AND state = 'published' AND effective_from = lower(NEW.valid)
            ) THEN
                RAISE EXCEPTION 'no published price says so of lot %', NEW.lot_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_lot_charges_by_a_published_price';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_lot_charges_by_a_published_price BEFORE INSERT ON lot_tariff
            FOR EACH ROW EXECUTE FUNCTION a_lot_charges_by_a_published_price();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_lot_charges_by_a_published_price ON lot_tariff")
    op.drop_column("lot_tariff", "price_id")
    for table in TABLES:
        op.drop_table(table)
    op.execute(f"DROP FUNCTION {', '.join(FUNCTIONS)}")
    op.drop_constraint("a_tariff_costs_something_or_nothing", "tariff_version", type_="unique")
    op.drop_column("tariff_version", "is_free")
    forget_graph("lot_price")
