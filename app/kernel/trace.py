"""The thread that ties a request to the jobs and log lines that it causes."""

import random
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")


def new_request_id() -> str:
    """A name for a request that brought none."""
    return f"{random.getrandbits(128):032x}"
