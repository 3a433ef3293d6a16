"""How the work that is left stands, read from the tables when Prometheus asks: whichever process should do it."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.kernel.db import transaction

Rows = list[Any]

_JOBS = text("""
SELECT count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'failed'),
       coalesce(extract(epoch FROM now() - min(greatest(since.at, scheduled_at)) FILTER (WHERE status = 'todo')), 0)
FROM procrastinate_jobs AS job
LEFT JOIN LATERAL (SELECT max(at) AS at FROM procrastinate_events WHERE job_id = job.id) AS since ON true
WHERE status IN ('todo', 'failed')
""")
_BEAT = text("SELECT coalesce(extract(epoch FROM max(last_heartbeat)), 0) FROM procrastinate_workers")
_CASES = text("SELECT severity, count(*) FROM exception_case WHERE state = 'open' GROUP BY severity")
_TASKS = text("SELECT kind, count(*) FROM task WHERE closed_at IS NULL GROUP BY kind")


class Standing(Collector):
    """Gauges about jobs, their workers, exception cases and tasks; without a database only that it is away."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask four questions in one transaction."""
        try:
            with transaction() as session:
                asked = (_JOBS, _BEAT, _CASES, _TASKS)
                jobs, beat, cases, tasks = (list(session.execute(query)) for query in asked)
        except SQLAlchemyError:
            yield GaugeMetricFamily("gongbo_database_up", "Whether the database answered this question", 0)
            return
        yield GaugeMetricFamily("gongbo_database_up", "Whether the database answered this question", 1)
        yield from _of_jobs(jobs)
        yield GaugeMetricFamily(
            "gongbo_worker_heartbeat_timestamp_seconds", "When a worker's heart last beat; 0: there is none", beat[0][0]
        )
        yield _by_label("gongbo_exception_cases_open", "Exceptions about money that wait", "severity", cases)
        yield _by_label("gongbo_tasks_open", "Things that wait for a person", "kind", tasks)


def _of_jobs(rows: Rows) -> Iterator[GaugeMetricFamily]:
    [(waiting, failed, oldest)] = rows
    yield GaugeMetricFamily("gongbo_jobs_waiting", "Jobs in the queue that nobody has taken", waiting)
    yield GaugeMetricFamily("gongbo_jobs_failed", "Jobs that were tried for the last time", failed)
    yield GaugeMetricFamily("gongbo_jobs_oldest_waiting_seconds", "How long the oldest has been due", max(0, oldest))


def _by_label(name: str, words: str, label: str, rows: Rows) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, count in rows:
        family.add_metric([str(value)], count)
    return family
