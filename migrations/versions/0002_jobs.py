"""The job queue's own schema, as its library of this version ships it."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"

QUEUE = "procrastinate_jobs, procrastinate_events, procrastinate_workers, procrastinate_periodic_defers"


def upgrade() -> None:
    # psycopg would read the schema's percent signs as parameters; a raw cursor without any does not.
    connection = op.get_bind().connection.driver_connection
    with connection.cursor() as cursor:
        cursor.execute(SchemaManager.get_schema())
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {QUEUE} TO app_rw")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app_rw")
    for table in ("procrastinate_jobs", "procrastinate_events"):
        op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)")


def downgrade() -> None:
    op.execute(f"DROP TABLE {QUEUE} CASCADE")
    op.execute(
        """
        DO $$
        DECLARE thing record;
        BEGIN
            FOR thing IN SELECT oid::regprocedure AS signature FROM pg_proc
                         WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = 'public'::regnamespace
            LOOP EXECUTE 'DROP FUNCTION ' || thing.signature || ' CASCADE'; END LOOP;
            FOR thing IN SELECT t.oid::regtype AS name FROM pg_type t
                         WHERE t.typname LIKE 'procrastinate\\_%' AND t.typtype IN ('e', 'c')
                           AND t.typnamespace = 'public'::regnamespace
            LOOP EXECUTE 'DROP TYPE ' || thing.name || ' CASCADE'; END LOOP;
        END $$
        """
    )
