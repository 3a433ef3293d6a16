"""Calendars: who loaded a year and from which document, a year told whole, and the alarms before days run out."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only

revision = "0010"
down_revision = "0009"

FUNCTIONS = (
    "a_calendar_tells_its_whole_year",
    "a_day_lies_in_its_calendars_year",
    "a_replaced_calendar_stays_replaced",
)


def upgrade() -> None:
    op.add_column("calendar_version", sa.Column("loaded_by", sa.BigInteger(), nullable=True))
    op.add_column("calendar_version", sa.Column("file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_calendar_version_loaded_by", "calendar_version", "staff_account", ["loaded_by"], ["id"])
    op.create_foreign_key("fk_calendar_version_file_id", "calendar_version", "stored_file", ["file_id"], ["id"])
    op.create_table(
        "calendar_alarm",
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("days_before", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("days_before IN (60, 30, 14)", name="a_calendar_alarm_has_its_day"),
        sa.PrimaryKeyConstraint("last_day", "days_before", name="a_calendar_alarm_is_raised_once"),
    )
    append_only("calendar_alarm")
    _whole_years()


def _whole_years() -> None:
    """A version is born with all its days, gets no other ones, and comes into force once."""
    op.execute(
        """
        CREATE FUNCTION a_calendar_tells_its_whole_year() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM calendar_day WHERE version_id = NEW.id)
               <> make_date(NEW.year::int + 1, 1, 1) - make_date(NEW.year::int, 1, 1) THEN
                RAISE EXCEPTION 'calendar % does not tell all of %', NEW.id, NEW.year
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_calendar_tells_its_whole_year';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_calendar_tells_its_whole_year AFTER INSERT ON calendar_version
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_calendar_tells_its_whole_year();

        CREATE FUNCTION a_day_lies_in_its_calendars_year() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM calendar_version WHERE id = NEW.version_id AND year <> extract(year FROM NEW.date)
            ) THEN
                RAISE EXCEPTION '% is not of the year of calendar %', NEW.date, NEW.version_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_day_lies_in_its_calendars_year';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_day_lies_in_its_calendars_year BEFORE INSERT ON calendar_day
            FOR EACH ROW EXECUTE FUNCTION a_day_lies_in_its_calendars_year();

        CREATE FUNCTION a_replaced_calendar_stays_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'calendar % was replaced', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_replaced_calendar_stays_replaced';
        END $$;
        CREATE TRIGGER a_replaced_calendar_stays_replaced BEFORE UPDATE ON calendar_version FOR EACH ROW
            WHEN (NEW.in_force AND NOT OLD.in_force) EXECUTE FUNCTION a_replaced_calendar_stays_replaced();
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER a_calendar_tells_its_whole_year ON calendar_version")
    op.execute("DROP TRIGGER a_replaced_calendar_stays_replaced ON calendar_version")
    op.execute("DROP TRIGGER a_day_lies_in_its_calendars_year ON calendar_day")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("calendar_alarm")
    op.drop_column("calendar_version", "file_id")
    op.drop_column("calendar_version", "loaded_by")
