import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, UniqueViolation
from sqlalchemy.exc import IntegrityError

from app.kernel.db import violated
from payments.ledger.rules import SOE, TREASURY
from payments.payees.actions import SampleNotMarked, confirm, open_channel, open_payee
from payments.payees.queries import (
    NoChannel,
    NoSuchPayee,
    PayeeNotConfirmed,
    accept_samples,
    channel_of,
    collecting_payee,
    confirmations,
)
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars
from tests.payments.world import owed, sub_merchant, treasury_payee

ENTERPRISE = EnterpriseParticulars("91330100MA00000000", "某银行", "571900000000001")


def test_the_particulars_decide_the_regime(app: Flask) -> None:
    fiscal = FiscalParticulars("city", None, "001001", "某机关事务中心", "1030702", "市级国库")
    assert open_payee("某中心", fiscal, actor="test").regime == TREASURY
    assert open_payee("某公司", ENTERPRISE, actor="test").regime == SOE


def test_a_payee_that_finance_has_not_confirmed_collects_nothing(app: Flask) -> None:
    payee = open_payee("某公司", ENTERPRISE, actor="test")
    with pytest.raises(PayeeNotConfirmed):
        owed(payee)
    confirm(payee.id, confirmed_by="finance:7", note="财政局函〔2026〕12号")
    assert owed(payee).payee_id == payee.id


def test_a_sample_confirmation_counts_only_where_samples_are_accepted(app: Flask) -> None:
    payee = treasury_payee()
    assert collecting_payee(payee.id).id == payee.id
    accept_samples(False)
    with pytest.raises(PayeeNotConfirmed):
        collecting_payee(payee.id)


def test_a_sample_and_a_real_confirmation_stand_side_by_side(app: Flask) -> None:
    payee = treasury_payee()
    confirm(payee.id, confirmed_by="finance:7", note="财政局函〔2026〕12号")
    accept_samples(False)
    assert collecting_payee(payee.id).id == payee.id
    assert [each.sample for each in confirmations(payee.id)] == [True, False]


@pytest.mark.parametrize(("note", "sample"), [("财政局函", True), ("示例主体", False)])
def test_a_sample_says_so_and_nothing_else_does(app: Flask, note: str, sample: bool) -> None:
    payee = open_payee("某公司", ENTERPRISE, actor="test")
    with pytest.raises(SampleNotMarked):
        confirm(payee.id, confirmed_by="finance:7", note=note, sample=sample)
    assert not confirmations(payee.id)


def test_the_database_refuses_an_unmarked_sample_too(app: Flask, program: str) -> None:
    payee = open_payee("某公司", ENTERPRISE, actor="test")
    with psycopg.connect(program) as connection, pytest.raises(CheckViolation) as refusal:
        connection.execute(
            "INSERT INTO payee_confirmation (payee_id, confirmed_by, confirmed_at, note, sample) "
            "VALUES (%s, 'x', now(), '正式', true)",
            (payee.id,),
        )
    assert refusal.value.diag.constraint_name == "a_sample_says_so_in_its_note"


def test_a_sub_merchant_belongs_to_one_payee(app: Flask) -> None:
    number = sub_merchant()
    open_channel(treasury_payee().id, sp_mchid="1600000001", sub_mchid=number, actor="test")
    with pytest.raises(IntegrityError) as refusal:
        open_channel(treasury_payee().id, sp_mchid="1600000001", sub_mchid=number, actor="test")
    assert isinstance(refusal.value.orig, UniqueViolation)
    assert violated(refusal.value) == "a_sub_merchant_belongs_to_one_payee"


def test_the_newest_channel_takes_new_orders(app: Flask) -> None:
    payee = treasury_payee()
    newest = open_channel(payee.id, sp_mchid="1600000001", sub_mchid=sub_merchant(), actor="test")
    assert channel_of(payee.id).id == newest.id


def test_a_payee_without_a_channel_takes_no_orders(app: Flask) -> None:
    with pytest.raises(NoChannel):
        channel_of(open_payee("某公司", ENTERPRISE, actor="test").id)


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
    named = ", ".join(["key", "name", "created_at", *fields])
    places = ", ".join(["gen_random_uuid()", "'x'", "now()", *["%s"] * len(fields)])
    with psycopg.connect(program) as connection, pytest.raises(CheckViolation) as refusal:
        connection.execute(f"INSERT INTO payee ({named}) VALUES ({places})".encode(), list(fields.values()))  # noqa: S608
    assert constraint in str(refusal.value.diag.constraint_name)
