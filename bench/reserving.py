"""The reserve action beside pgbench, which sends the very same SQL to the same durable database."""

from functools import partial
from statistics import median

import psycopg
from flask import Flask

from bench.city import ALL_LOTS
from bench.clients import action_clients, reserve_once
from bench.ground import Ground
from bench.motorists import CALLERS, RECORDED, SCRIPTED
from bench.pgbench import Pgbench
from bench.recording import Sent, recording
from bench.results import tell
from bench.script import pgbench_script
from bench.turns import in_turns, ratio
from bench.wishes import FIRST_EVENING
from launcher.roles import plain

ROUNDS = 6
SECONDS = 3.0
CLIENTS = 8
"""Connections that reserve at once, on either side, each in lots of its own: pgbench cannot try another bay."""


def measure(stand: Ground, app: Flask) -> None:
    """One line. Leaves the app without connections, so that its processes may be forked."""
    url = stand.environment["DATABASE_URL"]
    sent = _recorded(app, ALL_LOTS[0])
    script = stand.folder / "reserve.sql"
    script.write_text(pgbench_script(sent, RECORDED, ALL_LOTS[0], FIRST_EVENING))
    pgbench = Pgbench(stand.pgbench, script, url, CLIENTS, SCRIPTED)
    with action_clients(app, CALLERS, CLIENTS) as clients:
        sides = {
            "action": partial(clients.transactions_per_second, SECONDS),
            "pgbench": partial(pgbench.transactions_per_second, SECONDS),
        }
        rates = in_turns(sides, ROUNDS)
    tell(
        "reserve", {"ratio": ratio(rates["action"], rates["pgbench"])},
        "transactions/s of the reserve action / transactions/s of pgbench with the same SQL",
        per_s=median(rates["action"]), pgbench_per_s=median(rates["pgbench"]), clients=CLIENTS,
        statements=len(sent) + 2, durable=is_durable(plain(url)),
    )  # fmt: skip


def _recorded(app: Flask, lot: int) -> list[Sent]:
    with app.app_context(), recording(app) as sent:
        reserve_once(RECORDED, lot, FIRST_EVENING)
    return sent


def is_durable(url: str) -> bool:
    """Whether a commit waits until it is on the disk."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('fsync') || current_setting('synchronous_commit')").fetchone()
    return row == ("onon",)
