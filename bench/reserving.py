"""The reserve action beside pgbench, which sends the very same SQL to the same durable database."""

from collections.abc import Mapping
from functools import partial
from statistics import median

import psycopg
from flask import Flask

from bench.city import ALL_LOTS
from bench.clients import action_clients, reserve_once
from bench.ground import Ground
from bench.load import answers_per_second
from bench.motorists import CALLERS, RECORDED, RIVALS, SCRIPTED
from bench.pgbench import Pgbench
from bench.recording import Sent, recording
from bench.results import tell
from bench.script import pgbench_script
from bench.serving import GEVENT, PLATFORM, serving
from bench.turns import in_turns, ratio
from bench.wishes import FIRST_EVENING, attempts
from launcher.roles import plain

ROUNDS = 4
SECONDS = 1.5
"""Of each side in each round: three would fill some lots on a fast machine."""
HTTP_CLIENTS, WARMING = 64, 3
GRANTED, REFUSED = 201, 409
CLIENTS = 8
"""Connections that reserve at once, on either side, each in lots of its own: pgbench cannot try another bay."""


def measure(stand: Ground, app: Flask, jwt_keys: Mapping[str, bytes]) -> None:
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
    stand.vacuum()
    made, refused = _attempts_per_second(stand, jwt_keys)
    tell(
        "reserve", {"ratio": ratio(rates["action"], rates["pgbench"]), "per_s": made + refused},
        "transactions/s of the reserve action / those of pgbench with the same SQL; booking attempts/s over HTTP",
        made_per_s=made, refused_as_full_per_s=refused, action_per_s=median(rates["action"]),
        pgbench_per_s=median(rates["pgbench"]), clients=CLIENTS, statements=len(sent) + 2,
        durable=is_durable(plain(url)),
    )  # fmt: skip


def _attempts_per_second(stand: Ground, jwt_keys: Mapping[str, bytes]) -> tuple[float, float]:
    """Through two web workers, as many as there are cores: how many were granted, and refused as full."""
    wishes = attempts(jwt_keys, RIVALS)
    with serving(PLATFORM, GEVENT, {**stand.environment, "WEB_WORKERS": "2"}) as server:
        rates = [
            answers_per_second(server.port, wishes, SECONDS, [GRANTED, REFUSED], connections=HTTP_CLIENTS)
            for _ in range(WARMING + ROUNDS)
        ][WARMING:]
    return median(rate[GRANTED] for rate in rates), median(rate[REFUSED] for rate in rates)


def _recorded(app: Flask, lot: int) -> list[Sent]:
    with app.app_context(), recording(app) as sent:
        reserve_once(RECORDED, lot, FIRST_EVENING)
    return sent


def is_durable(url: str) -> bool:
    """Whether a commit waits until it is on the disk."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('fsync') || current_setting('synchronous_commit')").fetchone()
    return row == ("onon",)
