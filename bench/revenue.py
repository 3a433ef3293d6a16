"""A month's revenue report: out of the kept turnover of closed days, and the postings of the last one, still open."""

import time
from datetime import date
from statistics import median
from typing import Final

import psycopg

import wsgi
from app.domain.finance.actions import keep_units
from app.domain.finance.queries import revenue
from app.domain.staff.policy import Role
from app.domain.staff.rules import Actor, Grant, Scope, ScopeKind
from app.settings import Settings
from bench.ground import ground
from bench.results import tell
from launcher.backing import DATABASE

POSTINGS: Final = 3_000_000
PAYEES: Final = 200
ROUNDS: Final = 5
JUNE: Final = (date(2026, 6, 1), date(2026, 6, 30))
FINANCE: Final = Actor(0, "bench", (Grant(Role.FINANCE_CHECKER, Scope(ScopeKind.CITY)),))

_BOOKS: Final = (
    "SET session_replication_role = replica",
    """INSERT INTO payee (key, name, regime, tax_number, bank_name, bank_account, opened_by, valid, created_at)
    SELECT gen_random_uuid(), 'payee ' || n, 'SOE', '91330100MA00000000', 'bank', n::text, 'bench',
           tstzrange('2026-01-01', NULL), '2026-01-01'
    FROM generate_series(1, %(payees)s) n""",
    """INSERT INTO account (payee_id, regime, code, kind, normal_side)
    SELECT id, 'SOE', code, kind, side FROM payee, (VALUES
        ('wx_receivable', 'asset', 'debit'), ('customer_prepaid', 'liability', 'credit'),
        ('revenue', 'income', 'credit')
    ) AS chart(code, kind, side)""",
    """INSERT INTO journal (kind, business_ref, payee_id, event_at, posted_on, intent_hash)
    SELECT CASE n %% 2 WHEN 0 THEN 'payment' ELSE 'recognition' END, n::text, first + n / 2 %% %(payees)s,
           day + time '12:00', day, sha256('')
    FROM generate_series(0, %(journals)s - 1) n, (SELECT min(id) AS first FROM payee) AS known,
         LATERAL (SELECT date '2026-06-01' + (n / 2 %% 30)::int AS day) AS at""",
    """INSERT INTO posting (journal_id, account_id, payee_id, amount_fen)
    SELECT journal.id, account.id, journal.payee_id, 500 * side
    FROM journal JOIN (VALUES
        ('payment', 'wx_receivable', 1), ('payment', 'customer_prepaid', -1),
        ('recognition', 'customer_prepaid', 1), ('recognition', 'revenue', -1)
    ) AS line(of, code, side) ON line.of = journal.kind
    JOIN account ON account.payee_id = journal.payee_id AND account.code = line.code""",
    """INSERT INTO charge (key, source_kind, source_key, payee_id, motorist_id, amount_fen, description, on_paid, state,
                           created_at)
    SELECT gen_random_uuid(), 'bench', gen_random_uuid(), payee_id, 1, 500, 'bench', 'bench', 'fulfilled', event_at
    FROM journal WHERE kind = 'payment'""",
    "SET session_replication_role = origin",
    """SELECT close_accounting_day(day::date, now(), 'bench')
    FROM generate_series(date '2026-06-01', date '2026-06-29', interval '1 day') day""",
)


def measure(share: float) -> None:
    """One line: seconds of the report by month, payee and item, for this share of three million postings."""
    postings = round(POSTINGS * share)
    with ground() as stand:
        app = wsgi.create_app(Settings.from_environment(stand.environment))
        admin = stand.servers.postgres.admin_url.rsplit("/", 1)[0] + f"/{DATABASE}"
        with psycopg.connect(admin, autocommit=True) as books:
            for statement in _BOOKS:
                said = {"payees": PAYEES, "journals": postings // 2} if "%(" in statement else None
                books.execute(statement.encode(), said)
            books.execute("VACUUM ANALYZE")
        with app.app_context():
            while keep_units():
                pass
            seconds = [_report(postings) for _ in range(ROUNDS)]
            app.extensions["sqlalchemy"].engine.dispose()
    tell("revenue_month", {"seconds": median(seconds)}, "a month by payee and item", postings=postings, payees=PAYEES)


def _report(postings: int) -> float:
    began = time.perf_counter()
    told = revenue(FINANCE, *JUNE, ("month", "payee", "item"))
    taken = time.perf_counter() - began
    paid = postings // 4 * 500
    assert (len(told.lines), told.total.paid_fen, told.total.charged_fen) == (PAYEES, paid, paid)
    return taken
