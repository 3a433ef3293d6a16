"""What finance people see of bills and days: those of the payees within their reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.audit.queries import sealing
from app.domain.audit.rules import on_paper
from app.domain.payees.queries import payees_within
from app.domain.staff.queries import people
from app.domain.staff.rules import Actor, reach
from app.kernel.refusals import Conflict
from payments.bank import queries as bank
from payments.bank.queries import AccountView, BankBalance, LooseLine, MeaningView, SettlementView
from payments.bills import queries as bill_files
from payments.bills.queries import BillView
from payments.parity import queries as parity
from payments.parity.queries import CorrectionView
from payments.payees.models import MerchantChannel
from payments.payees.queries import payee_by_id
from payments.reconciliation import queries as recon
from payments.reconciliation.queries import (
    ClearingView,
    DaySheet,
    DayView,
    DifferenceView,
    Held,
    PlacementView,
    RateView,
)

PAGE = recon.PAGE


class SheetNotSealed(Conflict):
    """Its signature stands in no block of the audit log yet: blocks are sealed every half minute."""

    code = "sheet_not_sealed"
    message = "日结记录尚未封存至审计日志，请一分钟后再试"


@dataclass(frozen=True)
class SignedDay:
    """A closed day for paper: of whom, who its people are by their labels, and the block that holds its signature."""

    payee: str
    sub_mchid: str
    sheet: DaySheet
    people: dict[str, str]
    anchor: str


@dataclass(frozen=True)
class SignedMonth:
    """A month whose days are all closed, for paper; its anchor holds the signature that came last."""

    payee: str
    sub_mchid: str
    sheets: Sequence[DaySheet]
    people: dict[str, str]
    anchor: str


def signed_day(channel: MerchantChannel, day: date) -> SignedDay:
    """What a day's sheet says; the same for ever, but for what is cleared later. Refuses as `day_sheet` does.

    Refuses `SheetNotSealed`.
    """
    sheet = recon.day_sheet(channel.id, day)
    of = payee_by_id(channel.payee_id)
    return SignedDay(of.name, channel.sub_mchid, sheet, people(_labels([sheet])), _anchor([sheet]))


def signed_month(channel: MerchantChannel, month: date) -> SignedMonth:
    """What a month's sheet says. Refuses `MonthNotSignedOff`, `SheetNotSealed`."""
    sheets = recon.month_sheets(channel.id, month)
    of = payee_by_id(channel.payee_id)
    return SignedMonth(of.name, channel.sub_mchid, sheets, people(_labels(sheets)), _anchor(sheets))


def _labels(sheets: Sequence[DaySheet]) -> set[str]:
    signed = {label for each in sheets for label in (each.signed.made_by, each.signed.signed_by)}
    said = {label for each in sheets for line in each.differences for label in (line.made_by, line.decided_by)}
    brought = {bill.brought_by for each in sheets for bill in each.bills if bill.brought_by}
    return signed | said | brought


def _anchor(sheets: Sequence[DaySheet]) -> str:
    block = sealing("day_sign_off", max(each.signed.id for each in sheets))
    if block is None:
        raise SheetNotSealed
    return on_paper(block.block_no, block.hash)


def bills(by: Actor, first: date, last: date, sub_mchid: str | None = None) -> Sequence[BillView]:
    """Every version of every bill of these days. Refuses `NotPermitted`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return bill_files.bills(first, last, payees=payees, sub_mchid=sub_mchid)


def days(by: Actor, first: date, last: date, sub_mchid: str | None = None) -> Sequence[DayView]:
    """Merchants' days as their newest comparison found them. Refuses `NotPermitted`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return recon.days(first, last, payees=payees, sub_mchid=sub_mchid)


def differences(
    by: Actor, *, sub_mchid: str | None = None, day: date | None = None, state: str | None = None, limit: int = PAGE
) -> Sequence[DifferenceView]:  # fmt: skip
    """Differences, the oldest first; without a state those that are not explained. Refuses `NotPermitted`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return recon.differences(payees=payees, sub_mchid=sub_mchid, day=day, state=state, limit=limit)


def settlements(by: Actor, limit: int = PAGE) -> Sequence[SettlementView]:
    """What WeChat paid out, and when the bank had it, the newest day first. Refuses `NotPermitted`."""
    return bank.settlements(payees=payees_within(reach(by, "reconciliation.see")), limit=limit)


def bank_lines(by: Actor, limit: int = PAGE) -> Sequence[LooseLine]:
    """Bank lines that nothing explains, the oldest first. Refuses `NotPermitted`."""
    return bank.unexplained(payees=payees_within(reach(by, "reconciliation.see")), limit=limit)


def line_meanings(by: Actor, *, state: str | None = None, limit: int = PAGE) -> Sequence[MeaningView]:
    """What was said of bank lines, the newest first. Refuses `NotPermitted`."""
    return bank.meanings(payees=payees_within(reach(by, "reconciliation.see")), state=state, limit=limit)


def bank_balances(by: Actor) -> Sequence[BankBalance]:
    """What payees' banks hold, against the books. Refuses `NotPermitted`."""
    return bank.balances(payees=payees_within(reach(by, "reconciliation.see")))


def accounts(by: Actor) -> Sequence[AccountView]:
    """Which accounts are on record, by payee. Refuses `NotPermitted`."""
    return bank.accounts(payees=payees_within(reach(by, "reconciliation.see")))


def suspense(by: Actor, sub_mchid: str | None = None) -> Sequence[Held]:
    """What stands in suspense, the oldest first. Refuses `NotPermitted`, `NoSuchMerchant`."""
    payees = payees_within(reach(by, "reconciliation.see"))
    return recon.suspense(payees=payees, channel_id=recon.merchant(sub_mchid).id if sub_mchid else None)


def clearings(by: Actor, *, state: str | None = None, limit: int = PAGE) -> Sequence[ClearingView]:
    """What was asked to be cleared, the newest first. Refuses `NotPermitted`."""
    return recon.clearings(payees=payees_within(reach(by, "reconciliation.see")), state=state, limit=limit)


def placements(by: Actor, *, state: str | None = None, limit: int = PAGE) -> Sequence[PlacementView]:
    """Where stray payments go, the newest first. Refuses `NotPermitted`."""
    return recon.placements(payees=payees_within(reach(by, "reconciliation.see")), state=state, limit=limit)


def corrections(by: Actor, *, state: str | None = None, limit: int = PAGE) -> Sequence[CorrectionView]:
    """Which journals were said to be wrong, the newest first. Refuses `NotPermitted`."""
    return parity.corrections(payees=payees_within(reach(by, "reconciliation.see")), state=state, limit=limit)


def rates(by: Actor) -> Sequence[RateView]:
    """Which rates of WeChat's fee were agreed, by merchant. Refuses `NotPermitted`."""
    return recon.rates(payees=payees_within(reach(by, "reconciliation.see")))
