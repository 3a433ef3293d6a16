"""What worker and sweepers count. `/metrics` shows it when all processes share `PROMETHEUS_MULTIPROC_DIR`."""

from prometheus_client import Counter, Gauge

JOBS = Counter("gongbo_jobs_total", "Jobs run, by how they ended; a failed one is tried again", ["job", "outcome"])
SWEEPS = Counter("gongbo_sweeps_total", "Runs of sweepers, by how they ended", ["sweeper", "outcome"])
SWEPT = Counter("gongbo_swept_total", "Due rows that sweepers dealt with", ["sweeper"])
SWEPT_AT = Gauge(
    "gongbo_sweep_ended_timestamp_seconds", "When a sweeper last came to its end", ["sweeper"], multiprocess_mode="max"
)
