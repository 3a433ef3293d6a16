"""A notice is written once, and a job wakes no worker that has work already."""

from alembic import op

revision = "0058"
down_revision = "0057"

WOKEN = """
            payload := json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text;
            PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
            PERFORM pg_notify('procrastinate_any_queue_v1', payload);
"""


def upgrade() -> None:
    op.execute("REVOKE UPDATE (outcome) ON callback_inbox FROM app_rw")
    _wake(
        """
            IF EXISTS (SELECT FROM public.procrastinate_jobs
                       WHERE status = 'todo' AND id < NEW.id AND queue_name = NEW.queue_name
                         AND (scheduled_at IS NULL OR scheduled_at <= now())) THEN
                RETURN NEW;
            END IF;
        """
    )


def downgrade() -> None:
    _wake("")
    op.execute("GRANT UPDATE (outcome) ON callback_inbox TO app_rw")


def _wake(unless: str) -> None:
    """The library's function, unless a job waits that a worker has not come to yet: it looks for the next by itself.

    Whoever notifies holds a lock of the whole server until the commit has reached the disk, and commits one by one. A
    worker that takes the waiting job and finds no other in the moment before this one is committed looks again within
    its polling interval, a second.
    """
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION procrastinate_notify_queue_job_inserted_v1() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE payload text;
        BEGIN
            {unless}{WOKEN}
            RETURN NEW;
        END $$
        """
    )
