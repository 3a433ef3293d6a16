"""The account of a stay: what was paid, what is owed, and the one open bill. Every step holds the stay's lock."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import func, insert, select

from app.domain.arrears.actions import owe
from app.domain.lots.models import Lot
from app.domain.lots.queries import payee_at, place_of
from app.domain.pricing.rules import BilledFee, Priced
from app.domain.stays.models import Bill, BillBasis, Stay
from app.domain.stays.queries import Due, due_of
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import clock
from app.kernel.db import current
from app.kernel.ids import new_key
from app.kernel.money import Fen
from payments.charges.actions import open_charge, recognise, withdraw
from payments.charges.actions.withdraw import AlreadyPaid
from payments.charges.models import Charge, Payment
from payments.charges.queries import PAID, charge, promised_back


def locked(stay_id: int) -> Stay:
    """The stay, for this transaction alone."""
    return current().scalars(select(Stay).where(Stay.id == stay_id).with_for_update()).one()


def due_now(stay: Stay, at: datetime | None = None) -> Due:
    """What a locked stay owes, every payment counted that any process has learned of, its job run or not."""
    note_paid(stay)
    return due_of(stay, at)


def note_paid(stay: Stay) -> None:
    """Date each bill whose charge is paid with the payment's own time, a withdrawn one too: the money came."""
    paid = current().execute(
        select(Bill, func.coalesce(Payment.paid_at, clock.now()))
        .join(Charge, Charge.key == Bill.charge_key)
        .outerjoin(Payment, (Payment.charge_id == Charge.id) & ~Payment.surplus)
        .where(Bill.stay_id == stay.id, Bill.paid_at.is_(None), Charge.state.in_(PAID))
    )
    for bill, paid_at in paid.all():
        bill.paid_at = paid_at
    current().flush()


def bill_for(stay: Stay, at: datetime | None = None) -> Bill:
    """The open bill for what is owed now: the standing one if it asks for that sum, else a new one in its place."""
    while True:
        due = due_now(stay, at)
        standing = _standing(stay)
        if standing is not None and standing.amount_fen == due.due_fen:
            return _owed(stay, standing)
        if standing is None or _withdrawn(standing):
            return _owed(stay, _write(stay, due))


def _owed(stay: Stay, bill: Bill) -> Bill:
    """What a car that has left is asked for is chased."""
    if stay.state == "owing" and bill.amount_fen:
        assert stay.exited_at is not None
        owe(
            stay.key, stay.lot_id, stay.exited_at, payee_id=bill.payee_id, amount_fen=bill.amount_fen,
            motorist_id=stay.motorist_id, charge_key=bill.charge_key,
        )  # fmt: skip
    return bill


def owed_by_nobody(stay: Stay, due: Due) -> None:
    """A car left unpaid and no account answers for it: the debt stays with the stay, until somebody adopts it."""
    assert stay.exited_at is not None
    payee_id = payee_at(stay.lot_id, stay.entered_at)
    owe(stay.key, stay.lot_id, stay.exited_at, payee_id=payee_id, amount_fen=due.due_fen)
    open_task("stay_owed_by_nobody", "stay", stay.id, {"due_fen": due.due_fen}, place=place_of(stay.lot_id))


def close_standing(stay: Stay) -> None:
    """Nothing is asked for any more. A payment that comes first is counted instead."""
    standing = _standing(stay)
    if standing is not None and not _withdrawn(standing):
        note_paid(stay)


def complete(stay: Stay) -> None:
    """A settled stay's money becomes due to the treasury, or revenue (N3.4.1, N3.4.2), up to the fee and no further.

    More than the fee is not earned, nor what was paid before free time took the fee away: it waits as the motorist's,
    and a person sends it back. What is promised back counts as never paid.
    """
    fee = due_of(stay).fee
    bills = _paid(stay)
    sums = accumulate(bill.amount_fen - _promised_back(bill) for bill in bills)
    for bill, so_far in zip(bills, sums, strict=True):
        assert bill.charge_key is not None
        if so_far <= fee.fee_fen or (bill.fee_fen >= so_far and not fee.waived_fen):
            recognise(bill.charge_key)
            settle_tasks("stay_overpaid", "bill", bill.id, "多缴部分已退还")
        else:
            told = {"paid_fen": so_far, "fee_fen": fee.fee_fen}
            open_task("stay_overpaid", "bill", bill.id, told, place=place_of(stay.lot_id))


def _promised_back(bill: Bill) -> Fen:
    assert bill.charge_key is not None
    return promised_back(charge(bill.charge_key).id)


def _paid(stay: Stay) -> Sequence[Bill]:
    query = select(Bill).where(Bill.stay_id == stay.id, Bill.paid_at.is_not(None), Bill.amount_fen > 0)
    return current().scalars(query.order_by(Bill.id)).all()


def _standing(stay: Stay) -> Bill | None:
    query = select(Bill).where(Bill.stay_id == stay.id, Bill.paid_at.is_(None), Bill.withdrawn_at.is_(None))
    return current().scalars(query.order_by(Bill.id.desc()).limit(1)).first()


def _withdrawn(bill: Bill) -> bool:
    """Ask for this sum no longer; says no when it was paid this very moment."""
    assert bill.charge_key is not None
    try:
        withdraw(bill.charge_key, f"stay:{bill.stay_id}")
    except AlreadyPaid:
        return False
    bill.withdrawn_at = clock.now()
    current().flush()
    return True


def _write(stay: Stay, due: Due) -> Bill:
    """Write the bill down; with an account behind the stay also the charge, for the lot's payee at the entry."""
    bill = Bill(
        key=new_key(), stay_id=stay.id, up_to=due.up_to, own_fen=due.fee.own_fen,
        cap_fen=due.fee.cap_fen, cap_rule=due.fee.rule if due.fee.caps else None, fee_fen=due.fee.fee_fen,
        waived_fen=due.fee.waived_fen, free_span_id=due.fee.waiver.id if due.fee.waiver else None,
        amount_fen=due.due_fen, explanation=_explained(due), payee_id=payee_at(stay.lot_id, stay.entered_at),
        made_at=clock.now(),
    )  # fmt: skip
    if stay.motorist_id is not None:
        bill.charge_key = _charge(stay, stay.motorist_id, bill)
    if bill.amount_fen == 0:
        bill.paid_at = clock.now()
    current().add(bill)
    current().flush()
    current().execute(insert(BillBasis), list(_basis(bill, due.fee)))
    return bill


def _basis(bill: Bill, fee: BilledFee) -> Iterator[dict[str, Any]]:
    """Each version that the bill rests on, with what it makes of its span."""
    for place, (source, quote) in enumerate([*fee.own, *fee.caps], start=1):
        yield {
            "bill_id": bill.id, "place": place, "tariff_id": source.tariff_id, "lot_tariff_id": source.lot_tariff_id,
            "reference_version_id": source.reference_version_id, "begins_at": quote.entry, "ends_at": quote.exit,
            "fen": quote.total_fen,
        }  # fmt: skip


def _charge(stay: Stay, motorist_id: int, bill: Bill) -> uuid.UUID:
    lot = current().get_one(Lot, stay.lot_id)
    return open_charge(
        source_kind="bill", source_key=bill.key, payee_id=bill.payee_id, amount_fen=bill.amount_fen,
        motorist_id=motorist_id, description=f"停车费 {lot.name}"[:60], on_paid="stays.settle",
    ).key  # fmt: skip


def _explained(due: Due) -> list[dict[str, Any]]:
    """All quotes line by line, as they were when the bill was made; a reference's under its name."""
    own = [{"of": "own", **line} for line in _lines(due.fee.own)]
    return own + [{"of": "cap", "name": each.source.name, **line} for each in due.fee.caps for line in _lines([each])]


def _lines(parts: Sequence[Priced]) -> list[dict[str, Any]]:
    return [
        {**asdict(line), "begins_at": line.begins_at.isoformat(), "ends_at": line.ends_at.isoformat()}
        for part in parts
        for line in part.quote.lines
    ]
