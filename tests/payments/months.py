"""Many payments and refunds of ours at once, as if each had been made: for days and months of bills."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, LiteralString

import psycopg
from sqlalchemy import select

from app.kernel.db import transaction
from payments.bills.actions import load
from payments.bills.models import BillDay
from payments.bills.queries import FUND_FLOW, TRADE
from payments.bills.rules import Owner
from payments.payees.models import MerchantChannel, Payee
from payments.payees.queries import channel_of
from payments.reconciliation.models import Difference
from payments.reconciliation.queries import differences_of
from simulators.wechat.bill_papers import Flowed, Traded
from tests.payments.papers import KEEP_DAYS, flowing, flows, part, trades

LOADED = "tests.bill_loaded"
_STAGE: LiteralString = """
CREATE TEMP TABLE staged (transaction_id text, number text, fen bigint, at timestamptz, charge_key uuid, state text,
                          surplus boolean, refund_id text, out_refund_no text) ON COMMIT DROP
"""
_PAYMENTS: LiteralString = """
WITH mine AS (
    SELECT *, nextval('charge_id_seq') AS charge_id, nextval('payment_order_id_seq') AS order_id
    FROM staged WHERE refund_id = ''
),
charges AS (
    INSERT INTO charge (id, key, source_kind, source_key, payee_id, motorist_id, amount_fen, description, on_paid,
                        state, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT charge_id, charge_key, 'test', charge_key, %(payee)s, 1, fen, '停车费', 'tests.paid', 'paid', at FROM mine
),
orders AS (
    INSERT INTO payment_order (id, key, channel_id, payee_id, amount_fen, out_trade_no, sp_appid, payer, body,
                               prepay_id, transaction_id, state, created_at, expires_at, checks)
    OVERRIDING SYSTEM VALUE
    SELECT order_id, gen_random_uuid(), %(channel)s, %(payee)s, fen, number, 'wx', '', '', 'wx',
           CASE WHEN state <> 'unpaid' THEN transaction_id END,
           CASE state WHEN 'unpaid' THEN 'closed' ELSE 'paid' END, at, at, 0
    FROM mine
),
lines AS (
    INSERT INTO order_line (order_id, charge_id, payee_id, amount_fen, order_state)
    SELECT order_id, charge_id, %(payee)s, fen, CASE state WHEN 'unpaid' THEN 'closed' ELSE 'paid' END FROM mine
)
INSERT INTO payment (key, order_id, charge_id, channel_id, payee_id, transaction_id, paid_fen, refund_reserved_fen,
                     surplus, paid_at, learned_at)
SELECT gen_random_uuid(), order_id, charge_id, %(channel)s, %(payee)s, transaction_id, fen, 0, false, at, at FROM mine
WHERE state <> 'unpaid'
"""
_REFUNDS: LiteralString = """
WITH born AS (
    INSERT INTO refund (key, payment_id, charge_id, channel_id, payee_id, regime, paid_fen, surplus, amount_fen,
                        from_prepaid_fen, reason, basis, asked_by, asked_at, alone_up_to_fen, out_refund_no, body,
                        refund_id, state, moved_at, checks, on_moved)
    SELECT gen_random_uuid(), payment.id, charge_id, payment.channel_id, payment.payee_id, payee.regime, paid_fen,
           false, fen, 0, 'overpaid', '多收', 'staff:1', at, fen, out_refund_no, '', staged.refund_id, staged.state, at,
           0, 'job'
    FROM staged JOIN payment USING (transaction_id) JOIN payee ON payee.id = payment.payee_id
    WHERE staged.refund_id <> '' RETURNING id, asked_at
)
INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at)
SELECT 'refund', id, 'submitting', 'processing', 'accept', 'test', asked_at FROM born
"""
_STATES = {"SUCCESS": "success", "PROCESSING": "processing", "CLOSED": "closed", "ABNORMAL": "abnormal"}


@dataclass(frozen=True)
class Shop:
    """A payee with its sub-merchant, whose days a test makes up."""

    admin: psycopg.Connection[Any]
    payee: Payee

    @cached_property
    def channel(self) -> MerchantChannel:
        return channel_of(self.payee.id)

    @property
    def channel_id(self) -> int:
        return self.channel.id

    def owner(self, day: date) -> Owner:
        return Owner(self.channel.sp_mchid, self.channel.sub_mchid, day)

    def knows(self, lines: Iterable[Traded], unpaid: Iterable[Traded] = ()) -> None:
        """We have these payments and refunds, and orders that we think nobody paid."""
        rows = [_row(each, "") for each in lines] + [_row(each, "unpaid") for each in unpaid]
        with self.admin.transaction(), self.admin.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(_STAGE)
            with cursor.copy("COPY staged FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            where = {"payee": self.payee.id, "channel": self.channel_id}
            cursor.execute(_PAYMENTS, where)
            cursor.execute(_REFUNDS, where)

    def expects(self, day: date, kind: str) -> int:
        """The id of the bill day, made where it is not there yet."""
        with transaction() as session:
            mine = {"channel_id": self.channel_id, "payee_id": self.payee.id, "kind": kind, "day": day}
            found = session.scalar(select(BillDay).filter_by(**mine))
            if found is None:
                found = BillDay(**mine)
                session.add(found)
                session.flush()
            return found.id

    def has_bill(self, day: date, lines: Sequence[Traded], *, moved: Sequence[Flowed] | None = None) -> None:
        """WeChat's trade bill of the day says this, and its fund flow what follows from it, or `moved`."""
        load(self.expects(day, TRADE), [part(trades(*lines))], LOADED, KEEP_DAYS)
        told = flows(*(flowing(lines) if moved is None else moved), owner=self.owner(day))
        load(self.expects(day, FUND_FLOW), [part(told)], LOADED, KEEP_DAYS)

    def differs(self, day: date) -> Sequence[Difference]:
        return differences_of(self.channel_id, day)

    def found(self, day: date) -> set[tuple[str, str, str]]:
        """Class, WeChat's number and state of everything in which the day differs."""
        return {(each.klass, each.subject.removesuffix("/ours"), each.state) for each in self.differs(day)}


def _row(each: Traded, state: str) -> tuple[object, ...]:
    refund = (each.refund_id, each.out_refund_no) if each.is_refund else ("", "")
    told = _STATES[each.status] if each.is_refund else state
    fen = each.refund_fen if each.is_refund else each.paid_fen
    return (
        each.transaction_id,
        each.out_trade_no,
        fen,
        datetime.fromtimestamp(each.at, UTC),
        uuid.uuid4(),
        told,
        False,
        *refund,
    )
