"""A statement comes in whole or not at all; then each settlement that WeChat told of is looked for in it."""

import hashlib
from datetime import timedelta
from typing import Final

from sqlalchemy import insert, select, text

from app.kernel import audit, clock
from app.kernel.db import affected, current, refusing, transaction
from app.kernel.refusals import Conflict
from payments.bank.models import BankLine, BankStatement
from payments.bank.rules import Statement, StatementRefused, read_camt, read_csv
from payments.charges.actions.cases import open_case
from payments.payees.models import Payee
from payments.remittance.actions.leave import find_departures

FORMATS: Final = {"csv": read_csv, "camt053": read_camt}
LATE_DAYS: Final = 3
LARGEST: Final = 10 * 1024 * 1024


class StatementKnown(Conflict):
    """The very file was imported before."""

    code = "statement_known"
    message = "该银行流水文件已导入"


class OtherAccount(Conflict):
    """The statement is of another account than the payee's."""

    code = "statement_of_another_account"
    message = "银行流水的账号不是该收费主体的账号"


def import_statement(payee_id: int, form: str, account: str, content: bytes, by: str) -> BankStatement:
    """Keep a statement of a payee's account, and look in it for settlements and for what was paid in to the treasury.

    `account` is what the person says; where the file names one, or the payee has one, they must be the same.
    Refuses `StatementRefused`, `OtherAccount`, `StatementKnown`.
    """
    if len(content) > LARGEST:
        raise StatementRefused(reason="too_large")
    told = FORMATS[form](content).expect_sound()
    with transaction():
        known = current().get_one(Payee, payee_id).bank_account
        if told.account not in {"", account} or known not in {None, account}:
            raise OtherAccount
        made = _kept(payee_id, form, account, told, hashlib.sha256(content).digest(), by)
        audit.record("bank.import", "bank_statement", made.id, by, {"lines": made.lines})
        find_arrivals()
        find_departures()
        return made


def _kept(payee_id: int, form: str, account: str, told: Statement, sha256: bytes, by: str) -> BankStatement:
    made = BankStatement(
        payee_id=payee_id, format=form, account=account, sha256=sha256, lines=len(told.entries),
        opening_fen=told.opening_fen, moved_fen=told.moved_fen, closing_fen=told.closing_fen, imported_by=by,
        imported_at=clock.now(),
    )  # fmt: skip
    with refusing({"a_statement_is_imported_once": StatementKnown}):
        current().add(made)
    rows = [
        {"statement_id": made.id, "number": number, **vars(each)} for number, each in enumerate(told.entries, 1)
    ]  # fmt: skip
    if rows:
        current().execute(insert(BankLine), rows)
    return made


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
        WHERE NOT EXISTS (SELECT FROM settlement_arrival known
                          WHERE known.statement_id = line.statement_id AND known.line = line.number)
    )"""  # noqa: S608 - all parts are written here
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
    """Find the settlements that the bank has: first those it names, then those of which sum and days leave one choice.

    What is ambiguous is nobody's. Returns how many were found.
    """
    with transaction():
        now = clock.now()
        return sum(affected(_ARRIVE.bindparams(named=named, now=now)) for named in (True, False))


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
