"""A statement of an account on record comes in whole or not at all; then what is expected is looked for in it."""

import hashlib
from typing import Final

from sqlalchemy import insert

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict
from payments.bank.actions.arrivals import find_arrivals
from payments.bank.models import BankLine, BankStatement
from payments.bank.queries import accounts_of
from payments.bank.rules import Statement, StatementRefused, read_camt, read_csv
from payments.remittance.actions.leave import find_departures

FORMATS: Final = {"csv": read_csv, "camt053": read_camt}
LARGEST: Final = 10 * 1024 * 1024


class StatementKnown(Conflict):
    """The very file was imported before."""

    code = "statement_known"
    message = "该银行流水文件已导入"


class OtherAccount(Conflict):
    """The statement is of no account that is on record for the payee and confirmed."""

    code = "statement_of_another_account"
    message = "银行流水的账号不是该收费主体登记并经确认的账号"


def import_statement(payee_id: int, form: str, account: str, content: bytes, by: str) -> BankStatement:
    """Keep a statement of a payee's account, and look in it for settlements and for what was paid in to the treasury.

    `account` is what the person says; where the file names one they must be the same, and it must be on record.
    Refuses `StatementRefused`, `OtherAccount`, `StatementKnown`.
    """
    if len(content) > LARGEST:
        raise StatementRefused(reason="too_large")
    told = FORMATS[form](content).expect_sound()
    with transaction():
        first = min((each.booked_on for each in told.entries), default=clock.business_day(clock.now()))
        if told.account not in {"", account} or account not in accounts_of(payee_id, first):
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
    refused = {"a_statement_is_imported_once": StatementKnown, "a_statement_is_of_an_account_on_record": OtherAccount}
    with refusing(refused):
        current().add(made)
    rows = [
        {"statement_id": made.id, "number": number, **vars(each)} for number, each in enumerate(told.entries, 1)
    ]  # fmt: skip
    if rows:
        current().execute(insert(BankLine), rows)
    return made
