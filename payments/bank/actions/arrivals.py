"""Settlements that WeChat told of, and remittances that came back, are looked for in their payee's bank."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select, text

from app.kernel import clock
from app.kernel.db import affected, current, transaction
from payments.bank.models import BankStatement
from payments.bank.queries import IS_FREE
from payments.charges.actions.cases import open_case

LATE_DAYS: Final = 3
_SETTLEMENTS: Final = """
    SELECT fund.flow_id, fund.voucher, fund.business_id, -fund.amount_fen AS fen, due.day, due.payee_id
    FROM fund_line fund JOIN bill_file file ON file.id = fund.bill_id JOIN bill_day due ON due.id = file.day_id
    WHERE fund.kind = '提现' AND fund.amount_fen < 0
      AND NOT EXISTS (SELECT FROM bill_file newer WHERE newer.day_id = file.day_id AND newer.id > file.id
                      AND newer.state <> 'refused')
      AND NOT EXISTS (SELECT FROM settlement_arrival known WHERE known.flow_id = fund.flow_id)
"""
_CANDIDATES: Final = f"""
    candidates AS (
        SELECT due.flow_id, line.statement_id, line.number,
               due.voucher <> '' AND position(due.voucher IN line.reference) > 0
               OR position(due.business_id IN line.reference) > 0
               OR position(due.flow_id IN line.reference) > 0 AS named
        FROM ({_SETTLEMENTS}) AS due
        JOIN bank_statement statement ON statement.payee_id = due.payee_id
        JOIN bank_line line ON line.statement_id = statement.id AND line.amount_fen = due.fen
         AND line.booked_on BETWEEN due.day AND due.day + {LATE_DAYS}
        WHERE {IS_FREE}
    )"""  # noqa: S608 - all parts are written here
_RETURNS: Final = f"""
    candidates AS (
        SELECT batch.id AS batch_id, batch.payee_id, batch.amount_fen, line.statement_id, line.number,
               position(batch.document_number IN line.reference) > 0 OR position(bounce.number IN line.reference) > 0
               AS named
        FROM remittance_bounce bounce JOIN remittance_batch batch ON batch.id = bounce.batch_id
        JOIN bank_statement statement ON statement.payee_id = batch.payee_id
        JOIN bank_line line ON line.statement_id = statement.id AND line.amount_fen = batch.amount_fen
         AND line.booked_on BETWEEN bounce.returned_on - {LATE_DAYS} AND bounce.returned_on + {LATE_DAYS}
        WHERE {IS_FREE} AND NOT EXISTS (SELECT FROM return_arrival known WHERE known.batch_id = batch.id)
    )"""  # noqa: S608 - all parts are written here
_COME_BACK: Final = text(
    f"""
    WITH {_RETURNS},
    counted AS (
        SELECT *, count(*) OVER (PARTITION BY batch_id) AS lines_for_it,
               count(*) OVER (PARTITION BY statement_id, number) AS returns_for_it
        FROM candidates WHERE named OR NOT :named
    )
    INSERT INTO return_arrival (batch_id, payee_id, amount_fen, statement_id, line, by_reference, found_at)
    SELECT batch_id, payee_id, amount_fen, statement_id, number, :named, :now FROM counted
    WHERE lines_for_it = 1 AND returns_for_it = 1
    """  # noqa: S608 - all parts are written here
)
_ARRIVE: Final = text(
    f"""
    WITH {_CANDIDATES},
    counted AS (
        SELECT *, count(*) OVER (PARTITION BY flow_id) AS lines_for_it,
               count(*) OVER (PARTITION BY statement_id, number) AS settlements_for_it
        FROM candidates WHERE named OR NOT :named
    )
    INSERT INTO settlement_arrival (flow_id, statement_id, line, by_reference, found_at)
    SELECT flow_id, statement_id, number, :named, :now FROM counted
    WHERE lines_for_it = 1 AND settlements_for_it = 1
    """  # noqa: S608 - all parts are written here
)
_LATE: Final = text(f"SELECT flow_id, fen, day, payee_id FROM ({_SETTLEMENTS}) AS due WHERE day < :before")  # noqa: S608


def find_arrivals() -> int:
    """Find the settlements, and what came back of remittances, that the bank has.

    First those it names, then those of which sum and days leave one choice; what is ambiguous is nobody's. Returns how
    many were found.
    """
    with transaction():
        now = clock.now()
        told = [{"named": named, "now": now} for named in (True, False)]
        return sum(affected(each.bindparams(**words)) for words in told for each in (_ARRIVE, _COME_BACK))


def watch_settlements() -> int:
    """A person hears of each settlement that the bank of a payee with statements has not had for three days."""
    with transaction():
        now = clock.now()
        have = set(current().scalars(select(BankStatement.payee_id).distinct()))
        before = clock.business_day(now) - timedelta(days=LATE_DAYS)
        late = current().execute(_LATE, {"before": before}).all()
        for each in late:
            if each.payee_id in have:
                told = {"day": each.day.isoformat(), "payee_id": each.payee_id, "fen": each.fen}
                open_case("settlement_not_arrived", f"settlement:{each.flow_id}", 2, **told)
        return len(late)
