"""The tax within what enterprises earned: by the rate of each day, of whole sums, and back with what goes back."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select

from app.domain.finance import actions
from app.domain.finance.queries import vat
from app.domain.finance.rules import VatLine
from app.domain.staff.rules import NotPermitted
from app.kernel.db import transaction
from payments.payees.actions import confirm_terms, end_terms, record_terms
from payments.payees.models import Payee, ReceiptTerms
from payments.payees.queries import accept_samples
from payments.payees.rules import Vat
from tests.commands import run
from tests.finance.scene import earned, paid_charge, promised
from tests.world import PLAIN_LINES, payee, staff

JUNE = (date(2026, 6, 1), date(2026, 6, 30))
DAY = timedelta(days=1)


def changes_to(of: Payee, rate: Vat, at: datetime) -> None:
    """Two persons of finance say that from then on another rate holds."""
    with transaction() as session:
        former = session.scalars(select(ReceiptTerms.key).filter_by(payee_id=of.id)).one()
    end_terms(former, at, "staff:2")
    made = record_terms(
        of.id, at, item_code="3", item_name="停车", vat=rate, form=PLAIN_LINES, note="示例", by="staff:1"
    )
    confirm_terms(made.key, "staff:2")


@given(some.integers(0, 10**12), some.integers(0, 2000))
def test_at_one_rate_what_goes_back_takes_as_much_tax_with_it_as_it_brought(fen: int, basis_points: int) -> None:
    came, went = (VatLine("某公司", "general", basis_points, sign * fen) for sign in (1, -1))
    assert (came.tax_fen, came.net_fen) == (-went.tax_fen, -went.net_fen)
    assert abs(came.net_fen * basis_points - came.tax_fen * 10_000) <= (10_000 + basis_points) / 2


def test_each_day_is_taxed_at_its_rate_from_open_and_from_closed_books(
    app: Flask, evening: datetime, at: Callable[[datetime], None]
) -> None:
    company, checker = payee("enterprise"), staff("finance_checker")
    changes_to(company, Vat("simplified", 500), evening + DAY)
    first = paid_charge(company, 900)
    earned(first)
    earned(paid_charge(company, 190))
    at(evening + DAY)
    promised(first, 300)
    earned(paid_charge(company, 1350))
    expected = [
        VatLine(company.name, "simplified", 500, 1050),
        VatLine(company.name, "general", 900, 1090),
    ]
    assert vat(checker, *JUNE) == expected
    assert [(each.net_fen, each.tax_fen) for each in expected] == [(1000, 50), (1000, 90)]
    at(evening + 3 * DAY)
    assert actions.check_books() == 0
    assert vat(checker, *JUNE) == expected
    result = run(app, checker, "finance", "vat", "--month", "2026-06", "--format", "json")
    [half, whole] = json.loads(result.stdout)
    assert (half["method_text"], half["rate"], half["tax_fen"]) == ("简易计税", "5%", 50)
    assert (whole["method_text"], whole["rate"], whole["net_fen"]) == ("一般计税", "9%", 1000)
    assert vat(checker, date(2026, 5, 1), date(2026, 5, 31)) == []


def test_what_nobody_confirmed_is_told_and_not_taxed(evening: datetime) -> None:
    company = payee("enterprise")
    earned(paid_charge(company, 1090))
    accept_samples(False)
    assert vat(staff("finance_checker"), *JUNE) == [VatLine(company.name, None, None, 1090)]


def test_a_treasurys_income_bears_no_vat_and_strangers_see_none(evening: datetime) -> None:
    earned(paid_charge(payee("fiscal"), 1090))
    assert vat(staff("finance_checker"), *JUNE) == []
    with pytest.raises(NotPermitted):
        vat(staff("administrator"), *JUNE)
