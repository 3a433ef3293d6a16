"""Bills and invoices: issued once, taken back when money goes back, whatever their platforms do meanwhile."""

import uuid
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, IntegrityConstraintViolation, UniqueViolation

from app.adapters.outbound import Reach
from app.adapters.receipts import FiscalBills
from app.kernel import clock
from payments.charges import queries
from payments.charges.actions import check_order
from payments.charges.models import Charge
from payments.payees.actions import confirm_terms, open_payee, record_terms
from payments.payees.actions.terms import ItemOfAnother, OwnTerms, TermsOverlap, TermsUnfit
from payments.payees.models import Payee
from payments.payees.queries import accept_samples, terms_at
from payments.payees.rules import EnterpriseParticulars, Vat
from payments.receipts.actions import ask_invoice, issue, issue_due, plan_due, retry, save_title
from payments.receipts.actions.ask import AskedBefore, IssuedByItself, NothingToInvoice, SeveralPayees
from payments.receipts.actions.titles import TaxNumberWrong, TitleKnown, empty_titles
from payments.receipts.models import Receipt
from payments.receipts.queries import (
    NoSuchReceipt,
    NoSuchTitle,
    live_receipt,
    own_receipts,
    receipts_of_charge,
    written,
)
from payments.receipts.rules.services import Service
from payments.refunds.models import Refund
from tests.payments.platforms import Stands
from tests.payments.servers import in_parallel
from tests.payments.world import Till, cases, motorist_of, order_of, owed, payments, promised
from tests.races import asleep
from tests.world import PLAIN_LINES, with_terms

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
COMPANY = "91350100M000100Y43"
"""The worked example of GB 32100-2015."""


def describe(charge: Charge) -> Service:
    return Service(f"测试车场 浙A{charge.id % 100_000:05} 2026-06-10 18:30至19:00")


@pytest.fixture
def payee(till: Till) -> Payee:
    return with_terms(till.treasury_payee())


@pytest.fixture
def enterprise(till: Till) -> Payee:
    return till.enterprise_payee()


FISCAL_TERMS: LiteralString = """
INSERT INTO receipt_terms (key, payee_id, regime, valid, item_code, item_name, note, sample, recorded_by, recorded_at)
VALUES (gen_random_uuid(), %s, 'TREASURY', '[2026-01-01,)', '999', '停车', '正式', false, 'a', now())
"""


def paid(till: Till, payee: Payee, fen: int = 1250, motorist_id: int | None = None) -> Charge:
    charge = owed(payee, fen, motorist_id)
    till.prepare(charge)
    till.paid(order_of(charge))
    check_order(order_of(charge).id, till.pay)
    return queries.charge(charge.key)


def given_back(till: Till, charge: Charge, fen: int) -> Refund:
    back = promised(payments(charge)[0], fen)
    till.bring(back)
    till.later(70)
    till.bring(back)
    return back


def go_on(stands: Stands, rounds: int = 3) -> None:
    """The sweepers do what is due, as often as one thing leads to another."""
    for _ in range(rounds):
        plan_due(describe)
        issue_due(stands.clients)


def live(charge: Charge) -> Receipt:
    found = live_receipt(charge.id)
    assert found is not None
    return found[0]


def story(charge: Charge) -> list[tuple[str, str, int]]:
    return [(each.colour, each.state, each.amount_fen) for each in receipts_of_charge(charge.id)]


def asked_for(*charges: Charge, title: uuid.UUID | None = None) -> None:
    motorist = motorist_of(charges[0])
    ids = {each.id for each in charges}
    ask_invoice(motorist, [each.request.key for each in own_receipts(motorist) if each.request.charge_id in ids], title)


def test_a_fiscal_bill_follows_the_payment_by_itself(till: Till, platforms: Stands, payee: Payee) -> None:
    charge = paid(till, payee)
    go_on(platforms)
    bill = live(charge)
    [in_its_book] = [each for each in platforms.fiscal.papers("001001") if each["asked"]["busNo"] == bill.request_no]
    assert (bill.state, bill.code, bill.number) == ("issued", in_its_book["billCode"], in_its_book["billNo"])
    assert (in_its_book["asked"]["totalMoney"], in_its_book["asked"]["payer"]) == ("12.50", "个人")
    assert own_receipts(motorist_of(charge))[0].state == "issued"


def test_an_invoice_waits_for_its_motorist_and_says_tax_and_plate(
    till: Till, platforms: Stands, enterprise: Payee
) -> None:
    charge = paid(till, enterprise, 900)
    go_on(platforms)
    assert (story(charge), own_receipts(motorist_of(charge))[0].state) == ([], "owed")
    title = save_title(motorist_of(charge), "某某 科技公司", COMPANY.lower(), usual=False)
    asked_for(charge, title=title.key)
    go_on(platforms)
    invoice = live(charge)
    [taken] = [each for each in platforms.tax.papers("91330100MA00000000") if each["number"] == invoice.number]
    [line] = taken["asked"]["lines"]
    assert (line["amount"], line["rate"], line["tax"], taken["asked"]["total_with_tax"]) == (
        "8.26",
        "0.09",
        "0.74",
        "9.00",
    )
    assert (taken["asked"]["buyer_name"], taken["asked"]["buyer_tax_number"]) == ("某某 科技公司", COMPANY)
    assert "浙A" in taken["asked"]["remark"]
    assert written(invoice.key).payer_name == "某某 科技公司"


def test_an_invoice_to_an_emptied_title_names_nobody(till: Till, platforms: Stands, enterprise: Payee) -> None:
    charge = paid(till, enterprise, 900)
    go_on(platforms)
    asked_for(charge, title=save_title(motorist_of(charge), "某某科技公司", COMPANY, usual=True).key)
    empty_titles(motorist_of(charge))
    go_on(platforms)
    invoice = live(charge)
    assert (invoice.state, invoice.payer_name, invoice.payer_tax_number) == ("issued", None, None)


def test_one_invoice_stands_for_several_stays_and_none_is_invoiced_twice(
    till: Till, platforms: Stands, enterprise: Payee
) -> None:
    charges = [paid(till, enterprise, fen, 77) for fen in (900, 300)]
    asked_for(*charges)
    go_on(platforms)
    assert live(charges[0]).id == live(charges[1]).id
    assert (live(charges[0]).amount_fen, live(charges[0]).tax_fen) == (1200, 74 + 25)
    with pytest.raises(AskedBefore):
        asked_for(charges[1])


def test_two_phones_that_ask_at_once_get_one_invoice(till: Till, platforms: Stands, enterprise: Payee) -> None:
    charge = paid(till, enterprise, 900)

    def tap() -> bool:
        try:
            asked_for(charge)
        except AskedBefore:
            return False
        return True

    assert sorted(in_parallel(till.app, 4, tap)) == [False, False, False, True]
    in_parallel(till.app, 3, lambda: go_on(platforms))
    assert story(charge) == [("blue", "issued", 900)]


def test_planners_and_issuers_side_by_side_issue_one_bill(till: Till, platforms: Stands, payee: Payee) -> None:
    charge = paid(till, payee)
    in_parallel(till.app, 4, lambda: go_on(platforms))
    assert story(charge) == [("blue", "issued", 1250)]
    asked = [each["asked"]["busNo"] for each in platforms.fiscal.papers("001001")]
    assert asked.count(live(charge).request_no) == 1


def test_a_part_that_goes_back_is_taken_off_by_a_red_bill_and_a_new_one_for_the_rest(
    till: Till, platforms: Stands, payee: Payee
) -> None:
    charge = paid(till, payee)
    go_on(platforms)
    given_back(till, charge, 250)
    go_on(platforms, 4)
    assert story(charge) == [("blue", "reversed", 1250), ("red", "issued", 1250), ("blue", "issued", 1000)]
    first, red, _ = receipts_of_charge(charge.id)
    in_its_book = {each["billNo"]: each for each in platforms.fiscal.papers("001001")}
    assert in_its_book[red.number]["asked"]["relatedBillNo"] == first.number
    assert in_its_book[first.number]["state"] == "written_off"


def test_when_all_goes_back_nothing_is_issued_instead(till: Till, platforms: Stands, enterprise: Payee) -> None:
    charge = paid(till, enterprise, 900)
    asked_for(charge)
    go_on(platforms)
    given_back(till, charge, 900)
    go_on(platforms, 4)
    assert story(charge) == [("blue", "reversed", 900), ("red", "issued", 900)]
    assert own_receipts(motorist_of(charge))[0].state == "returned"


def test_of_an_invoice_for_two_stays_the_other_stay_is_invoiced_anew(
    till: Till, platforms: Stands, enterprise: Payee
) -> None:
    charges = [paid(till, enterprise, fen, 78) for fen in (900, 300)]
    asked_for(*charges)
    go_on(platforms)
    given_back(till, charges[0], 900)
    go_on(platforms, 4)
    assert story(charges[0]) == [("blue", "reversed", 1200), ("red", "issued", 1200)]
    assert story(charges[1])[-1] == ("blue", "issued", 300)


def test_money_that_goes_back_before_the_bill_is_sent_needs_no_red_one(
    till: Till, platforms: Stands, payee: Payee
) -> None:
    charge = paid(till, payee)
    plan_due(describe)
    given_back(till, charge, 250)
    go_on(platforms, 4)
    assert story(charge) == [("blue", "cancelled", 1250), ("blue", "issued", 1000)]


@pytest.mark.parametrize("kind", ["down", "error_500", "html", "busy", "unsigned"])
def test_a_platform_that_is_down_for_a_day_issues_when_it_is_back(
    till: Till, platforms: Stands, payee: Payee, kind: str
) -> None:
    charge = paid(till, payee)
    platforms.fiscal.fail(kind, times=0)
    go_on(platforms)
    for _ in range(4):
        till.later(6 * 3600 + 60)
        go_on(platforms)
    assert live(charge).state == "issuing"
    assert [each.kind for each in cases(str(live(charge).key))] == ["receipt_late"]
    platforms.fiscal.recover()
    till.later(3700)
    go_on(platforms)
    assert story(charge) == [("blue", "issued", 1250)]


def test_after_a_lost_answer_the_platform_is_asked_before_anything_is_sent_again(
    till: Till, platforms: Stands, enterprise: Payee
) -> None:
    charge = paid(till, enterprise, 900)
    asked_for(charge)
    platforms.tax.fail("lost_answer", "/v1/invoices")
    go_on(platforms)
    assert live(charge).state == "issuing"
    platforms.tax.fail("refuse", "/v1/invoices", times=0, code="would_be_twice")
    till.later(90)
    go_on(platforms)
    assert story(charge) == [("blue", "issued", 900)]


def test_a_platform_may_take_its_time(till: Till, platforms: Stands, enterprise: Payee) -> None:
    platforms.tax.control("POST", "switches", seconds=40)
    charge = paid(till, enterprise, 900)
    asked_for(charge)
    go_on(platforms)
    assert live(charge).state == "issuing"
    till.later(90)
    go_on(platforms)
    assert live(charge).state == "issued"


def test_what_the_platform_refuses_is_for_a_person_and_asked_for_anew_when_mended(
    till: Till, platforms: Stands, payee: Payee
) -> None:
    charge = paid(till, payee)
    platforms.fiscal.fail("refuse", "/api/standard/invoiceEBill", code="E0777")
    go_on(platforms)
    [refused] = receipts_of_charge(charge.id)
    assert (refused.state, refused.refusal, len(cases(str(refused.key)))) == ("refused", "E0777", 1)
    go_on(platforms)
    assert len(receipts_of_charge(charge.id)) == 1
    retry(refused.key, "staff:1")
    go_on(platforms)
    assert story(charge) == [("blue", "refused", 1250), ("blue", "issued", 1250)]


def test_what_a_sender_had_issued_that_woke_after_it_was_refused_is_a_persons(
    till: Till, platforms: Stands, payee: Payee, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = paid(till, payee)
    plan_due(describe)

    def meanwhile() -> None:
        till.later(61)
        platforms.fiscal.fail("refuse", "/api/standard/invoiceEBill", code="E0777")
        issue_due(platforms.clients)

    asleep(monkeypatch, issue, "fault_point", meanwhile)
    issue_due(platforms.clients)
    [refused] = receipts_of_charge(charge.id)
    assert refused.state == "refused"
    assert {each.kind for each in cases(str(refused.key))} == {"receipt_refused", "receipt_contradicted"}


def test_a_red_bill_that_is_refused_is_asked_for_anew_and_only_once(
    till: Till, platforms: Stands, payee: Payee
) -> None:
    charge = paid(till, payee)
    go_on(platforms)
    given_back(till, charge, 1250)
    platforms.fiscal.fail("refuse", "/api/standard/writeOffEBill", code="E0778")
    go_on(platforms)
    assert story(charge) == [("blue", "reversing", 1250), ("red", "refused", 1250)]
    retry(receipts_of_charge(charge.id)[1].key, "staff:1")
    go_on(platforms)
    assert story(charge)[0] == ("blue", "reversed", 1250)


def test_without_confirmed_terms_nothing_is_issued_and_a_person_is_told(till: Till, platforms: Stands) -> None:
    payee = till.treasury_payee()
    charge = paid(till, payee)
    go_on(platforms)
    assert (story(charge), [each.kind for each in cases(f"payee:{payee.id}")]) == ([], ["receipt_without_terms"])
    with_terms(payee)
    till.later(3700)
    go_on(platforms)
    assert story(charge) == [("blue", "issued", 1250)]


def test_sample_terms_do_not_count_where_samples_do_not(till: Till, platforms: Stands, payee: Payee) -> None:
    charge = paid(till, payee)
    accept_samples(False)
    go_on(platforms)
    accept_samples(True)
    assert story(charge) == []


def test_terms_are_for_two_persons_fit_the_regime_and_do_not_overlap(till: Till, enterprise: Payee) -> None:
    with pytest.raises(TermsUnfit):
        record_terms(enterprise.id, SINCE, item_code="3", item_name="停车", vat=None, form=None, note="示例", by="a")
    made = record_terms(
        enterprise.id,
        SINCE,
        item_code="3",
        item_name="停车",
        vat=Vat("simplified", 500),
        form=PLAIN_LINES,
        note="示例",
        by="a",
    )
    with pytest.raises(OwnTerms):
        confirm_terms(made.key, "a")
    with pytest.raises(TermsOverlap):
        confirm_terms(made.key, "b")


def test_a_fiscal_bill_names_the_item_under_which_the_money_is_paid_in(payee: Payee, program: str) -> None:
    with pytest.raises(ItemOfAnother):
        record_terms(payee.id, SINCE, item_code="999", item_name="停车", vat=None, form=None, note="示例", by="a")
    with psycopg.connect(program) as connection, pytest.raises(ForeignKeyViolation) as refusal:
        connection.execute(FISCAL_TERMS, [payee.id])
    assert refusal.value.diag.constraint_name == "fiscal_terms_name_their_payees_item"


def test_old_fiscal_terms_that_name_another_item_are_not_confirmed_any_more(
    payee: Payee, admin: psycopg.Connection[Any]
) -> None:
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        row = admin.execute(FISCAL_TERMS + "RETURNING key", [payee.id]).fetchone()
    assert row is not None
    with pytest.raises(ItemOfAnother):
        confirm_terms(row[0], "b")


def test_terms_count_when_another_person_has_confirmed_them_and_not_before(till: Till) -> None:
    payee = open_payee(
        "某公司", EnterpriseParticulars("91330100MA00000000", "某银行", "571900000000001"), SINCE, actor="a"
    )
    made = record_terms(
        payee.id,
        SINCE,
        item_code="3",
        item_name="停车",
        vat=Vat("simplified", 500),
        form=PLAIN_LINES,
        note="示例",
        by="a",
    )
    assert terms_at(payee.id, clock.now()) is None
    confirm_terms(made.key, "b")
    found = terms_at(payee.id, clock.now())
    assert found is not None
    assert found.key == made.key


def test_only_what_can_be_on_one_invoice_is_asked_for_together(
    till: Till, platforms: Stands, payee: Payee, enterprise: Payee
) -> None:
    other = till.enterprise_payee()
    fiscal, ours, theirs = (paid(till, each, 900, 79) for each in (payee, enterprise, other))
    with pytest.raises(IssuedByItself):
        asked_for(fiscal)
    with pytest.raises(SeveralPayees):
        asked_for(ours, theirs)
    with pytest.raises(NoSuchReceipt):
        ask_invoice(80, [each.request.key for each in own_receipts(79)][:1], None)
    given_back(till, theirs, 900)
    with pytest.raises(NothingToInvoice):
        asked_for(theirs)


def test_titles_are_checked_kept_once_and_nobody_elses(till: Till) -> None:
    motorist = uuid.uuid4().int % 2**40
    for wrong in (COMPANY[:-1] + "4", "123456789012345", "浙A12345"):
        with pytest.raises(TaxNumberWrong):
            save_title(motorist, "某公司", wrong, usual=False)
    save_title(motorist, "某公司", COMPANY, usual=True)
    with pytest.raises(TitleKnown):
        save_title(motorist, "某公司", COMPANY, usual=False)
    someone = save_title(motorist + 1, "某公司", COMPANY, usual=True)
    with pytest.raises(NoSuchTitle):
        ask_invoice(motorist, [uuid.uuid4()], someone.key)


A_LINE: LiteralString = (
    "INSERT INTO receipt_line (receipt_id, charge_id, payee_id, amount_fen, tax_fen, about, colour, receipt_state) "
    "SELECT receipt_id + %s, charge_id, payee_id, amount_fen + %s, tax_fen, about, colour, receipt_state "
    "FROM receipt_line WHERE charge_id = %s"
)


def test_hand_written_sql_cannot_put_a_charge_on_a_second_receipt(
    till: Till, platforms: Stands, payee: Payee, program: str, owner: str
) -> None:
    charge, another = paid(till, payee), paid(till, payee)
    go_on(platforms)
    with psycopg.connect(program, autocommit=True) as connection:
        with pytest.raises((UniqueViolation, ForeignKeyViolation)):
            connection.execute(A_LINE, (live(another).id - live(charge).id, 0, charge.id))
        with pytest.raises(UniqueViolation):
            connection.execute(A_LINE, (0, 1, charge.id))
        with pytest.raises(CheckViolation):
            connection.execute("UPDATE receipt SET state = 'cancelled' WHERE id = %s", (live(charge).id,))
    with psycopg.connect(owner, autocommit=True) as connection:
        for statement in (
            "UPDATE receipt SET number = '1' WHERE id = %s",
            "UPDATE receipt SET amount_fen = 1 WHERE id = %s",
            "DELETE FROM receipt WHERE id = %s",
            "UPDATE receipt_line SET amount_fen = 1 WHERE receipt_id = %s",
        ):
            with pytest.raises(IntegrityConstraintViolation):
                connection.execute(statement, (live(charge).id,))


def a_bill(district_code: str) -> Any:
    """What the platform is told of a bill of a unit there."""
    line = {"name": "停车费", "code": "103072101", "about": "", "amount_fen": 500, "tax_fen": 0}
    return {
        "request_no": uuid.uuid4().hex, "colour": "blue", "payee_code": f"9{uuid.uuid4().hex[:8]}",
        "payee_name": "示例中心", "district_code": district_code, "payer_name": "", "payer_tax_number": "",
        "amount_fen": 500, "remark": "", "lines": [line],
    }  # fmt: skip


@pytest.mark.parametrize(("district_code", "region"), [("330106", "330106"), ("", "330100")])
def test_a_bill_names_the_region_of_its_unit_and_of_the_citys_own_units_the_citys(
    till: Till, platforms: Stands, district_code: str, region: str
) -> None:
    face = a_bill(district_code)
    assert platforms.clients["fiscal_ebill"].issue(face).kind == "issued"
    [paper] = platforms.fiscal.papers(str(face["payee_code"]))
    assert paper["asked"]["regiCode"] == region


def test_a_bill_of_a_region_that_nobody_told_is_not_issued(till: Till, platforms: Stands) -> None:
    bills = FiscalBills(platforms.fiscal.account, clock.now, Reach(loopback=True), None)
    face = a_bill("")
    told = bills.issue(face)
    assert (told.kind, told.code) == ("refused", "region_unknown")
    assert platforms.fiscal.papers(str(face["payee_code"])) == []
