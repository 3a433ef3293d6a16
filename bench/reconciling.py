"""A day's trade bill, from the gzipped file to the last difference: how many lines a second, in how much memory."""

import gzip
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final, LiteralString

import psycopg

import wsgi
from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from app.settings import Settings
from bench import alone
from bench.ground import MOMENT, Ground, ground
from bench.results import tell
from launcher.backing import DATABASE
from payments.bills.actions import Pieces, load
from payments.bills.models import BillDay
from payments.bills.rules.trades import ALL, LAYOUTS
from payments.payees.actions import open_channel, open_payee
from payments.payees.rules import EnterpriseParticulars
from payments.reconciliation.actions import reconcile
from payments.reconciliation.queries import differences_of, latest_run

WHOLE: Final = 1_000_000
DAY: Final = date(2026, 6, 9)
PROVIDER, MERCHANT = "1600000001", "1900000109"
MISSING, OTHER_SUM = 0, 1
"""Of a thousand payments one is not known here, and one has another sum there."""
PIECE: Final = 256 * 1024

_PAYMENTS: LiteralString = """
WITH made AS (
    SELECT n, 'P' || lpad(n::text, 20, '0') AS number, '42' || lpad(n::text, 26, '0') AS transaction_id,
           100 + n %% 4000 AS fen, %(begins)s + n * interval '22 hours' / %(lines)s + interval '1 hour' AS at
    FROM generate_series(1, %(lines)s) AS n WHERE n %% 1000 <> %(missing)s
),
charges AS (
    INSERT INTO charge (id, key, source_kind, source_key, payee_id, motorist_id, amount_fen, description, on_paid,
                        state, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT n, gen_random_uuid(), 'bench', gen_random_uuid(), %(payee)s, 1, fen, '停车费', 'bench', 'paid', at FROM made
),
orders AS (
    INSERT INTO payment_order (id, key, channel_id, payee_id, amount_fen, out_trade_no, sp_appid, payer, body,
                               transaction_id, state, created_at, expires_at, checks)
    OVERRIDING SYSTEM VALUE
    SELECT n, gen_random_uuid(), %(channel)s, %(payee)s, fen, number, 'wx', '', '', transaction_id, 'paid', at, at, 0
    FROM made
),
lines AS (
    INSERT INTO order_line (order_id, charge_id, payee_id, amount_fen, order_state)
    SELECT n, n, %(payee)s, fen, 'paid' FROM made
)
INSERT INTO payment (key, order_id, charge_id, channel_id, payee_id, transaction_id, paid_fen, refund_reserved_fen,
                     surplus, paid_at, learned_at)
SELECT gen_random_uuid(), n, n, %(channel)s, %(payee)s, transaction_id, fen, 0, false, at, at FROM made
"""


class WronglyMatched(Exception):
    """The run did not find what lies in the bill: what was measured is worth nothing."""


def measure(scale: float) -> None:
    """One line: a bill of a million lines, or of so much of it."""
    lines = round(WHOLE * scale)
    with ground() as stand:
        day_id = _build(stand, lines)
        path, sha1 = stand.folder / "bill.gz", hashlib.sha1(usedforsecurity=False)
        with gzip.open(path, "wb", compresslevel=1) as file:
            for text in _bill(lines):
                sha1.update(text)
                file.write(text)
        seconds, peak_mb = _run(stand, path, sha1.hexdigest(), day_id, lines)
    tell(
        "reconcile_day", {"per_s": lines / seconds, "peak_mb": peak_mb},
        "lines a second from the gzipped bill to its differences, and the most memory that the process held",
        lines=lines, seconds=seconds,
    )  # fmt: skip


def _build(stand: Ground, lines: int) -> int:
    """A merchant with all payments of a day; returns the bill day's id."""
    app = wsgi.create_app(Settings.from_environment(stand.environment))
    with app.app_context():
        particulars = EnterpriseParticulars("91330100MA00000000", "示例银行", "571900000000001")
        payee = open_payee("示例城投停车公司", particulars, MOMENT, actor="bench")
        channel = open_channel(payee.id, sp_mchid=PROVIDER, sub_mchid=MERCHANT, actor="bench")
        with transaction() as session:
            due = BillDay(channel_id=channel.id, payee_id=payee.id, kind="trade", day=DAY)
            session.add(due)
            session.flush()
            day_id = due.id
        told = {
            "lines": lines, "begins": datetime.combine(DAY, datetime.min.time(), SHANGHAI), "payee": payee.id,
            "channel": channel.id, "missing": MISSING,
        }  # fmt: skip
        with psycopg.connect(stand.servers.postgres.admin_url, dbname=DATABASE) as admin:
            admin.execute("SET session_replication_role = replica")
            admin.execute(_PAYMENTS, told)
        with psycopg.connect(stand.servers.postgres.admin_url, dbname=DATABASE, autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE")
        app.extensions["sqlalchemy"].engine.dispose()
    return day_id


def _bill(lines: int) -> Iterator[bytes]:
    """The file's text in pieces of some thousand lines."""
    yield f"\ufeff{ALL}\r\n".encode()
    paid = fees = 0
    batch: list[str] = []
    for n in range(1, lines + 1):
        fen = 100 + n % 4000 + (1 if n % 1000 == OTHER_SUM else 0)
        fee = (fen * 6000 + 500_000) // 1_000_000
        paid, fees = paid + fen, fees + fee
        batch.append(_line(n, fen, fee, int(3600 + n * 79_200 / lines)))
        if len(batch) == 5_000:  # noqa: PLR2004 - a handful
            yield "".join(batch).encode()
            batch.clear()
    total = f"`{lines},`{_yuan(paid)},`0.00,`0.00,`{_yuan(fees)}000,`{_yuan(paid)},`0.00\r\n"
    yield ("".join(batch) + ",".join(LAYOUTS[0].summary) + "\r\n" + total).encode()


def _line(n: int, fen: int, fee: int, second: int) -> str:
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return (
        f"`{DAY} {clock},`wx0123456789abcdef,`{PROVIDER},`{MERCHANT},`,`42{n:026d},`P{n:020d},"
        f"`oExample{n % 9973:020d},`JSAPI,`SUCCESS,`OTHERS,`CNY,`{_yuan(fen)},`0.00,`0,`0,`0.00,`0.00,`,`,"
        f"`停车费 示例停车场,`,`{_yuan(fee)}000,`0.60%,`{_yuan(fen)},`0.00,`\r\n"
    )


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _run(stand: Ground, path: Path, sha1: str, day_id: int, lines: int) -> tuple[float, float]:
    command = [sys.executable, "-m", "bench.reconciling", str(path), sha1, str(day_id), str(lines)]
    ran = alone.run(command, stand.environment)
    return float(json.loads(ran.told.splitlines()[-1])["seconds"]), ran.peak_mb


def reconcile_once(path: Path, sha1: str, day_id: int, lines: int) -> float:
    """In a process of its own: the file becomes lines, the lines are compared; returns the seconds."""
    app = wsgi.create_app(Settings.from_environment(os.environ))
    with app.app_context(), path.open("rb") as file:
        with transaction() as session:
            channel_id = session.get_one(BillDay, day_id).channel_id
        began = time.perf_counter()
        load(day_id, [(sha1, Pieces(file))], on_loaded="reconciliation.match", keep_days=3653)
        reconcile(channel_id, DAY)
        seconds = time.perf_counter() - began
        _expect_found(channel_id, lines)
    return seconds


def _expect_found(channel_id: int, lines: int) -> None:
    run, found = latest_run(channel_id, DAY), differences_of(channel_id, DAY)
    each = lines // 1000
    kinds = [sum(one.klass == name for one in found) for name in ("missing_here", "amount_mismatch")]
    if run is None or run.matched != lines - 2 * each or kinds != [each, each]:
        raise WronglyMatched(kinds)


if __name__ == "__main__":
    file_of, hashed, due_of, count_of = sys.argv[1:]
    print(json.dumps({"seconds": reconcile_once(Path(file_of), hashed, int(due_of), int(count_of))}))
