"""Into which account a payee's money is paid out: one person records it with its basis, another confirms."""

import re
import uuid
from datetime import date
from typing import Final

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed
from payments.bank.models import PayeeAccount
from payments.bank.queries import NoSuchAccount
from payments.payees.queries import payee_by_id

_NUMBER: Final = re.compile(r"[0-9]{8,32}")


class AccountUnfit(Invalid):
    """An account has its number, its bank, and a basis."""

    code = "account_unfit"
    message = "请填写8至32位数字账号、开户银行及依据"


class AccountKnown(Conflict):
    """It is on record for the payee and confirmed."""

    code = "account_known"
    message = "该账号已登记并确认"


class OwnAccount(NotAllowed):
    """Nobody confirms what they recorded themselves."""

    code = "own_account"
    message = "登记人不得确认本人登记的账号"


def record_account(payee_id: int, account: str, bank: str, since: date, note: str, by: str) -> PayeeAccount:
    """Write down an account into which a payee's money is paid out, from a day on; it counts once confirmed.

    Refuses `NoSuchPayee`, `AccountUnfit`.
    """
    if not _NUMBER.fullmatch(account) or not bank.strip() or not note.strip():
        raise AccountUnfit
    with transaction() as session:
        made = PayeeAccount(
            payee_id=payee_by_id(payee_id).id, account=account, bank=bank.strip(), since=since, note=note.strip(),
            recorded_by=by, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(made)
        session.flush()
        audit.record("account.record", "payee_account", made.id, by)
        return made


def confirm_account(key: uuid.UUID, by: str) -> PayeeAccount:
    """Agree: from now on statements of this account are taken.

    Refuses `NoSuchAccount`, `OwnAccount`, `AccountKnown`.
    """
    with transaction():
        locked = select(PayeeAccount).filter_by(key=key).with_for_update().execution_options(populate_existing=True)
        found = current().scalar(locked)
        if found is None:
            raise NoSuchAccount
        if found.confirmed_by is not None:
            raise AccountKnown
        if found.recorded_by == by:
            raise OwnAccount
        with refusing({"a_payee_has_an_account_once": AccountKnown}):
            found.confirmed_by, found.confirmed_at = by, clock.now()
        audit.record("account.confirm", "payee_account", found.id, by)
        return found
