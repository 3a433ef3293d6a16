"""The ledger's own act beside pgbench, which sends the very same SQL to the same durable database."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import Final

from flask import Flask

import wsgi
from app.kernel import clock
from app.kernel.db import transaction
from app.settings import Settings
from bench.crew import Crew, crew_of
from bench.ground import MOMENT, Ground, ground
from bench.pgbench import Pgbench
from bench.recording import Sent, recording
from bench.reserving import is_durable
from bench.results import tell
from bench.script import literal, without_comments
from bench.turns import in_turns, ratio
from launcher.roles import plain
from payments.ledger.actions import post
from payments.ledger.rules import paid_lines
from payments.payees.actions import open_payee
from payments.payees.rules import EnterpriseParticulars

ROUNDS: Final = 5
SECONDS: Final = 1.5
PROCESSES: Final = 2
CLIENTS: Final = 8
FEN: Final = 1_250
KIND: Final = "payment"
MARK: Final = "order:of-the-recording"
"""Under which the recorded payment is entered, and no other."""


@dataclass(frozen=True)
class Spell:
    """One client enters payments of one payee for some seconds, each in a transaction of its own."""

    payee_id: int
    seconds: float

    def run(self, app: Flask) -> int:
        """How many it entered."""
        made, until = 0, perf_counter() + self.seconds
        while perf_counter() < until:
            with app.app_context():
                enter(self.payee_id, f"order:{uuid.uuid4().hex}")
            made += 1
        return made


def measure() -> None:
    """One line."""
    with ground() as stand:
        app = wsgi.create_app(Settings.from_environment(stand.environment))
        with app.app_context():
            payees = [_payee(number) for number in range(CLIENTS)]
            app.extensions["sqlalchemy"].engine.dispose()
            sent = _recorded(app, payees[0])
        rates = _rates(stand, app, payees, sent)
        durable = is_durable(plain(stand.environment["DATABASE_URL"]))
    tell(
        "ledger", {"ratio": ratio(rates["post"], rates["pgbench"])},
        "payments/s that the ledger enters, each in a transaction / transactions/s of pgbench with the same SQL",
        per_s=median(rates["post"]), pgbench_per_s=median(rates["pgbench"]), clients=CLIENTS,
        statements=len(sent) + 2, durable=durable,
    )  # fmt: skip


def enter(payee_id: int, reference: str) -> None:
    """One payment."""
    with transaction():
        post(KIND, reference, payee_id, clock.now(), paid_lines(FEN))


def _payee(number: int) -> int:
    particulars = EnterpriseParticulars(f"91330100MA{number:08d}", "示例银行", f"{number:015d}")
    return open_payee(f"示例城投停车公司{number}", particulars, MOMENT, actor="bench").id


def _recorded(app: Flask, payee_id: int) -> Sequence[Sent]:
    with recording(app) as sent:
        enter(payee_id, MARK)
    return sent


def _rates(stand: Ground, app: Flask, payees: Sequence[int], sent: Sequence[Sent]) -> dict[str, Sequence[float]]:
    script = stand.folder / "post.sql"
    script.write_text(script_of(sent, payees))
    pgbench = Pgbench(stand.pgbench, script, stand.environment["DATABASE_URL"], CLIENTS, range(10**9))
    with crew_of(app, PROCESSES, CLIENTS // PROCESSES) as crew:
        sides = {
            "post": partial(_per_second, crew, payees),
            "pgbench": partial(pgbench.transactions_per_second, SECONDS),
        }
        return dict(in_turns(sides, ROUNDS))


def _per_second(crew: Crew, payees: Sequence[int]) -> float:
    began = perf_counter()
    made = crew.run([Spell(payee_id, SECONDS) for payee_id in payees])
    return sum(made) / (perf_counter() - began)


def script_of(sent: Sequence[Sent], payees: Sequence[int]) -> str:
    """The recorded transaction for pgbench: each client with a payee of its own, each time under another reference."""
    first = payees[0]
    lines = [f"\\set payee {first} + :client_id", "\\set number random(1, 9000000000000000)", "BEGIN;"]
    return "\n".join([*lines, *(_written(each, first) for each in sent), "COMMIT;", ""])


def _written(sent: Sent, payee_id: int) -> str:
    sql = without_comments(sent.sql).strip().rstrip(";")
    if not sent.values:
        return f"{sql};"
    assert isinstance(sent.values, dict)
    return sql % {name: _said(value, payee_id) for name, value in sent.values.items()} + ";"


def _said(value: object, payee_id: int) -> str:
    if value == MARK:
        return "('order:' || :number)"
    return ":payee" if value == payee_id and not isinstance(value, bool) else literal(value)
