import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from app.kernel.db import violated
from payments.charges import queries
from payments.charges.actions import open_charge, recognise
from payments.charges.actions.open import ChargedDifferently
from payments.charges.queries import NoSuchCharge
from payments.payees.models import Payee
from tests.payments.servers import in_parallel
from tests.payments.world import JOB, Till, books, jobs, owed, payments, state_of


def again(payee: Payee, key: uuid.UUID, fen: int = 1250) -> uuid.UUID:
    return open_charge(
        source_kind="test", source_key=key, payee_id=payee.id, amount_fen=fen, motorist_id=7,
        description="停车费", on_paid=JOB,
    ).key  # fmt: skip


def test_an_opened_charge_is_owed_and_nothing_is_posted_yet(till: Till) -> None:
    payee = till.treasury_payee()
    charge = owed(payee)
    assert (state_of(charge), jobs(charge), books(payee)) == ("created", 0, {})


def test_the_same_source_is_charged_once_even_by_eight_at_a_time(till: Till) -> None:
    payee, key = till.treasury_payee(), uuid.uuid4()
    assert len(set(in_parallel(till.app, 8, lambda: again(payee, key)))) == 1


def test_the_same_source_with_another_sum_or_payee_is_refused(till: Till) -> None:
    payee, key = till.treasury_payee(), uuid.uuid4()
    again(payee, key)
    with pytest.raises(ChargedDifferently):
        again(payee, key, 1)
    with pytest.raises(ChargedDifferently):
        again(till.enterprise_payee(), key)


def test_nothing_to_pay_is_settled_at_once_without_order_posting_or_receipt(till: Till) -> None:
    payee = till.treasury_payee()
    charge = owed(payee, 0)
    assert (state_of(charge), jobs(charge)) == ("fulfilled", 1)
    assert (books(payee), payments(charge), list(queries.orders_of(charge.id))) == ({}, [], [])
    assert recognise(charge.key).state == "fulfilled"
    assert books(payee) == {}


def test_nothing_to_pay_is_announced_once_though_it_is_opened_twice(till: Till) -> None:
    payee, key = till.treasury_payee(), uuid.uuid4()
    again(payee, key, 0)
    again(payee, key, 0)
    charge = queries.charge_of_source("test", key)
    assert charge is not None
    assert jobs(charge) == 1


@pytest.mark.parametrize("description", ["", "费" * 128])
def test_a_description_that_wechat_cannot_show_is_refused(till: Till, description: str) -> None:
    payee = till.treasury_payee()
    with pytest.raises(IntegrityError) as refusal:
        open_charge(
            source_kind="test", source_key=uuid.uuid4(), payee_id=payee.id, amount_fen=1, motorist_id=7,
            description=description, on_paid=JOB,
        )  # fmt: skip
    assert violated(refusal.value) == "a_description_fits_wechats_bill"


def test_a_negative_charge_cannot_exist(till: Till) -> None:
    with pytest.raises(IntegrityError) as refusal:
        owed(till.treasury_payee(), -1)
    assert violated(refusal.value) == "a_charge_is_never_negative"


def test_another_motorists_charge_is_not_found(till: Till) -> None:
    charge = owed(till.treasury_payee(), motorist_id=41)
    assert queries.own_charge(41, charge.key).id == charge.id
    with pytest.raises(NoSuchCharge):
        queries.own_charge(42, charge.key)
    assert charge.id in {each.id for each in queries.charges_of(41)}


def test_a_comma_in_a_lots_name_does_not_break_wechats_bill(till: Till) -> None:
    charge = open_charge(
        source_kind="test", source_key=uuid.uuid4(), payee_id=till.treasury_payee().id, amount_fen=1, motorist_id=7,
        description="停车费 A,B`C", on_paid=JOB,
    )  # fmt: skip
    assert charge.description == "停车费 A，B'C"
