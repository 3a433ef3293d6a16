"""The city also hears of visits that only a partner's system saw."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

VISIT = "an_upload_names_its_visits_lot"
BELONGS = "an_entry_or_exit_belongs_to_a_visit"
ONCE = "a_visit_has_one_entry_and_one_exit"
TO_ONE_LOT = "a_visit_is_to_one_lot"


def upgrade() -> None:
    """A visit has a number of its own here; a stay, or a partner's visit, is what it is of."""
    op.execute("ALTER TABLE city_visit ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY NOT NULL")
    op.add_column("city_visit", sa.Column("partner_visit_id", sa.BigInteger(), nullable=True))
    op.add_column("city_upload", sa.Column("visit_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE city_upload SET visit_id = city_visit.id FROM city_visit WHERE city_visit.stay_id = city_upload.stay_id"
    )
    _let_go("stay_id")
    op.drop_column("city_upload", "stay_id")
    op.drop_constraint("pk_city_visit", "city_visit")
    op.alter_column("city_visit", "stay_id", nullable=True)
    op.create_primary_key("pk_city_visit", "city_visit", ["id"])
    op.create_unique_constraint("a_stay_is_one_visit", "city_visit", ["stay_id"])
    op.create_unique_constraint("a_partners_visit_is_one_visit", "city_visit", ["partner_visit_id"])
    op.create_foreign_key("fk_city_visit_partner_visit_id", "city_visit", "partner_visit", ["partner_visit_id"], ["id"])
    op.create_check_constraint("somebody_saw_the_visit", "city_visit", "num_nonnulls(stay_id, partner_visit_id) = 1")
    _hold("id", "visit_id")
    op.execute(refuse_exit_before_entry("visit_id"))


def _let_go(visit: str) -> None:
    """All that names a visit by the column `visit`."""
    for name in (VISIT, BELONGS, ONCE):
        op.drop_constraint(name, "city_upload")
    op.drop_constraint(f"fk_city_upload_{visit}", "city_upload")
    op.drop_constraint(TO_ONE_LOT, "city_visit")
    op.drop_index("ix_city_visit_going_on", "city_visit")


def _hold(key: str, visit: str) -> None:
    op.create_unique_constraint(TO_ONE_LOT, "city_visit", [key, "lot_id"])
    op.create_foreign_key(f"fk_city_upload_{visit}", "city_upload", "city_visit", [visit], [key])
    op.create_foreign_key(VISIT, "city_upload", "city_visit", [visit, "lot_id"], [key, "lot_id"])
    op.create_check_constraint(BELONGS, "city_upload", f"(kind = 'lot') = ({visit} IS NULL)")
    op.create_unique_constraint(ONCE, "city_upload", [visit, "kind"])
    op.create_index("ix_city_visit_going_on", "city_visit", [key], postgresql_where=sa.text("NOT has_ended"))


def refuse_exit_before_entry(visit: str) -> str:
    """The function of 0013."""
    return f"""
        CREATE OR REPLACE FUNCTION refuse_exit_before_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM city_upload WHERE {visit} = NEW.{visit} AND kind = 'entry' AND state = 'due'
            ) THEN
                RAISE EXCEPTION 'the entry of visit % waits', NEW.{visit}
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'an_exit_is_told_after_its_entry';
            END IF;
            RETURN NEW;
        END $$
    """


def downgrade() -> None:
    """What was told of partners' visits is forgotten."""
    op.execute("DELETE FROM city_upload WHERE visit_id IN (SELECT id FROM city_visit WHERE stay_id IS NULL)")
    op.execute("DELETE FROM city_visit WHERE stay_id IS NULL")
    op.add_column("city_upload", sa.Column("stay_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE city_upload SET stay_id = city_visit.stay_id FROM city_visit WHERE city_visit.id = city_upload.visit_id"
    )
    _let_go("visit_id")
    op.drop_column("city_upload", "visit_id")
    for name in ("somebody_saw_the_visit", "a_stay_is_one_visit", "a_partners_visit_is_one_visit", "pk_city_visit"):
        op.drop_constraint(name, "city_visit")
    op.drop_column("city_visit", "partner_visit_id")
    op.drop_column("city_visit", "id")
    op.alter_column("city_visit", "stay_id", nullable=False)
    op.create_primary_key("pk_city_visit", "city_visit", ["stay_id"])
    _hold("stay_id", "stay_id")
    op.execute(refuse_exit_before_entry("stay_id"))
