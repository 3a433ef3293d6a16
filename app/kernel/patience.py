"""How long PostgreSQL may be silent before its connection is given up.

The limits of a statement are the server's: they end nothing when the server, or the way to it, is gone without a word.
The kernel would wait for a quarter of an hour then, and on a line where an answer is awaited for two hours.
"""

from typing import Any, Final

PATIENCE: Final[dict[str, Any]] = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""For every connection of ours, as libpq names it: seconds, the last one milliseconds.

A server that computes for minutes is not silent: its machine answers the probes.
"""
