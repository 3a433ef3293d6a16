"""Each job's name and what it does. A handler reads rows by id and may run twice."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from app.adapters.gates.waiting import announce
from app.domain.adjustments import actions as adjustments
from app.domain.audit.actions import check
from app.domain.conduct.actions import assess
from app.domain.gates.actions import refresh_lot
from app.domain.messages.actions import deliver
from app.domain.policies.queries import numbers
from app.domain.pricing.actions import prove_outdated
from app.domain.receipts.actions import bring_mail
from app.domain.refunds.actions import tell_of
from app.domain.regulars.actions import tend
from app.domain.reservations.actions import offer_free_bays
from app.domain.stays.actions import project_forgotten, settle
from app.wiring import wiring
from payments.bills.actions import fetch
from payments.reconciliation.actions import match_again

Handler = Callable[..., None]


def refresh_whitelist(lot_id: int) -> None:
    """Bring the lists of a lot's gates up to what its claims say, and nudge the gates."""
    refresh_lot(lot_id)


def wake_gate(device_id: int) -> None:
    """Tell the web processes that a gate which polls has a command waiting."""
    announce(wiring().redis, device_id)


def settle_stay(source_key: str) -> None:
    """A bill was paid."""
    settle(uuid.UUID(source_key))


def apply_adjustment(adjustment_id: int, lot_id: int) -> None:
    """Care for the promises of one lot that is adjusted, or open again."""
    adjustments.apply(adjustment_id, lot_id)


def offer_a_bay(displacement_id: int) -> None:
    """Look for a bay near by for a motorist who lost a reservation."""
    adjustments.offer(displacement_id)


def deliver_message(delivery_id: int) -> None:
    """Let WeChat show a message."""
    deliver(wiring().messages, delivery_id)


def offer_to_the_waiting(lot_id: int) -> None:
    """A bay may have fallen free: ask who waits for one."""
    offer_free_bays(lot_id)


def assess_incident(incident_id: int) -> None:
    """Something went wrong: see what follows by rule."""
    assess(incident_id)


def tend_regulars(round_id: int) -> None:
    """A round of regular places was drawn, or a place given back: hand places on, and deal nights."""
    tend(round_id)


def tell_of_refund(refund_id: int) -> None:
    """A refund moved: its motorist hears of it, or whoever decides."""
    tell_of(refund_id)


def prove_prices() -> None:
    """References, a rule or the calendar changed: prove again what lots charge."""
    while prove_outdated():
        continue


def project_passages() -> None:
    """A gate told of an outage: see what its passages mean."""
    while project_forgotten():
        continue


def check_audit_log() -> None:
    """Prove the audit log, and alarm people when it is not what was sealed."""
    check(wiring().anchors)


def fetch_bill(day_id: int) -> None:
    """A bill of WeChat's is due."""
    fetch(day_id, wiring().pay, on_loaded="reconciliation.match", keep_days=numbers()["bill_originals_days"])


def match_bill(day_id: int) -> None:
    """A bill has come: compare it with what we know."""
    match_again(day_id)


def bring_receipt_mail(mail_id: int, tried: int) -> None:
    """A motorist waits for receipts by e-mail; without a mail server they wait until they are given up."""
    server = wiring().mail
    if server is not None:
        bring_mail(mail_id, tried, server)


HANDLERS: Mapping[str, Handler] = {
    "adjustments.apply": apply_adjustment,
    "adjustments.offer": offer_a_bay,
    "audit.check": check_audit_log,
    "bills.fetch": fetch_bill,
    "conduct.assess": assess_incident,
    "gates.refresh_whitelist": refresh_whitelist,
    "gates.wake": wake_gate,
    "messages.deliver": deliver_message,
    "pricing.prove_outdated": prove_prices,
    "receipts.bring_mail": bring_receipt_mail,
    "reconciliation.match": match_bill,
    "refunds.tell": tell_of_refund,
    "regulars.tend": tend_regulars,
    "reservations.offer": offer_to_the_waiting,
    "stays.project_forgotten": project_passages,
    "stays.settle": settle_stay,
}


def run(name: str, arguments: Mapping[str, Any]) -> None:
    """Run one job by its name, as the worker does."""
    HANDLERS[name](**arguments)
