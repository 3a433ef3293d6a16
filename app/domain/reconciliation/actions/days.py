"""A merchant's day is compared, proposed by one person and signed off by another; its sheets are taken out."""

from datetime import date

from app.domain.reconciliation.actions.places import place_of_channel
from app.domain.reconciliation.queries import SignedDay, SignedMonth, signed_day, signed_month
from app.domain.staff.rules import Actor, permit
from app.kernel import audit
from app.kernel.db import transaction
from payments.reconciliation import actions as recon
from payments.reconciliation.actions.sign import DayNotCompared
from payments.reconciliation.models import DayProposal, DaySignOff, ReconRun
from payments.reconciliation.queries import latest_run, merchant


def compare(by: Actor, sub_mchid: str, day: date) -> ReconRun:
    """Compare a merchant's day anew; once signed off it stays as it was found.

    Refuses `NoSuchMerchant`, `DayNotCompared` while there is no bill.
    """
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.compare", place_of_channel(channel))
        recon.reconcile(channel.id, day)
        run = latest_run(channel.id, day)
        if run is None:
            raise DayNotCompared
        return run


def propose(by: Actor, sub_mchid: str, day: date) -> DayProposal:
    """Say that a merchant's day is explained. Refuses as `payments.reconciliation.actions.propose` does."""
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.propose", place_of_channel(channel))
        return recon.propose(channel.id, day, by.label)


def sign(by: Actor, sub_mchid: str, day: date) -> DaySignOff:
    """Close a merchant's day that another proposed. Refuses as `payments.reconciliation.actions.sign` does."""
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.sign", place_of_channel(channel))
        return recon.sign(channel.id, day, by.label)


def take_day_sheet(by: Actor, sub_mchid: str, day: date) -> SignedDay:
    """Take the sheet of a closed day out of the platform, which is written down. Refuses as `signed_day` does."""
    with transaction():
        channel = merchant(sub_mchid, day)
        permit(by, "reconciliation.take_day_sheet", place_of_channel(channel))
        told = signed_day(channel, day)
        audit.record("day.sheet", "merchant_channel", channel.id, by.label, {"day": day.isoformat()})
        return told


def take_month_sheet(by: Actor, sub_mchid: str, month: date) -> SignedMonth:
    """Take the sheet of a month out, likewise. Refuses as `signed_month` does."""
    with transaction():
        channel = merchant(sub_mchid, month)
        permit(by, "reconciliation.take_month_sheet", place_of_channel(channel))
        told = signed_month(channel, month)
        audit.record("month.sheet", "merchant_channel", channel.id, by.label, {"month": f"{month:%Y-%m}"})
        return told
