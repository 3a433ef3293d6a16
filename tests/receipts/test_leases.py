"""What an invoice of lease says of a stay, and who says that an enterprise's invoices are of that kind."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.receipts.actions import accept_certificate, record_certificate
from app.domain.receipts.queries import describe
from app.domain.stays.actions import open_payment
from payments.charges.queries import charge
from payments.payees.models import Payee
from payments.receipts.rules.services import Let
from tests.commands import refused, run, told
from tests.world import driver, gate, open_lot, paid, parked_stay, payee, staff

Move = Callable[[datetime], None]


@pytest.fixture
def lot(evening: datetime) -> Lot:
    """Two persons said that its property has no certificate."""
    made = open_lot()
    recorded = record_certificate(staff("finance_maker"), made.key, "无", "权属说明")
    accept_certificate(staff("finance_checker"), recorded.key, "已核")
    return made


def hours_later(evening: datetime, hours: int) -> datetime:
    return evening + timedelta(hours=hours)


def test_a_stay_lets_its_lot_from_the_day_of_entry_to_the_day_up_to_which_it_is_billed(
    lot: Lot, at: Move, evening: datetime
) -> None:
    who = driver()
    stay = parked_stay(who, gate(lot))
    at(hours_later(evening, 5))
    let = describe(charge(open_payment(who.id, stay.key))).let
    assert let == Let(lot.address, "无", date(2026, 6, 10), date(2026, 6, 11))


def test_what_a_stay_pays_later_lets_its_lot_from_where_it_was_paid_up_to(
    lot: Lot, at: Move, evening: datetime
) -> None:
    who = driver()
    stay = parked_stay(who, gate(lot))
    at(hours_later(evening, 5))
    first = open_payment(who.id, stay.key)
    paid(first)
    at(hours_later(evening, 8))
    second = describe(charge(open_payment(who.id, stay.key))).let
    assert second == Let(lot.address, "无", date(2026, 6, 11), date(2026, 6, 11))


def test_of_a_lot_whose_certificate_nobody_told_nothing_is_let(evening: datetime, at: Move) -> None:
    who, lot = driver(), open_lot()
    stay = parked_stay(who, gate(lot))
    at(hours_later(evening, 1))
    said = describe(charge(open_payment(who.id, stay.key)))
    assert (said.let, lot.name in said.words) == (None, True)


@pytest.fixture
def enterprise(evening: datetime) -> Payee:
    return payee("enterprise")


TERMS = ("--since", "2027-01-01T00:00+08:00", "--item-code", "3", "--item-name", "停车服务", "--note", "税务函")
VAT = ("--vat-method", "general", "--vat", "900")
OF_LEASE = ("--invoice-form", "lease", "--area-unit", "平方米", "--same-city")


def test_two_persons_say_at_their_terminals_that_an_enterprise_lets(app: Flask, enterprise: Payee) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    recorded: Any = ("receipts", "record-terms", enterprise.key, *TERMS, *VAT)
    assert refused(app, maker, *recorded) == "receipt_terms_unfit"
    assert refused(app, maker, *recorded, "--invoice-form", "lease", "--area-unit", "平方米") == "receipt_terms_unfit"
    assert refused(app, maker, *recorded, "--invoice-form", "plain", "--same-city") == "receipt_terms_unfit"
    assert run(app, maker, *recorded, "--same-city").exit_code == 2
    key = told(app, maker, *recorded, *OF_LEASE)["key"]
    [plain, of_lease] = told(app, checker, "receipts", "terms", enterprise.key)
    assert (plain["invoice_form"], plain["area_unit"], plain["cross_city"]) == ("plain", None, None)
    assert (of_lease["key"], of_lease["invoice_form"], of_lease["area_unit"], of_lease["cross_city"]) == (
        key, "lease", "平方米", False,
    )  # fmt: skip
