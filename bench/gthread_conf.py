"""The platform's gunicorn settings, but with threads instead of greenlets: only to compare the two."""

from launcher.gunicorn_conf import (  # noqa: F401 - gunicorn reads the names of this module
    bind,
    control_socket_disable,
    graceful_timeout,
    preload_app,
    workers,
)

worker_class = "gthread"
threads = 16
