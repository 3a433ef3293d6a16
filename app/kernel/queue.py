"""Jobs by name, put into the queue by the very transaction that makes them necessary.

The queue only makes things prompt: the rows themselves say what is due (`next_check_at`), and
sweepers find it. Arguments are ids, never personal data.
"""

import uuid

from procrastinate import App, SyncPsycopgConnector

from app.kernel.db import current
from app.kernel.trace import request_id

_jobs = App(connector=SyncPsycopgConnector())


def enqueue(name: str, **ids: int | str | uuid.UUID) -> None:
    """Ask a worker to run the handler called `name`; commits or rolls back with the fact.

    `ids` are row ids, or keys of rows; a handler reads everything else from the tables.
    """
    arguments = {word: value if isinstance(value, int) else str(value) for word, value in ids.items()}
    connection = current().connection().connection.driver_connection
    _jobs.configure_task(name, allow_unknown=True, connection=connection).defer(
        request_id_=request_id.get(), **arguments
    )
