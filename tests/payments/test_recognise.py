import pytest

from payments.charges import queries
from payments.charges.actions import check_order, recognise
from payments.charges.actions.recognise import NotPaid
from payments.charges.models import Charge
from payments.payees.models import Payee
from tests.payments.servers import in_parallel
from tests.payments.world import Till, books, owed, state_of


def paid(till: Till, payee: Payee) -> Charge:
    charge, order = till.ordered(payee)
    till.paid(order)
    check_order(order.id, till.pay)
    return charge


def test_an_organs_income_is_due_to_the_treasury(till: Till) -> None:
    payee = till.treasury_payee()
    charge = paid(till, payee)
    recognise(charge.key)
    assert books(payee) == {"wx_receivable": 1250, "due_to_treasury": -1250}
    assert state_of(charge) == "fulfilled"


def test_an_enterprises_income_is_its_revenue(till: Till) -> None:
    payee = till.enterprise_payee()
    recognise(paid(till, payee).key)
    assert books(payee) == {"wx_receivable": 1250, "revenue": -1250}


def test_eight_recognitions_of_one_charge_post_once(till: Till) -> None:
    payee = till.treasury_payee()
    charge = paid(till, payee)
    in_parallel(till.app, 8, lambda: recognise(charge.key).state)
    assert books(payee) == {"wx_receivable": 1250, "due_to_treasury": -1250}
    assert [each.kind for each in queries.journals_of_charge(charge.key)] == ["payment", "recognition"]


def test_what_is_not_paid_is_not_income(till: Till) -> None:
    payee = till.treasury_payee()
    with pytest.raises(NotPaid):
        recognise(owed(payee).key)
    assert books(payee) == {}
