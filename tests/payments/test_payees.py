from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, ExclusionViolation, IntegrityConstraintViolation

from app.kernel import clock
from app.kernel.terms import ChangeOutOfOrder
from payments.ledger.rules import SOE, TREASURY
from payments.payees.actions import (
    confirm,
    confirm_channel,
    confirm_terms,
    end_terms,
    open_channel,
    open_payee,
    record_terms,
    retire,
    retire_channel,
)
from payments.payees.actions.channels import (
    ChannelConfirmed,
    ChannelNotConfirmed,
    NotAMerchantNumber,
    OwnChannel,
    SubMerchantTaken,
)
from payments.payees.actions.ends import EndUnfit
from payments.payees.actions.payees import ConfirmationSaysNothing, OwnPayee, PayeeConfirmed, SampleNotMarked
from payments.payees.actions.terms import TermsUnfit
from payments.payees.models import Payee, ReceiptTerms
from payments.payees.queries import (
    NoChannel,
    NoSuchPayee,
    PayeeNotConfirmed,
    VatNotConfirmed,
    accept_samples,
    channel_by_key,
    channel_of,
    collecting_payee,
    confirmations,
    payee_by_id,
)
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars, InvoiceForm, Vat
from tests.payments.world import A_CHARGE, owed, paid_through, sub_merchant, treasury_payee
from tests.races import at_once
from tests.world import EVER, PLAIN_LINES, with_terms

ENTERPRISE = EnterpriseParticulars("91330100MA00000000", "某银行", "571900000000001")
LETTER = "财政局函〔2026〕12号"
PROVIDER = "1600000001"
HOUR = timedelta(hours=1)


def enterprise() -> Payee:
    """One that nobody has confirmed yet."""
    return open_payee("某公司", ENTERPRISE, EVER, actor="finance:6")


def confirmed(payee: Payee, by: str = "finance:7", note: str = LETTER) -> None:
    confirm(payee.id, confirmed_by=by, note=note)


def run(url: str, statement: LiteralString, *values: object) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, values).rowcount


def test_the_particulars_decide_the_regime(app: Flask) -> None:
    fiscal = FiscalParticulars("city", None, "001001", "某机关事务中心", "1030702", "市级国库")
    assert open_payee("某中心", fiscal, EVER, actor="test").regime == TREASURY
    assert enterprise().regime == SOE


def test_a_payee_that_finance_has_not_confirmed_collects_nothing(app: Flask) -> None:
    payee = enterprise()
    with pytest.raises(PayeeNotConfirmed):
        owed(payee)
    confirmed(payee)
    with pytest.raises(VatNotConfirmed):
        owed(payee)
    assert owed(with_terms(payee)).payee_id == payee.id


def test_an_enterprise_collects_while_its_vat_is_confirmed_and_no_longer(
    app: Flask, at: Callable[[datetime], None], program: str
) -> None:
    payee, end = enterprise(), clock.now() + HOUR
    confirmed(payee)
    made = record_terms(
        payee.id, EVER, item_code="3", item_name="停车", vat=Vat("simplified", 500), form=PLAIN_LINES, note="税务函",
        by="finance:6",
    )  # fmt: skip
    with pytest.raises(VatNotConfirmed):
        owed(payee)
    confirm_terms(made.key, "finance:7")
    assert (owed(payee).payee_id, made.vat_method) == (payee.id, "simplified")
    end_terms(made.key, end, "finance:7")
    at(end)
    with pytest.raises(VatNotConfirmed):
        owed(payee)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(program, A_CHARGE, payee.id, end)
    assert refusal.value.diag.constraint_name == "an_enterprise_collects_with_its_vat_confirmed"


def test_sample_vat_counts_only_where_samples_are_accepted(app: Flask) -> None:
    payee = with_terms(enterprise())
    confirmed(payee)
    assert collecting_payee(payee.id).id == payee.id
    accept_samples(False)
    with pytest.raises(VatNotConfirmed):
        collecting_payee(payee.id)


@pytest.mark.parametrize("vat", [None, Vat("other", 900), Vat("general", 2001), Vat("general", -1)])
def test_there_is_no_vat_by_default_and_none_that_cannot_be(app: Flask, vat: Vat | None) -> None:
    with pytest.raises(TermsUnfit):
        recorded(vat, PLAIN_LINES)


@pytest.mark.parametrize(
    "form",
    [
        None, InvoiceForm("other"), InvoiceForm("lease"), InvoiceForm("lease", " ", cross_city=False),
        InvoiceForm("lease", "平方米"), InvoiceForm("plain", "平方米"), InvoiceForm("plain", cross_city=False),
    ],
)  # fmt: skip
def test_there_is_no_invoice_form_by_default_and_each_says_just_what_it_needs(
    app: Flask, form: InvoiceForm | None
) -> None:
    with pytest.raises(TermsUnfit):
        recorded(Vat("general", 900), form)


def recorded(vat: Vat | None, form: InvoiceForm | None) -> ReceiptTerms:
    return record_terms(
        enterprise().id, EVER, item_code="3", item_name="停车", vat=vat, form=form, note="税务函", by="finance:6"
    )


A_FORM: LiteralString = """
INSERT INTO receipt_terms (key, payee_id, regime, valid, item_code, item_name, vat_method, vat_basis_points,
    invoice_form, area_unit, cross_city, note, sample, recorded_by, recorded_at)
SELECT gen_random_uuid(), id, regime, '[2026-01-01,)', coalesce(item_code, '3'), '停车', %s, %s, %s, %s, %s, '函',
    false, 'a', now() FROM payee WHERE id = %s
"""
WITHOUT_FORM, OF_LEASE = "an_enterprise_has_an_invoice_form", "terms_of_lease_say_area_unit_and_cross_city"


@pytest.mark.parametrize(
    ("form", "area_unit", "cross_city", "broken"),
    [
        (None, None, None, WITHOUT_FORM),
        ("other", None, None, "an_invoice_has_one_of_two_forms"),
        ("lease", None, False, OF_LEASE),
        ("lease", "平方米", None, OF_LEASE),
        ("plain", "平方米", False, OF_LEASE),
        ("lease", " ", False, "an_area_unit_says_something"),
    ],
)
def test_hand_written_terms_say_just_what_their_invoice_form_needs(
    app: Flask, program: str, form: str | None, area_unit: str | None, cross_city: bool | None, broken: str
) -> None:
    with pytest.raises(CheckViolation) as refusal:
        run(program, A_FORM, "general", 900, form, area_unit, cross_city, enterprise().id)
    assert refusal.value.diag.constraint_name == broken


def test_a_fiscal_payee_has_no_invoice_form(app: Flask, program: str) -> None:
    organ = treasury_payee()
    with pytest.raises(TermsUnfit):
        record_terms(
            organ.id, EVER, item_code=organ.item_code or "", item_name="停车", vat=None, form=PLAIN_LINES, note="函",
            by="finance:6",
        )  # fmt: skip
    with pytest.raises(CheckViolation) as refusal:
        run(program, A_FORM, None, None, "plain", None, None, organ.id)
    assert refusal.value.diag.constraint_name == WITHOUT_FORM


def test_who_opened_a_payee_does_not_confirm_it(app: Flask) -> None:
    payee = enterprise()
    with pytest.raises(OwnPayee):
        confirmed(payee, by="finance:6")
    assert not confirmations([payee.id])


def test_a_payee_is_confirmed_once_and_says_why(app: Flask) -> None:
    payee = enterprise()
    with pytest.raises(ConfirmationSaysNothing):
        confirmed(payee, note=" ")
    confirmed(payee)
    with pytest.raises(PayeeConfirmed):
        confirmed(payee)


@pytest.mark.parametrize(
    ("opened_by", "by", "constraint"),
    [
        ("finance:6", "finance:6", "a_payee_is_confirmed_by_another_person"),
        ("finance:9", "finance:6", "a_confirmation_knows_who_opened_the_payee"),
    ],
)
def test_the_database_wants_two_persons_too(app: Flask, program: str, opened_by: str, by: str, constraint: str) -> None:
    payee = enterprise()
    with pytest.raises(psycopg.IntegrityError) as refusal:
        run(
            program,
            "INSERT INTO payee_confirmation (payee_id, opened_by, confirmed_by, confirmed_at, note, sample) "
            "VALUES (%s, %s, %s, now(), '正式', false)",
            payee.id, opened_by, by,
        )  # fmt: skip
    assert refusal.value.diag.constraint_name == constraint


def test_a_sample_confirmation_counts_only_where_samples_are_accepted(app: Flask) -> None:
    payee = treasury_payee()
    assert collecting_payee(payee.id).id == payee.id
    accept_samples(False)
    with pytest.raises(PayeeNotConfirmed):
        collecting_payee(payee.id)


def test_a_sample_and_a_real_confirmation_stand_side_by_side(app: Flask) -> None:
    payee = treasury_payee()
    confirmed(payee)
    accept_samples(False)
    assert collecting_payee(payee.id).id == payee.id
    assert [each.sample for each in confirmations([payee.id])] == [True, False]


@pytest.mark.parametrize(("note", "sample"), [("财政局函", True), ("示例主体", False)])
def test_a_sample_says_so_and_nothing_else_does(app: Flask, note: str, sample: bool) -> None:
    payee = enterprise()
    with pytest.raises(SampleNotMarked):
        confirm(payee.id, confirmed_by="finance:7", note=note, sample=sample)
    assert not confirmations([payee.id])


def test_the_database_refuses_an_unmarked_sample_too(app: Flask, program: str) -> None:
    payee = enterprise()
    with pytest.raises(CheckViolation) as refusal:
        run(
            program,
            "INSERT INTO payee_confirmation (payee_id, opened_by, confirmed_by, confirmed_at, note, sample) "
            "VALUES (%s, 'finance:6', 'x', now(), '正式', true)",
            payee.id,
        )  # fmt: skip
    assert refusal.value.diag.constraint_name == "a_sample_says_so_in_its_note"


def test_a_payee_ends_once_ahead_and_never_later_again(app: Flask) -> None:
    payee, now = enterprise(), clock.now()
    for at in (now - HOUR, EVER):
        with pytest.raises(EndUnfit):
            retire(payee.id, at, "finance:7")
    retire(payee.id, now + HOUR, "finance:7")
    with pytest.raises(EndUnfit):
        retire(payee.id, now + 2 * HOUR, "finance:7")
    assert payee_by_id(payee.id).valid.upper == now + HOUR


def test_a_payee_collects_from_its_beginning_on_and_what_arose_until_its_end(
    app: Flask, at: Callable[[datetime], None]
) -> None:
    begins = clock.now() + HOUR
    payee = with_terms(open_payee("某公司", ENTERPRISE, begins, actor="finance:6"))
    confirmed(payee)
    with pytest.raises(PayeeNotConfirmed):
        owed(payee)
    at(begins)
    retire(payee.id, begins + HOUR, "finance:7")
    at(begins + 2 * HOUR)
    assert owed(payee).payee_id == payee.id


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE payee SET valid = '(,)' WHERE id = %s", "payee_only_ends"),
        ("UPDATE payee SET bank_account = '1' WHERE id = %s", "payee_says_the_same"),
        ("UPDATE payee SET opened_by = 'x' WHERE id = %s", "payee_says_the_same"),
        ("DELETE FROM payee WHERE id = %s", "payee_says_the_same"),
    ],
)
def test_nobody_rewrites_a_payee(app: Flask, owner: str, statement: LiteralString, constraint: str) -> None:
    payee = enterprise()
    retire(payee.id, clock.now() + HOUR, "finance:7")
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(owner, statement, payee.id)
    assert refusal.value.diag.constraint_name == constraint


def test_a_sub_merchant_takes_orders_when_another_person_has_confirmed_it(app: Flask) -> None:
    payee = enterprise()
    made = open_channel(payee.id, sp_mchid=PROVIDER, sub_mchid=sub_merchant(), actor="finance:6")
    with pytest.raises(NoChannel):
        channel_of(payee.id)
    with pytest.raises(OwnChannel):
        confirm_channel(made.key, "finance:6")
    confirm_channel(made.key, "finance:7")
    assert channel_of(payee.id).id == made.id
    with pytest.raises(ChannelConfirmed):
        confirm_channel(made.key, "finance:8")


def test_the_database_wants_two_persons_for_a_sub_merchant_too(app: Flask, program: str) -> None:
    made = open_channel(enterprise().id, sp_mchid=PROVIDER, sub_mchid=sub_merchant(), actor="finance:6")
    with pytest.raises(CheckViolation) as refusal:
        run(
            program,
            "UPDATE merchant_channel SET confirmed_by = 'finance:6', confirmed_at = now(), "
            "valid = tstzmultirange(tstzrange(now(), NULL)) WHERE id = %s",
            made.id,
        )  # fmt: skip
    assert refusal.value.diag.constraint_name == "a_channel_is_confirmed_by_another_person"


@pytest.mark.parametrize("number", ["19000001O9", "", "1" * 33])
def test_a_merchant_number_is_digits(app: Flask, number: str) -> None:
    with pytest.raises(NotAMerchantNumber):
        open_channel(enterprise().id, sp_mchid=PROVIDER, sub_mchid=number, actor="x")


def test_a_sub_merchant_belongs_to_one_payee(app: Flask) -> None:
    number = sub_merchant()
    paid_through(treasury_payee(), number)
    with pytest.raises(SubMerchantTaken):
        paid_through(treasury_payee(), number)


def test_of_two_payees_that_want_one_sub_merchant_at_once_one_has_it(app: Flask) -> None:
    number = sub_merchant()
    wanted = [
        open_channel(treasury_payee().id, sp_mchid=PROVIDER, sub_mchid=number, actor="finance:6").key for _ in range(2)
    ]
    told = at_once(app, *(partial(confirm_channel, key, "finance:7") for key in wanted))
    assert told == ["SubMerchantTaken", "done"]


def test_the_newest_channel_takes_new_orders_and_the_one_before_none(app: Flask) -> None:
    payee = treasury_payee()
    former = channel_of(payee.id)
    newest = paid_through(payee)
    assert channel_of(payee.id).id == newest.id
    assert newest.valid is not None
    ended = channel_by_key(former.key).valid
    assert ended is not None
    assert ended[-1].upper == newest.valid[-1].lower


def test_a_channel_that_is_to_begin_later_waits(app: Flask, at: Callable[[datetime], None]) -> None:
    payee = treasury_payee()
    former, later = channel_of(payee.id).id, clock.now() + HOUR
    made = open_channel(payee.id, sp_mchid=PROVIDER, sub_mchid=sub_merchant(), actor="x", since=later)
    confirm_channel(made.key, "y")
    assert channel_of(payee.id).id == former
    with pytest.raises(ChangeOutOfOrder):
        paid_through(payee)
    at(later)
    assert channel_of(payee.id).id == made.id


def test_a_retired_channel_takes_no_orders(app: Flask, at: Callable[[datetime], None]) -> None:
    payee = treasury_payee()
    channel, end = channel_of(payee.id), clock.now() + HOUR
    retire_channel(channel.key, end, "finance:7")
    assert channel_of(payee.id).id == channel.id
    at(end)
    with pytest.raises(NoChannel):
        channel_of(payee.id)


def test_what_nobody_confirmed_need_not_end(app: Flask) -> None:
    made = open_channel(enterprise().id, sp_mchid=PROVIDER, sub_mchid=sub_merchant(), actor="x")
    with pytest.raises(ChannelNotConfirmed):
        retire_channel(made.key, clock.now() + HOUR, "finance:7")


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            "UPDATE merchant_channel SET valid = tstzmultirange(tstzrange(lower(valid), NULL)) WHERE id = %s",
            "merchant_channel_only_ends",
        ),
        (
            "UPDATE merchant_channel SET valid = '{[2026-01-01,)}', reopened = 1 WHERE id = %s",
            "merchant_channel_only_ends",
        ),
        ("UPDATE merchant_channel SET reopened = 1 WHERE id = %s", "merchant_channel_only_ends"),
        ("UPDATE merchant_channel SET sub_mchid = '1' WHERE id = %s", "merchant_channel_says_the_same"),
        ("UPDATE merchant_channel SET confirmed_by = 'x' WHERE id = %s", "merchant_channel_says_the_same"),
        ("DELETE FROM merchant_channel WHERE id = %s", "merchant_channel_says_the_same"),
    ],
)
def test_nobody_rewrites_a_channel(app: Flask, owner: str, statement: LiteralString, constraint: str) -> None:
    channel = channel_of(treasury_payee().id)
    retire_channel(channel.key, clock.now() + HOUR, "finance:7")
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        run(owner, statement, channel.id)
    assert refusal.value.diag.constraint_name == constraint


SAME_AGAIN: LiteralString = """
INSERT INTO merchant_channel (key, payee_id, sp_mchid, sub_mchid, opened_by, opened_at, since, confirmed_by,
                              confirmed_at, valid, reopened)
SELECT gen_random_uuid(), payee_id, sp_mchid, %s, opened_by, opened_at, since, confirmed_by, confirmed_at, valid, 0
FROM merchant_channel WHERE id = %s
"""


def test_two_channels_of_one_payee_never_take_orders_at_one_time(app: Flask, owner: str) -> None:
    with pytest.raises(ExclusionViolation) as refusal:
        run(owner, SAME_AGAIN, sub_merchant(), channel_of(treasury_payee().id).id)
    assert refusal.value.diag.constraint_name == "a_payee_has_one_channel_at_a_time"


def test_a_payee_without_a_channel_takes_no_orders(app: Flask) -> None:
    with pytest.raises(NoChannel):
        channel_of(enterprise().id)


def test_nobody_collects_under_an_unknown_number(app: Flask) -> None:
    with pytest.raises(NoSuchPayee):
        collecting_payee(2**40)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"regime": "SOE", "item_code": "1"}, "an_enterprise"),
        ({"regime": "TREASURY", "tax_number": "1", "bank_name": "2", "bank_account": "3"}, "a_treasury_payee"),
        ({"regime": "TREASURY"}, "a_treasury_payee_names_unit_item_and_treasury"),
        ({"regime": "SOE"}, "an_enterprise_names_tax_number_and_bank"),
        ({"regime": "OTHER"}, "a_payee_is_of_the_treasury_or_an_enterprise"),
    ],
)
def test_the_fields_of_one_regime_do_not_suit_the_other(
    app: Flask, program: str, fields: dict[str, str], constraint: str
) -> None:
    named = ", ".join(["key", "name", "created_at", "opened_by", "valid", *fields])
    places = ", ".join(["gen_random_uuid()", "'x'", "now()", "'x'", "'(,)'", *["%s"] * len(fields)])
    with psycopg.connect(program) as connection, pytest.raises(CheckViolation) as refusal:
        connection.execute(f"INSERT INTO payee ({named}) VALUES ({places})".encode(), list(fields.values()))  # noqa: S608
    assert constraint in str(refusal.value.diag.constraint_name)
