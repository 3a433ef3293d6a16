"""A month's fee is what was agreed of what each lot collected, of final days, by two persons, and never by default."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from flask import Flask

from app.domain.lots.models import Lot
from app.domain.service_fees.actions import issue, reject
from app.domain.service_fees.actions.statements import (
    FeeDaysNotFinal,
    FeeMonthStated,
    FeeNotAgreed,
    FeePayeeMissing,
    FeeReasonMissing,
    FeeStatementDecided,
    NoSuchFeeStatement,
    OwnFeeStatement,
)
from app.kernel import clock
from app.kernel.ids import new_key
from payments.ledger.actions import post
from payments.payees.actions import open_channel, open_payee
from payments.payees.models import Payee
from payments.payees.rules import FiscalParticulars
from payments.reconciliation.rules import fee_lines
from tests.finance.scene import promised, went
from tests.prices.scene import FREE
from tests.races import at_once
from tests.service_fees.scene import JULY, JUNE, Entrusted, lines_of
from tests.units.stand import unit_of
from tests.world import EVER, charge_by, draft_lot, pay_to, shanghai, tariff

DAY = timedelta(days=1)


def rounded(exact: Decimal) -> int:
    """Half up to the fen, away from zero below it."""
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def test_a_statement_says_what_each_lot_collected_and_the_fee_of_it(entrusted: Entrusted) -> None:
    entrusted.agrees(permille=85, monthly_fen=3100)
    quiet = draft_lot(kind="organ", of_unit=unit_of(entrusted.lot)).lot
    entrusted.entrusts(quiet, since="2026-06-20 00:00")
    went(promised(entrusted.takes(), 130), "succeed")
    entrusted.takes()
    entrusted.is_over(JUNE)
    made = entrusted.drafts()
    busy, still = lines_of(made)
    assert (busy.lot_id, busy.days, busy.gross_fen, busy.refunded_fen, busy.base_fen) == (
        entrusted.lot.id, 30, 1000, 130, 870,
    )  # fmt: skip
    assert (busy.share_fen, busy.fixed_fen, busy.fee_fen) == (74, 3100, 3174)
    assert (still.lot_id, still.days, still.base_fen, still.share_fen) == (quiet.id, 11, 0, 0)
    assert still.fixed_fen == rounded(Decimal(3100) * 11 / 30) == 1137
    assert (made.lines, made.base_fen, made.fee_fen) == (2, 870, 3174 + 1137)


def test_each_day_counts_under_the_terms_that_hold_on_it(entrusted: Entrusted) -> None:
    entrusted.agrees(last=date(2026, 6, 10), permille=100)
    entrusted.agrees(date(2026, 6, 11), permille=0, monthly_fen=3000)
    entrusted.takes()
    entrusted.books.move_to(clock.now() + DAY)
    entrusted.takes()
    entrusted.is_over(JUNE)
    before, after = lines_of(entrusted.drafts())
    assert (before.days, before.base_fen, before.share_fen, before.fixed_fen) == (10, 500, 50, 0)
    assert (after.days, after.base_fen, after.share_fen, after.fixed_fen) == (20, 500, 0, 2000)


def test_a_share_is_rounded_half_up_and_what_goes_back_later_is_taken_from_the_later_month(
    entrusted: Entrusted,
) -> None:
    entrusted.agrees(permille=1)
    payment = entrusted.takes()
    entrusted.is_over(JUNE)
    assert entrusted.drafts().fee_fen == 1 == rounded(Decimal(500) / 1000)
    went(promised(payment, 500), "succeed")
    entrusted.is_over(JULY)
    later = entrusted.drafts(JULY)
    assert (later.gross_fen, later.refunded_fen, later.fee_fen) == (0, 500, -1)


def test_what_the_unit_ran_itself_is_nobodys_share(entrusted: Entrusted) -> None:
    own = draft_lot(kind="organ", of_unit=unit_of(entrusted.lot)).lot
    entrusted.agrees()
    entrusted.takes()
    entrusted.is_over(JUNE)
    assert [each.lot_id for each in lines_of(entrusted.drafts())] == [entrusted.lot.id] != [own.id]


def test_without_confirmed_terms_there_is_no_statement(entrusted: Entrusted) -> None:
    entrusted.takes()
    entrusted.records()
    entrusted.agrees(JULY)
    entrusted.is_over(JUNE)
    with pytest.raises(FeeNotAgreed):
        entrusted.drafts()


def test_a_month_is_over_signed_off_and_closed_before_it_is_stated(entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.takes()
    for month in (JUNE, date(2026, 6, 2)):
        with pytest.raises(FeeDaysNotFinal):
            entrusted.drafts(month)
    entrusted.is_over(JUNE, signed=False)
    with pytest.raises(FeeDaysNotFinal):
        entrusted.drafts()
    entrusted.is_over(JUNE)
    assert entrusted.drafts().base_fen == 500


def test_a_month_waits_for_no_day_of_an_earlier_one(entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.takes()
    entrusted.is_over(JUNE, signed=False)
    entrusted.is_over(JULY)
    assert entrusted.drafts(JULY).base_fen == 0
    with pytest.raises(FeeDaysNotFinal):
        entrusted.drafts(JUNE)


def quiet_lot(entrusted: Entrusted) -> Lot:
    """Another lot of the unit that the operator runs, at which nobody parks."""
    lot = draft_lot(kind="organ", of_unit=unit_of(entrusted.lot)).lot
    entrusted.entrusts(lot)
    return lot


def unconnected() -> Payee:
    """A district's treasury that has no merchant (特约商户): nobody can pay it online."""
    particulars = FiscalParticulars("district", "330106", "001009", "示例事务中心", "示例项目", "示例区财政专户")
    return open_payee("示例未开通收费主体", particulars, EVER, actor="test")


def test_a_payee_that_never_collected_has_nothing_to_sign_off(entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.takes()
    quiet, receives = quiet_lot(entrusted), unconnected()
    pay_to(quiet, receives, shanghai("2026-06-01 00:00"))
    charge_by(quiet, tariff(), shanghai("2026-06-10 00:00"))
    entrusted.is_over(JUNE)
    made = entrusted.drafts()
    assert [(each.lot_id, each.base_fen) for each in lines_of(made)] == [(entrusted.lot.id, 500), (quiet.id, 0)]


def test_a_merchant_that_nobody_has_confirmed_holds_nothing_back(entrusted: Entrusted) -> None:
    entrusted.agrees()
    quiet, receives = quiet_lot(entrusted), unconnected()
    open_channel(receives.id, sp_mchid="1600000001", sub_mchid="99999999", actor="finance:6")
    pay_to(quiet, receives, shanghai("2026-06-01 00:00"))
    entrusted.is_over(JUNE)
    assert entrusted.drafts().lines == 2


def test_a_payee_without_a_merchant_that_has_postings_holds_the_month_back(entrusted: Entrusted) -> None:
    entrusted.agrees()
    receives = unconnected()
    pay_to(quiet_lot(entrusted), receives, shanghai("2026-06-01 00:00"))
    post("channel_fee", "fees:test", receives.id, clock.now(), fee_lines(7))
    entrusted.is_over(JUNE)
    with pytest.raises(FeeDaysNotFinal):
        entrusted.drafts()


def test_a_lot_that_charges_for_nobody_is_refused_and_a_free_one_needs_nobody(entrusted: Entrusted) -> None:
    entrusted.agrees(monthly_fen=3000)
    quiet = quiet_lot(entrusted)
    charge_by(quiet, tariff(FREE), shanghai("2026-06-10 00:00"))
    entrusted.is_over(JUNE)
    reject(entrusted.checker, entrusted.drafts().key, "请核对")
    charge_by(quiet, tariff(), shanghai("2026-06-20 00:00"))
    with pytest.raises(FeePayeeMissing):
        entrusted.drafts()
    pay_to(quiet, unconnected(), shanghai("2026-06-20 00:00"))
    assert entrusted.drafts().lines == 2


def test_an_open_day_holds_its_month_back(entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.takes()
    entrusted.books.move_to(clock.now() + 25 * DAY)
    entrusted.books.signs(JULY - DAY)
    with pytest.raises(FeeDaysNotFinal):
        entrusted.drafts()


def test_makers_at_once_state_a_month_once(app: Flask, entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.is_over(JUNE)
    assert at_once(app, *[entrusted.drafts] * 3) == ["FeeMonthStated", "FeeMonthStated", "done"]


def test_another_person_decides_and_says_why_once(entrusted: Entrusted) -> None:
    entrusted.agrees()
    entrusted.is_over(JUNE)
    first = entrusted.drafts()
    for decide in (issue, reject):
        with pytest.raises(OwnFeeStatement):
            decide(entrusted.acting_as_checker(entrusted.maker), first.key, "同意")
    with pytest.raises(FeeReasonMissing):
        reject(entrusted.checker, first.key, " ")
    reject(entrusted.checker, first.key, "请核对")
    with pytest.raises(FeeStatementDecided):
        issue(entrusted.checker, first.key, "同意")
    again = issue(entrusted.checker, entrusted.drafts().key, "已核对")
    assert (again.number, again.state) == (f"FW2026-{again.id:06d}", "issued")
    with pytest.raises(FeeMonthStated):
        entrusted.drafts()
    with pytest.raises(NoSuchFeeStatement):
        issue(entrusted.checker, new_key(), "同意")
