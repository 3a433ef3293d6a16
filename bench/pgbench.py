"""Runs the recorded transaction in PostgreSQL's own load generator."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
THREADS = 2


class PgbenchFailed(Exception):
    """pgbench refused, or one of its clients gave up."""


@dataclass
class Pgbench:
    """One script for one database; every run goes on with motorists that have not reserved yet."""

    program: Path
    script: Path
    database_url: str
    clients: int
    motorists: range
    transactions: int = 40
    """Of each client in the next run."""
    _turn: int = field(default=0)

    def transactions_per_second(self, seconds: float) -> float:
        """The rate of a run, and from it the size of a next one that takes about so long."""
        if (self._turn + self.transactions) * self.clients > len(self.motorists):
            raise PgbenchFailed("there are no motorists left")
        rate = self._run()
        self._turn += self.transactions
        self.transactions = max(1, int(rate * seconds / self.clients))
        return rate

    def _run(self) -> float:
        ended = subprocess.run(
            [self.program, *self._words(), self.script], env=self._environment(), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        rate = RATE.search(ended.stdout)
        if ended.returncode or rate is None:
            raise PgbenchFailed(ended.stderr)
        return float(rate[1])

    def _words(self) -> list[str]:
        """`prepared` as psycopg does after five uses; `-n`: there are no tables of pgbench to vacuum."""
        options = f"-n -M prepared -c {self.clients} -j {THREADS} -t {self.transactions}".split()
        variables = {"first": self.motorists.start, "turn": self._turn, "step": self.clients}
        return [*options, *(f"-D{name}={value}" for name, value in variables.items()), "-f"]

    def _environment(self) -> dict[str, str]:
        """The address for libpq; a password on a command line is everybody's."""
        url = make_url(self.database_url)
        named = {
            "PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password,
            "PGDATABASE": url.database,
        }  # fmt: skip
        return {"PATH": os.defpath} | {name: str(value) for name, value in named.items()}
