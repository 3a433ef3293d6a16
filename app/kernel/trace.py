"""The thread that ties a request to the jobs and log lines that it causes."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")
