"""A bill is kept as WeChat gave it: sealed, for its term, and proven again when somebody takes it out."""

import gzip
import hashlib
import io
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, IntegrityError
from sqlalchemy import select

from app.domain.policies.rules import CITY_DEFAULTS
from app.domain.reconciliation.actions import export_bill
from app.domain.staff.rules import NotPermitted
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.clock import SHANGHAI
from app.kernel.crypto import seal_bytes
from app.kernel.db import transaction
from payments.bills.actions import erase_originals, load
from payments.bills.models import BillFile, BillOriginalPiece
from payments.bills.queries import FUND_FLOW, NoOriginal, OriginalSpoilt, current_bill, original_text
from payments.bills.rules import BillRefused
from tests.ground import Run
from tests.payments.papers import KEEP_DAYS, part
from tests.payments.test_bill_fetch import LOADED, Books, shop
from tests.world import staff

__all__ = ["shop"]


def bill_of(shop: Books, kind: str = "trade") -> BillFile:
    assert shop.fetch(kind)
    had = current_bill(shop.due(kind).id)
    assert had is not None
    return had


def text_of(bill: BillFile) -> bytes:
    with transaction():
        return b"".join(original_text(bill))


def pieces(bill: BillFile) -> list[bytes]:
    with transaction() as session:
        return list(session.scalars(select(BillOriginalPiece.sealed).filter_by(bill_id=bill.id)))


def deeds(action: str, bill: BillFile) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(AuditEntry.actor).filter_by(action=action, subject_id=bill.id)))


@pytest.mark.parametrize("kind", ["trade", FUND_FLOW])
def test_what_was_fetched_can_be_taken_out_as_it_was(shop: Books, kind: str) -> None:
    bill = bill_of(shop, kind)
    assert text_of(bill) == shop.text(kind).encode()
    assert hashlib.sha256(text_of(bill)).digest() == bill.sha256
    assert pieces(bill)
    assert not [each for each in pieces(bill) if b"o-payer" in each or each.startswith(b"\x1f\x8b")]


def test_who_takes_it_out_is_written_down_and_may_do_so(shop: Books) -> None:
    bill, file = bill_of(shop), io.BytesIO()
    by = staff("finance_checker")
    assert export_bill(by, shop.sub_mchid, shop.day, "trade", file).id == bill.id
    assert file.getvalue() == shop.text().encode()
    assert deeds("bill_original.export", bill) == [by.label]
    with pytest.raises(NotPermitted):
        export_bill(staff("finance_maker"), shop.sub_mchid, shop.day, "trade", io.BytesIO())
    with pytest.raises(NoOriginal):
        export_bill(by, shop.sub_mchid, shop.day, "trade", io.BytesIO(), version=9)


def test_of_a_bill_that_is_refused_nothing_is_kept(shop: Books) -> None:
    text = shop.text().replace("12.50", "13.50", 1)
    with pytest.raises(BillRefused):
        load(shop.due().id, [part(text)], LOADED, KEEP_DAYS)
    with transaction() as session:
        assert session.scalars(select(BillOriginalPiece.bill_id)).all() == []


def test_a_bill_in_two_parts_is_proven_part_by_part(shop: Books) -> None:
    whole = shop.text()
    cut = whole.index("\n") + 1
    first, second = part(whole[:cut]), part(whole[cut:], packed=False)
    assert load(shop.due().id, [first, second], LOADED, KEEP_DAYS)
    bill = current_bill(shop.due().id)
    assert bill is not None
    assert text_of(bill) == whole.encode()


def test_after_its_term_the_original_goes_and_hashes_and_lines_stay(shop: Books) -> None:
    bill, other = bill_of(shop), bill_of(shop, FUND_FLOW)
    over = datetime(shop.day.year + 1, 1, 1, tzinfo=SHANGHAI) + timedelta(days=KEEP_DAYS)
    shop.till.later((over - clock.now()).total_seconds() - 600)
    assert erase_originals() == 0
    shop.till.later(1200)
    assert (erase_originals(limit=1), erase_originals(), erase_originals()) == (1, 1, 0)
    assert pieces(other) == []
    assert pieces(bill) == []
    with pytest.raises(NoOriginal):
        text_of(bill)
    assert deeds("bill_original.erase", bill) == ["platform"]
    still = current_bill(shop.due().id)
    assert still is not None
    assert (still.sha256, still.lines) == (bill.sha256, 2)


@pytest.mark.parametrize("year", range(2024, 2034))
def test_the_default_term_is_ten_years_after_the_end_of_the_bills_year(year: int) -> None:
    begun = datetime(year + 1, 1, 1, tzinfo=SHANGHAI)
    kept = begun + timedelta(days=CITY_DEFAULTS["bill_originals_days"])
    assert timedelta() <= kept - begun.replace(year=year + 11) <= timedelta(days=1)


def test_what_was_changed_behind_our_back_is_not_handed_out_as_proven(
    shop: Books, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    bill = bill_of(shop)
    other = gzip.compress(shop.text().replace("12.50", "12.51").encode())
    forged = seal_bytes(other, f"bill_original_piece:{bill.id}:1:1")
    admin.execute("SET session_replication_role = replica")
    admin.execute("UPDATE bill_original_piece SET sealed = %s WHERE bill_id = %s", [forged, bill.id])
    admin.execute("SET session_replication_role = origin")
    with pytest.raises(OriginalSpoilt):
        export_bill(staff("finance_checker"), shop.sub_mchid, shop.day, "trade", io.BytesIO())
    assert deeds("bill_original.export", bill) == []


def test_the_database_keeps_an_original_as_it_is_until_its_term_is_over(shop: Books, run: Run) -> None:
    bill = bill_of(shop)
    attempts = {
        "an_original_stays_as_it_is": "DELETE FROM bill_original_piece WHERE bill_id = %s",
        "an_original_is_kept_for_its_term": "UPDATE bill_original SET erased_at = now() WHERE bill_id = %s",
        "a_bill_is_written_at_once": (
            "INSERT INTO bill_original_piece (bill_id, part, number, sealed) VALUES (%s, 1, 99, 'x')"
        ),
    }
    for constraint, statement in attempts.items():
        with pytest.raises(IntegrityError) as refused:
            run(statement, bill.id)
        assert refused.value.diag.constraint_name == constraint
    for statement in (
        "UPDATE bill_original SET kept_until = now() WHERE bill_id = %s",
        "UPDATE bill_original_piece SET sealed = 'x' WHERE bill_id = %s",
        "DELETE FROM bill_original WHERE bill_id = %s",
    ):
        with pytest.raises(InsufficientPrivilege):
            run(statement, bill.id)
    assert text_of(bill) == shop.text().encode()
