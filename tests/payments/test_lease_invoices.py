"""Invoices of an enterprise whose terms say 不动产经营租赁服务: one stay, one line, and what that business must say."""

import uuid
from datetime import date
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege, IntegrityConstraintViolation, UniqueViolation

from app.adapters.outbound import Reach
from app.adapters.receipts.wire import Wire
from app.domain.receipts.papers import paper_of
from app.kernel import clock
from payments.charges.models import Charge
from payments.payees.actions import confirm_terms, end_terms, record_terms
from payments.payees.models import Payee
from payments.payees.queries import terms_of
from payments.payees.rules import InvoiceForm, Vat
from payments.receipts.actions import issue_due, plan_due
from payments.receipts.actions.ask import LeasesApart
from payments.receipts.queries import written
from payments.receipts.rules.services import Let, Service
from tests.payments.platforms import Stands
from tests.payments.test_receipts import asked_for, given_back, live, paid, story
from tests.payments.world import Till, cases
from tests.world import PLAIN_LINES

LEASE = InvoiceForm("lease", "平方米", cross_city=False)
LET = Let("西湖区示例路1号", "无", date(2026, 6, 10), date(2026, 6, 11))
SAYS = {
    "address": "西湖区示例路1号", "begins_on": "2026-06-10", "ends_on": "2026-06-11", "cross_city": "N",
    "area_unit": "平方米", "certificate_number": "无",
}  # fmt: skip
SELLER = "91330100MA00000000"


@pytest.fixture
def plain(till: Till) -> Payee:
    return till.enterprise_payee()


@pytest.fixture
def lessor(till: Till, plain: Payee) -> Payee:
    """An enterprise of whose invoices two persons have said that they are of lease."""
    return says(till, plain, LEASE)


def says(till: Till, payee: Payee, form: InvoiceForm) -> Payee:
    """From now on two persons' word is this form."""
    now = clock.now()
    end_terms(terms_of(payee.id)[-1].key, now, "staff:2")
    vat = Vat("general", 900)
    made = record_terms(
        payee.id, now, item_code="3040502020200000000", item_name="停车服务", vat=vat, form=form, note="示例",
        by="staff:1",
    )  # fmt: skip
    confirm_terms(made.key, "staff:2")
    till.later(1)
    return payee


def let(charge: Charge) -> Service:
    return Service(f"测试车场 浙A{charge.id % 100_000:05} 2026-06-10 18:30至06-11 08:00", LET)


def go_on(stands: Stands, rounds: int = 3) -> None:
    for _ in range(rounds):
        plan_due(let)
        issue_due(stands.clients)


def taken(stands: Stands, charge: Charge) -> dict[str, Any]:
    """What the service took for a charge's live invoice."""
    number = live(charge).number
    found: list[dict[str, Any]] = [each["asked"] for each in stands.tax.papers(SELLER) if each["number"] == number]
    return found[0]


def test_an_invoice_of_lease_says_what_that_business_must(till: Till, platforms: Stands, lessor: Payee) -> None:
    charge = paid(till, lessor, 900)
    asked_for(charge)
    go_on(platforms)
    asked = taken(platforms, charge)
    assert (asked["special_business"], asked["lease"]) == ("06", SAYS)
    [line] = asked["lines"]
    assert set(line) == {"name", "class_code", "rate", "amount", "tax"}
    assert "浙A" in asked["remark"]


def test_a_plain_invoice_says_nothing_of_a_lease(till: Till, platforms: Stands, plain: Payee) -> None:
    charge = paid(till, plain, 900)
    asked_for(charge)
    go_on(platforms)
    assert {"special_business", "lease"} & set(taken(platforms, charge)) == set()
    assert paper_of(written(live(charge).key)).sections == []


def test_an_invoice_of_lease_shows_its_property_on_paper(till: Till, platforms: Stands, lessor: Payee) -> None:
    charge = paid(till, lessor, 900)
    asked_for(charge)
    go_on(platforms)
    [(heading, table)] = paper_of(written(live(charge).key)).sections
    assert heading == "不动产经营租赁服务"
    assert dict(zip(table.headers, *table.rows, strict=True)) == {
        "不动产地址": "西湖区示例路1号", "租赁期起止": "2026-06-10 至 2026-06-11", "跨地（市）标志": "否",
        "面积单位": "平方米", "产权证书/不动产权证号": "无",
    }  # fmt: skip


def test_a_seller_across_cities_says_so(till: Till, platforms: Stands, plain: Payee) -> None:
    charge = paid(till, says(till, plain, InvoiceForm("lease", "平方米", cross_city=True)), 900)
    asked_for(charge)
    go_on(platforms)
    assert taken(platforms, charge)["lease"]["cross_city"] == "Y"
    [(_, table)] = paper_of(written(live(charge).key)).sections
    assert table.rows[0][2] == "是"


def test_several_leases_are_not_invoiced_together_but_each_by_itself(
    till: Till, platforms: Stands, lessor: Payee
) -> None:
    charges = [paid(till, lessor, fen, 91) for fen in (900, 300)]
    with pytest.raises(LeasesApart):
        asked_for(*charges)
    for each in charges:
        asked_for(each)
    go_on(platforms)
    assert [story(each) for each in charges] == [[("blue", "issued", 900)], [("blue", "issued", 300)]]


def test_what_was_asked_for_together_before_is_invoiced_apart_once_the_seller_lets(
    till: Till, platforms: Stands, plain: Payee
) -> None:
    charges = [paid(till, plain, fen, 92) for fen in (900, 300)]
    asked_for(*charges)
    says(till, plain, LEASE)
    go_on(platforms)
    assert [story(each) for each in charges] == [[("blue", "issued", 900)], [("blue", "issued", 300)]]


def test_a_part_of_a_lease_goes_back_in_red_with_the_same_words_and_the_rest_is_let_as_before(
    till: Till, platforms: Stands, lessor: Payee
) -> None:
    charge = paid(till, lessor, 900)
    asked_for(charge)
    go_on(platforms)
    given_back(till, charge, 300)
    go_on(platforms, 4)
    assert story(charge) == [("blue", "reversed", 900), ("red", "issued", 900), ("blue", "issued", 600)]
    said = [each["asked"] for each in platforms.tax.papers(SELLER)][-3:]
    assert [each["lease"] for each in said] == [SAYS, SAYS, SAYS]


def test_a_plain_invoice_for_two_stays_is_taken_back_as_plain_and_the_rest_is_let(
    till: Till, platforms: Stands, plain: Payee
) -> None:
    charges = [paid(till, plain, fen, 93) for fen in (900, 300)]
    asked_for(*charges)
    go_on(platforms)
    says(till, plain, LEASE)
    given_back(till, charges[0], 400)
    go_on(platforms, 4)
    assert story(charges[0])[1:] == [("red", "issued", 1200), ("blue", "issued", 500)]
    assert story(charges[1])[1:] == [("red", "issued", 1200), ("blue", "issued", 300)]
    *_, red, first, second = [each["asked"] for each in platforms.tax.papers(SELLER)]
    assert ["lease" in each for each in (red, first, second)] == [False, True, True]


def test_a_lease_is_taken_back_as_a_lease_when_the_seller_invoices_plainly_again(
    till: Till, platforms: Stands, lessor: Payee
) -> None:
    charge = paid(till, lessor, 900)
    asked_for(charge)
    go_on(platforms)
    says(till, lessor, PLAIN_LINES)
    given_back(till, charge, 300)
    go_on(platforms, 4)
    assert story(charge) == [("blue", "reversed", 900), ("red", "issued", 900), ("blue", "issued", 600)]
    *_, red, rest = [each["asked"] for each in platforms.tax.papers(SELLER)]
    assert (red["lease"], "lease" in rest) == (SAYS, False)


def test_without_a_word_on_the_property_a_lease_waits_and_a_person_is_told(
    till: Till, platforms: Stands, lessor: Payee
) -> None:
    charge = paid(till, lessor, 900)
    asked_for(charge)
    plan_due(lambda each: Service(each.description))
    assert story(charge) == []
    [case] = [each for each in cases("request:") if each.detail["payee_id"] == lessor.id]
    assert (case.kind, case.detail["about"]) == ("receipt_without_lease", charge.description)
    till.later(3700)
    go_on(platforms)
    assert story(charge) == [("blue", "issued", 900)]


LINE = {"name": "停车服务", "class_code": "3", "rate": "0.09", "amount": "8.26", "tax": "0.74"}
BY_HAND = {
    "seller_tax_number": "91330100MA00000001", "lines": [LINE], "total_with_tax": "9.00", "total_tax": "0.74",
    "special_business": "06", "lease": SAYS,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        *(({"lease": {each: SAYS[each] for each in SAYS if each != name}}, "lease_incomplete") for name in SAYS),
        *(({"lease": SAYS | {name: " "}}, "lease_incomplete") for name in SAYS),
        ({"lease": None}, "lease_incomplete"),
        ({"lease": SAYS | {"cross_city": "否"}}, "lease_wrong"),
        ({"lease": SAYS | {"ends_on": "2026-06-09"}}, "lease_wrong"),
        ({"lease": SAYS | {"begins_on": "20260610起"}}, "lease_wrong"),
        ({"lines": [LINE, LINE], "total_with_tax": "18.00", "total_tax": "1.48"}, "lease_line_wrong"),
        ({"lines": [LINE | {"model": "小型车"}]}, "lease_line_wrong"),
        ({"lines": [LINE | {"unit": "次"}]}, "lease_line_wrong"),
        ({"special_business": "05"}, "special_business_unknown"),
        ({"special_business": None}, "special_business_missing"),
    ],
)
def test_the_service_refuses_a_lease_that_leaves_something_out_or_says_too_much(
    till: Till, platforms: Stands, changes: dict[str, Any], code: str
) -> None:
    wire = Wire(platforms.tax.account, clock.now, Reach(loopback=True))
    told = wire.post("/v1/invoices", BY_HAND | {"request_no": uuid.uuid4().hex} | changes)
    assert told == (200, {"status": "refused", "code": code})


def test_the_service_takes_no_lease_back_as_another_one(till: Till, platforms: Stands) -> None:
    wire = Wire(platforms.tax.account, clock.now, Reach(loopback=True))
    blue = BY_HAND | {"request_no": uuid.uuid4().hex}
    number = wire.post("/v1/invoices", blue)[1]["number"]
    for other, word in (({"lease": SAYS | {"address": "另一地址"}}, "refused"), ({}, "issued")):
        red = blue | {"request_no": uuid.uuid4().hex, "original_number": number} | other
        assert wire.post("/v1/invoices/red", red)[1]["status"] == word


A_LEASE: LiteralString = """
INSERT INTO receipt_lease (receipt_id, address, certificate_number, begins_on, ends_on) VALUES (%s, %s, %s, %s, %s)
"""


def test_hand_written_sql_makes_no_lease_of_a_plain_invoice_and_no_other_of_a_lease(
    till: Till, platforms: Stands, lessor: Payee, program: str, owner: str
) -> None:
    other = till.enterprise_payee()
    charge, plain = paid(till, lessor, 900), paid(till, other, 900)
    for each in (charge, plain):
        asked_for(each)
    go_on(platforms)
    with psycopg.connect(program, autocommit=True) as connection:
        with pytest.raises(IntegrityConstraintViolation) as refusal:
            connection.execute(A_LEASE, (live(plain).id, "某路", "无", LET.begins_on, LET.ends_on))
        assert refusal.value.diag.constraint_name == "an_invoice_is_of_its_terms_form"
        with pytest.raises(UniqueViolation):
            connection.execute(A_LEASE, (live(charge).id, "某路", "无", LET.begins_on, LET.ends_on))
        for words in ((" ", "无", LET.begins_on, LET.ends_on), ("某路", "无", LET.ends_on, LET.begins_on)):
            with pytest.raises(CheckViolation):
                connection.execute(A_LEASE, (live(plain).id, *words))
        with pytest.raises(InsufficientPrivilege):
            connection.execute("UPDATE receipt_lease SET address = 'x'")
    with psycopg.connect(owner, autocommit=True) as connection, pytest.raises(IntegrityConstraintViolation):
        connection.execute("DELETE FROM receipt_lease WHERE receipt_id = %s", (live(charge).id,))


A_RED_ONE: LiteralString = """
INSERT INTO receipt (key, payee_id, regime, kind, motorist_id, terms_id, colour, reverses_id, amount_fen, tax_fen,
    remark, request_no, state, made_at, attempts)
SELECT gen_random_uuid(), payee_id, regime, kind, motorist_id,
    (SELECT min(id) FILTER (WHERE invoice_form = %s) FROM receipt_terms WHERE payee_id = receipt.payee_id),
    'red', id, amount_fen, tax_fen, remark, gen_random_uuid()::text, 'due', now(), 0
FROM receipt WHERE id = %s RETURNING id
"""
ITS_LINES: LiteralString = """
INSERT INTO receipt_line (receipt_id, charge_id, payee_id, amount_fen, tax_fen, about, colour, receipt_state)
SELECT %s, charge_id, payee_id, amount_fen, tax_fen, about, 'red', 'due' FROM receipt_line WHERE receipt_id = ANY(%s)
"""
OF_ITS_FORM, ONE_LINE = "an_invoice_is_of_its_terms_form", "an_invoice_of_lease_has_one_line"
THE_SAME = "a_red_invoice_says_what_its_blue_one_said"


@pytest.mark.parametrize(
    ("form", "lines", "address", "broken"),
    [
        ("lease", 1, None, OF_ITS_FORM),
        ("plain", 1, SAYS["address"], OF_ITS_FORM),
        ("lease", 2, SAYS["address"], ONE_LINE),
        ("lease", 1, "另一地址", THE_SAME),
        ("plain", 1, None, THE_SAME),
        ("lease", 1, SAYS["address"], None),
    ],
)
def test_hand_written_sql_takes_a_lease_back_as_that_lease_and_nothing_else(
    till: Till, platforms: Stands, lessor: Payee, program: str, form: str, lines: int, address: str | None,
    broken: str | None,
) -> None:  # fmt: skip
    charges = [paid(till, lessor, 900, 94) for _ in range(lines)]
    for each in charges:
        asked_for(each)
    go_on(platforms)
    assert broken_by(program, form, [live(each).id for each in charges], address) == broken


def broken_by(program: str, form: str, blue: list[int], address: str | None) -> str | None:
    """Which promise a red invoice of the first breaks that is of this form and has the lines of all."""
    with psycopg.connect(program) as connection:
        made = connection.execute(A_RED_ONE, (form, blue[0])).fetchone()
        assert made is not None
        connection.execute(ITS_LINES, (made[0], blue))
        if address is not None:
            connection.execute(A_LEASE, (made[0], address, "无", LET.begins_on, LET.ends_on))
        try:
            connection.execute("SET CONSTRAINTS an_invoice_is_of_its_terms_form IMMEDIATE")
        except IntegrityConstraintViolation as refusal:
            return refusal.diag.constraint_name
        finally:
            connection.rollback()
    return None
