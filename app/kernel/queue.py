"""Jobs by name, put into the queue by the very transaction that makes them necessary.

The queue only makes things prompt: the rows themselves say what is due (`next_check_at`), and
sweepers find it. Arguments are ids, never personal data.
"""

import json
import uuid
from typing import Final

from sqlalchemy import TextClause, select, text

from app.kernel.db import current
from app.kernel.prepared import Prepared
from app.kernel.trace import request_id


def enqueue(name: str, **ids: int | str | uuid.UUID) -> None:
    """Ask a worker to run the handler called `name`; commits or rolls back with the fact.

    `ids` are row ids, or keys of rows; a handler reads everything else from the tables.
    """
    _DEFER.tell(**job_told(name, **ids))


def is_asked(name: str) -> bool:
    """Whether a worker has such a job in hand, or will have: it waits, perhaps for its next attempt."""
    return bool(current().scalar(_ASKED, {"job": name}))


def job_told(name: str, **ids: int | str | uuid.UUID) -> dict[str, str]:
    """The same for a statement with the column `deferred()`: what it must be told of the job."""
    arguments = {word: value if isinstance(value, int) else str(value) for word, value in ids.items()}
    return {"job": name, "job_arguments": json.dumps({"request_id_": request_id.get(), **arguments})}


def deferred(name: str = ":job", arguments: str = "CAST(:job_arguments AS jsonb)") -> TextClause:
    """A column of a statement that puts a job into the queue for each of its rows: the one told, or what SQL says."""
    return text(
        "procrastinate_defer_jobs_v1(ARRAY[ROW("
        f"'default', {name}, 0, NULL, NULL, {arguments}, NULL)::procrastinate_job_to_defer_v1]) AS job"
    )


_DEFER: Final = Prepared(select(deferred()))
"""The library's own function, as its Python calls it: to prepare that call took longer than all else of a job."""
_ASKED: Final = text(
    "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = :job AND status IN ('todo', 'doing'))"
)
