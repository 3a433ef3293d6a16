"""A bill that WeChat has no more is brought by hand; one as it was is taken out for an auditor."""

from datetime import date
from typing import BinaryIO

from app.domain.policies.queries import numbers
from app.domain.reconciliation.actions.places import place_of_channel
from app.domain.staff.rules import Actor, permit
from app.kernel import audit
from app.kernel.db import transaction
from app.kernel.files import Paper, keep
from payments.bills import actions as bills
from payments.bills.models import BillFile
from payments.bills.queries import bill_day, loaded_bill, original_text
from payments.reconciliation.queries import merchant


def export_bill(
    by: Actor, sub_mchid: str, day: date, kind: str, into: BinaryIO, version: int | None = None
) -> BillFile:  # fmt: skip
    """Write the text of a bill, or of its newest version, as WeChat gave it: proven by its hashes, and written down.

    It names payers (用户标识). Refuses `NoSuchMerchant`, `NoSuchBillDay`, `NoOriginal`.
    Raises `OriginalSpoilt`: then what was written is worth nothing.
    """
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.export_bill", place_of_channel(channel))
        bill = loaded_bill(bill_day(sub_mchid, day, kind).id, version)
        into.writelines(original_text(bill))
        audit.record("bill_original.export", "bill_file", bill.id, by.label)
        return bill


def load_bill(by: Actor, sub_mchid: str, day: date, kind: str, file: BinaryIO, because: str) -> BillFile:
    """Bring a bill that WeChat has no more, from a file of its merchant platform; another person signs the day.

    Refuses `NoSuchMerchant`, `NoSuchBillDay`, and as `payments.bills.actions.bring_bill` does.
    """
    with transaction():
        permit(by, "reconciliation.load_bill", place_of_channel(merchant(sub_mchid, day)))
        due, keep_days = bill_day(sub_mchid, day, kind), numbers()["bill_originals_days"]
        return bills.bring_bill(due.id, file, by.label, because, on_loaded="reconciliation.match", keep_days=keep_days)


def load_no_bill(by: Actor, sub_mchid: str, day: date, kind: str, paper: Paper, because: str) -> BillFile:
    """Say that the merchant platform has no bill of a day that WeChat has no more, with the paper that proves it.

    Refuses `FileRefused`, and as `load_bill` does.
    """
    with transaction():
        permit(by, "reconciliation.load_no_bill", place_of_channel(merchant(sub_mchid, day)))
        due = bill_day(sub_mchid, day, kind)
        return bills.bring_none(
            due.id, keep(paper, by.account_id).id, by.label, because, on_loaded="reconciliation.match"
        )
