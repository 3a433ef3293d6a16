"""What a stay costs becomes a bill and a charge for the lot's payee."""

import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.domain.lots.models import Lot
from app.domain.lots.queries import payee_at
from app.domain.pricing.rules import Quote
from app.domain.stays.models import Bill, Stay
from app.domain.stays.queries import Due, due_of, one_for
from app.domain.stays.rules import STAY
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict
from payments.charges.actions import open_charge, recognise, withdraw
from payments.charges.actions.withdraw import AlreadyPaid


class NothingToPay(Conflict):
    """The stay costs nothing up to now, or everything is paid."""

    code = "nothing_to_pay"
    message = "当前无需缴费"


def open_payment(motorist_id: int, stay_key: uuid.UUID) -> uuid.UUID:
    """The key of the charge that settles what this stay owes now; the same again while the sum is the same.

    Refuses `StayNotFound`, `NothingToPay`, `TariffMissing`, `PayeeMissing`, `PayeeNotConfirmed`.
    """
    with transaction():
        stay = _lock(one_for(motorist_id, stay_key).stay)
        due = due_of(stay)
        if due.due_fen == 0:
            raise NothingToPay
        charge_key = _bill(stay, due).charge_key
        assert charge_key is not None
        return charge_key


def _lock(stay: Stay) -> Stay:
    return current().scalars(select(Stay).where(Stay.id == stay.id).with_for_update()).one()


def close_account(stay: Stay, exit_event_id: int, exited_at: datetime) -> None:
    """The car is gone: settled when nothing is owed, else owing, with a bill where we know whose it is."""
    due = due_of(stay, exited_at)
    event = "leave" if due.due_fen else "leave_paid"
    STAY.move(stay, event, "gate", exit_event_id=exit_event_id, exited_at=exited_at)
    if due.due_fen == 0:
        _withdraw_unpaid(stay)
        complete(stay)
    if _should_be_billed(stay, due):
        _bill(stay, due)


def _should_be_billed(stay: Stay, due: Due) -> bool:
    """A debt needs somebody who owes it; a stay that cost nothing is billed 0 fen, so that it is on record."""
    return stay.motorist_id is not None if due.due_fen else due.paid_fen == 0


def complete(stay: Stay) -> None:
    """A settled stay's paid charges become due to the treasury, or revenue (N3.4.1, N3.4.2)."""
    for bill in _paid_bills(stay):
        assert bill.charge_key is not None
        recognise(bill.charge_key)


def _paid_bills(stay: Stay) -> list[Bill]:
    query = select(Bill).where(Bill.stay_id == stay.id, Bill.paid_at.is_not(None), Bill.amount_fen > 0)
    return list(current().scalars(query.order_by(Bill.id)))


def _bill(stay: Stay, due: Due) -> Bill:
    """The open bill of this very sum, or a new one in place of an older."""
    standing = _unpaid_bill(stay)
    if standing is not None and standing.amount_fen == due.due_fen:
        return standing
    _withdraw_unpaid(stay)
    return _write(stay, due)


def _unpaid_bill(stay: Stay) -> Bill | None:
    query = select(Bill).where(Bill.stay_id == stay.id, Bill.paid_at.is_(None), Bill.withdrawn_at.is_(None))
    return current().scalars(query.order_by(Bill.id.desc()).limit(1)).first()


def _withdraw_unpaid(stay: Stay) -> None:
    """An older sum is asked for no longer. One that was paid meanwhile stays, and counts when its job runs."""
    bill = _unpaid_bill(stay)
    if bill is None or bill.charge_key is None:
        return
    try:
        withdraw(bill.charge_key, f"stay:{stay.id}")
    except AlreadyPaid:
        return
    bill.withdrawn_at = clock.now()
    current().flush()


def _write(stay: Stay, due: Due) -> Bill:
    """Write the bill down; with an account behind the stay also the charge, for the payee of this moment."""
    bill = Bill(
        key=new_key(), stay_id=stay.id, up_to=due.up_to, own_fen=due.fee.own.total_fen,
        cap_fen=None if due.fee.reference is None else due.fee.reference.total_fen, fee_fen=due.fee.fee_fen,
        amount_fen=due.due_fen, explanation=_explained(due), payee_id=payee_at(stay.lot_id, stay.entered_at),
        made_at=clock.now(),
    )  # fmt: skip
    if stay.motorist_id is not None:
        bill.charge_key = _charge(stay, stay.motorist_id, bill)
    if bill.amount_fen == 0:
        bill.paid_at = clock.now()
    current().add(bill)
    current().flush()
    return bill


def _charge(stay: Stay, motorist_id: int, bill: Bill) -> uuid.UUID:
    lot = current().get_one(Lot, stay.lot_id)
    return open_charge(
        source_kind="bill", source_key=bill.key, payee_id=bill.payee_id, amount_fen=bill.amount_fen,
        motorist_id=motorist_id, description=f"停车费 {lot.name}"[:60], on_paid="stays.settle",
    ).key  # fmt: skip


def _explained(due: Due) -> list[dict[str, Any]]:
    """Both quotes line by line, as they were when the bill was made."""
    quotes = [("own", due.fee.own)] + ([("cap", due.fee.reference)] if due.fee.reference else [])
    return [{"of": name, **line} for name, each in quotes for line in _lines(each)]


def _lines(quote: Quote) -> list[dict[str, Any]]:
    return [
        {**asdict(line), "begins_at": line.begins_at.isoformat(), "ends_at": line.ends_at.isoformat()}
        for line in quote.lines
    ]
