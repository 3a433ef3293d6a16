"""A collecting unit whose days are signed off and closed as a test says, without bills."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import psycopg

from app.kernel import clock
from app.kernel.files import keep
from payments.charges.models import Payment
from payments.ledger.actions import close_day
from payments.ledger.queries import open_days_before, trial_balance
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from payments.remittance.actions import approve, bounce, propose, send
from payments.remittance.models import RemittanceBatch
from tests.finance.scene import earned, paid_charge
from tests.world import paper, staff

DAY = timedelta(days=1)
MAKER, CHECKER = "staff:1", "staff:2"
DOCUMENT = "33010620260610000001"
SECOND_DOCUMENT = "33010620260611000002"
_DUE: LiteralString = """
INSERT INTO bill_day (key, channel_id, payee_id, kind, day, tries)
VALUES (gen_random_uuid(), %(channel)s, %(payee)s, 'trade', %(day)s, 0) ON CONFLICT DO NOTHING
"""
_SIGNED: LiteralString = """
INSERT INTO day_sign_off (key, proposal_id, channel_id, payee_id, day, made_by, signed_by, signed_at)
VALUES (gen_random_uuid(), 0, %(channel)s, %(payee)s, %(day)s, 'staff:1', 'staff:2', now())
"""


def evidence() -> int:
    """A paper of the bank's, kept."""
    return keep(paper(), staff("finance_checker").account_id).id


@dataclass
class Unit:
    """A treasury's payee, and the day on which its test is."""

    admin: psycopg.Connection[Any]
    move_to: Callable[[datetime], None]
    payee: Payee

    @property
    def today(self) -> date:
        return clock.business_day(clock.now())

    def takes(self, fen: int) -> Payment:
        """Somebody pays today, and the service is rendered."""
        payment = paid_charge(self.payee, fen)
        earned(payment)
        return payment

    def expects(self, day: date, channel_id: int | None = None) -> None:
        """WeChat's bill of the day is due; nobody has signed the day off."""
        self._write(_DUE, day, channel_id)

    def signs(self, day: date, channel_id: int | None = None) -> None:
        """Two persons have signed the day off, for the newest merchant or this one."""
        self.expects(day, channel_id)
        self._write(_SIGNED, day, channel_id)

    def next_day(self, *, signed: bool = True) -> date:
        """It is the next day at the same time: the books of the one before are closed, and it is signed off."""
        before = self.today
        self.move_to(clock.now() + DAY)
        for day in open_days_before(self.today):
            close_day(day, "test")
        (self.signs if signed else self.expects)(before)
        return before

    def proposed(self) -> RemittanceBatch:
        return propose(self.payee.id, MAKER, "按日上缴")

    def approved(self) -> RemittanceBatch:
        return approve(self.proposed().key, CHECKER, "已核对")

    def sent(self, document: str = DOCUMENT) -> RemittanceBatch:
        return send(self.approved().key, document, MAKER, "已缴")

    def bounced(self, sent: RemittanceBatch, number: str = "退汇0042") -> RemittanceBatch:
        return bounce(sent.key, number, self.today, sent.amount_fen, evidence(), CHECKER, "账号有误")

    def books(self) -> dict[str, int]:
        """What its accounts hold, those that hold anything."""
        return {each.code: each.amount_fen for each in trial_balance(self.payee.id) if each.amount_fen}

    def _write(self, statement: LiteralString, day: date, channel_id: int | None) -> None:
        channel = channel_id or channel_of(self.payee.id).id
        with self.admin.transaction():
            self.admin.execute("SET LOCAL session_replication_role = replica")
            self.admin.execute(statement, {"channel": channel, "payee": self.payee.id, "day": day})
