"""Payees, charges and orders in the state that a test needs."""

import json
import random
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, LiteralString

from flask import Flask
from sqlalchemy import select

from app.kernel.db import transaction
from app.settings import Settings
from payments.bank.actions import confirm_account, record_account
from payments.charges import queries
from payments.charges.actions import check_order, open_charge, prepare, prepare_together
from payments.charges.models import Charge, ExceptionCase, Order, Payment
from payments.ledger.queries import trial_balance
from payments.ledger.rules import TREASURY
from payments.payees.actions import confirm, confirm_channel, open_channel, open_payee
from payments.payees.models import MerchantChannel, Payee
from payments.payees.queries import channel_of
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars
from payments.refunds.actions import approve, ask, check_refund
from payments.refunds.models import Refund
from payments.refunds.queries import refund
from payments.wechat import Notice, WeChatPay
from tests.payments.servers import Simulator
from tests.world import EVER, with_terms

JOB = "tests.paid"
MOVED = "tests.refund_moved"
A_CHARGE: LiteralString = (
    "INSERT INTO charge (key, source_kind, source_key, payee_id, motorist_id, amount_fen, description, on_paid, "
    "state, created_at) "
    "VALUES (gen_random_uuid(), 'test', gen_random_uuid(), %s, 1, 1250, '停车费', 'tests.paid', 'created', %s)"
)
OPENID = "o-payer-of-these-tests-000001"
ANOTHER = "o-somebody-else-of-these-tests"


def treasury_payee(sp_mchid: str = "1600000001") -> Payee:
    """An organ that collects for the city's treasury, confirmed as a sample, with a sub-merchant."""
    particulars = FiscalParticulars("district", "330106", "001001", "某机关事务中心", "1030702", "区财政非税专户")
    return _ready(open_payee("某区机关事务管理中心", particulars, EVER, actor="test"), sp_mchid)


def enterprise_payee(sp_mchid: str = "1600000001") -> Payee:
    """A state-owned enterprise, confirmed as a sample with its VAT, with a sub-merchant."""
    particulars = EnterpriseParticulars("91330100MA00000000", "某银行", "571900000000001")
    return with_terms(_ready(open_payee("某城投停车公司", particulars, EVER, actor="test"), sp_mchid))


def on_record(payee: Payee, account: str = "571900000000009") -> None:
    """An account into which a payee's money is paid out, recorded by one person and confirmed by another."""
    made = record_account(payee.id, account, "某银行", date(2026, 1, 1), "开户通知书", "staff:1")
    confirm_account(made.key, "staff:2")


def _ready(payee: Payee, sp_mchid: str) -> Payee:
    confirm(payee.id, confirmed_by="checker", note="示例主体，不得用于真实收费", sample=True)
    paid_through(payee, sp_mchid=sp_mchid)
    return payee


def paid_through(payee: Payee, sub_mchid: str | None = None, sp_mchid: str = "1600000001") -> MerchantChannel:
    """A sub-merchant, a new one unless named, that takes the payee's orders from now on."""
    made = open_channel(payee.id, sp_mchid=sp_mchid, sub_mchid=sub_mchid or sub_merchant(), actor="test")
    return confirm_channel(made.key, "checker")


def sub_merchant() -> str:
    """A number in the stand-in's range that no other test uses."""
    return str(1900000000 + secrets.randbelow(99_999_999))


def owed(payee: Payee, fen: int = 1250, motorist_id: int | None = None) -> Charge:
    """A charge that was just opened."""
    return open_charge(
        source_kind="test", source_key=uuid.uuid4(), payee_id=payee.id, amount_fen=fen,
        motorist_id=motorist_id or random.randrange(1, 2**40), description="停车费 测试车场", on_paid=JOB,
    )  # fmt: skip


@dataclass(frozen=True)
class Till:
    """Where a motorist pays in these tests, and where we look afterwards."""

    app: Flask
    settings: Settings
    wechat: Simulator
    clock_file: Path

    @property
    def pay(self) -> WeChatPay:
        client: WeChatPay = self.app.extensions["gongbo"].pay
        return client

    @property
    def sp_mchid(self) -> str:
        return self.settings.wechat.sp_mchid

    def treasury_payee(self) -> Payee:
        return treasury_payee(self.sp_mchid)

    def enterprise_payee(self) -> Payee:
        return enterprise_payee(self.sp_mchid)

    def prepare(self, charge: Charge, openid: str = OPENID) -> dict[str, str]:
        told = self.settings.wechat
        return prepare(charge.key, openid, self.pay, sp_appid=told.app_id, notify_url=told.notify_url)

    def prepare_together(self, charges: Sequence[Charge], openid: str = OPENID) -> dict[str, str]:
        told = self.settings.wechat
        keys = [each.key for each in charges]
        return prepare_together(keys, openid, self.pay, sp_appid=told.app_id, notify_url=told.notify_url)

    def pays(self, parameters: dict[str, str], *only: Order, force: bool = False) -> str:
        """The motorist pays what the phone was given, or WeChat takes but a part of it; returns the notice's id."""
        numbers = [each.out_trade_no for each in only]
        wish = {"parameters": parameters, "force": force} | ({"only": numbers} if numbers else {})
        return str(self.wechat.control("POST", "/pay", wish)["notice_id"])

    def ordered(self, payee: Payee, fen: int = 1250) -> tuple[Charge, Order]:
        """A charge whose order lies open at WeChat."""
        charge = owed(payee, fen)
        self.prepare(charge)
        return charge, order_of(charge)

    def paid(self, order: Order) -> str:
        """The motorist pays in WeChat's cashier; returns the notice's id."""
        return str(self.wechat.control("POST", "/pay", {"out_trade_no": order.out_trade_no})["notice_id"])

    def paid_charge(self, payee: Payee, fen: int = 1250) -> tuple[Charge, Payment]:
        """A charge that was paid a while ago, and its payment."""
        charge, order = self.ordered(payee, fen)
        self.paid(order)
        check_order(order.id, self.pay)
        return queries.charge(charge.key), payments(charge)[0]

    @property
    def refund_url(self) -> str:
        return self.settings.wechat.refund_notify_url

    def bring(self, found: Refund) -> bool:
        """The sweeper takes one refund up; whether WeChat answered."""
        return check_refund(found.id, self.pay, self.refund_url)

    def refund_in_wechats_book(self, found: Refund) -> dict[str, Any] | None:
        shown = self.wechat.control("GET", "/book")["refunds"]
        return next((each for each in shown if each["out_refund_no"] == found.out_refund_no), None)

    def comes_to(self, found: Refund, status: str) -> str:
        """WeChat ends a refund so, and writes a notice, whose id this is."""
        wish = {"out_refund_no": found.out_refund_no, "status": status}
        return str(self.wechat.control("POST", "/refund-outcomes", wish)["notice_id"])

    def deliver(self, notice_id: str, copies: int = 1) -> list[int]:
        """WeChat brings this notice (again), `copies` times at the same moment; returns our statuses."""
        wish = {"notice_id": notice_id, "copies": copies}
        statuses: list[int] = self.wechat.control("POST", "/redeliver", wish)["statuses"]
        return statuses

    def redeliver(self, order: Order, copies: int = 1, *, new_id: bool = False) -> list[int]:
        """WeChat brings the notice (again), `copies` times at the same moment; returns our statuses."""
        wish = {"out_trade_no": order.out_trade_no, "copies": copies, "new_id": new_id}
        statuses: list[int] = self.wechat.control("POST", "/redeliver", wish)["statuses"]
        return statuses

    def forge(self, order: Order, kind: str) -> list[int]:
        wish = {"out_trade_no": order.out_trade_no, "kind": kind}
        statuses: list[int] = self.wechat.control("POST", "/forge", wish)["statuses"]
        return statuses

    def fail(self, kind: str, operation: str, times: int = 1) -> None:
        self.wechat.control("POST", "/faults", {"kind": kind, "operation": operation, "times": times})

    def later(self, seconds: float) -> None:
        """Everybody's clock jumps, WeChat's too."""
        self.clock_file.write_text(str(float(self.clock_file.read_text()) + seconds))


def order_of(charge: Charge) -> Order:
    """The charge's newest order, read anew."""
    return queries.orders_of(charge.id)[-1]


def motorist_of(charge: Charge) -> int:
    """Whose debt it is."""
    assert charge.motorist_id is not None
    return charge.motorist_id


def state_of(charge: Charge) -> str:
    return queries.charge(charge.key).state


def payments(charge: Charge) -> list[Payment]:
    return list(queries.payments_of(charge.id))


def promised(payment: Payment, fen: int, *, alone_up_to: int = 10_000, reason: str = "overpaid") -> Refund:
    """A refund that a person asked for; of no more than `alone_up_to` another has approved it where it takes two."""
    made = ask(
        payment.key, fen, reason=reason, basis="出口道闸离线，多计一小时", asked_by="staff:1",
        alone_up_to_fen=alone_up_to, on_moved=MOVED,
    )  # fmt: skip
    return approve(made.key, "staff:2", "核对无误") if made.regime == TREASURY and fen <= alone_up_to else made


def sent(till: Till, payment: Payment, fen: int = 300) -> Refund:
    """A refund that WeChat has accepted and that stays in its hands until a test says what comes of it."""
    till.wechat.control("POST", "/switches", {"refund_outcome": "PROCESSING"})
    made = promised(payment, fen)
    till.bring(made)
    return now_of(made)


def told_of(till: Till, made: Refund, **changed: object) -> dict[str, object]:
    """A refund as WeChat's notice tells of it, with something changed."""
    book = till.refund_in_wechats_book(made)
    assert book is not None
    with_payment = next(each for each in queries.payments_of(made.charge_id) if each.id == made.payment_id)
    said: dict[str, object] = {
        "mchid": till.sp_mchid, "transaction_id": with_payment.transaction_id, "out_trade_no": book["out_trade_no"],
        "refund_id": book["refund_id"], "out_refund_no": made.out_refund_no, "refund_status": "SUCCESS",
        "success_time": "2026-05-01T12:00:00+08:00", "amount": {"total": 1250, "refund": 300},
    }  # fmt: skip
    return said | changed


def now_of(found: Refund) -> Refund:
    """The refund, read anew."""
    return refund(found.key)


def reserved(payment: Payment) -> int:
    """What of a payment is promised back."""
    with transaction() as session:
        return session.scalars(select(Payment.refund_reserved_fen).filter_by(id=payment.id)).one()


def cases(word: str) -> list[ExceptionCase]:
    """Cases whose reference or detail is about this number."""
    with transaction() as session:
        return [each for each in session.scalars(select(ExceptionCase)) if word in each.reference]


def books(payee: Payee) -> dict[str, int]:
    """What the payee's accounts hold, those that hold anything."""
    return {each.code: each.amount_fen for each in trial_balance(payee.id) if each.amount_fen}


def jobs(charge: Charge) -> int:
    """How often the charge's job was enqueued."""
    with transaction() as session:
        found = session.connection().exec_driver_sql(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND args ->> 'source_key' = %s",
            (JOB, str(charge.source_key)),
        )
        return int(found.scalar_one())


def content(till: Till, order: Order, payee: Payee) -> dict[str, Any]:
    """The payment of this order as WeChat reports it."""
    channel = channel_of(payee.id)
    return {
        "sp_appid": till.settings.wechat.app_id,
        "sp_mchid": channel.sp_mchid,
        "sub_mchid": channel.sub_mchid,
        "out_trade_no": order.out_trade_no,
        "transaction_id": f"42{secrets.randbelow(10**26):026}",
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "success_time": "2026-05-01T12:00:00+08:00",
        "payer": {"sp_openid": OPENID},
        "amount": {"total": order.amount_fen, "payer_total": order.amount_fen, "currency": "CNY"},
    }


def notice(said: dict[str, Any] | bytes, event: str = "TRANSACTION.SUCCESS", original: str = "transaction") -> Notice:
    """A notice that WeChat signed, as it is after verification."""
    plaintext = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Notice(str(uuid.uuid4()), event, original, datetime.now(UTC), "PUB_KEY_ID_1", plaintext)
