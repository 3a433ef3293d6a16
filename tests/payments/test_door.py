import json

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select

from app.api.notices import REJECTED
from app.kernel.db import transaction
from payments.charges.models import CallbackInbox
from tests.payments.servers import Door
from tests.payments.world import Till, books, cases, state_of


def stored() -> int:
    with transaction() as session:
        return len(session.scalars(select(CallbackInbox.notify_id)).all())


@pytest.mark.parametrize("kind", ["signature", "serial", "skew", "signtest", "tampered"])
def test_what_wechat_did_not_sign_gets_401_and_leaves_nothing(till: Till, door: Door, kind: str) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    before = stored()
    assert till.forge(order, kind) == [401]
    assert (stored(), state_of(charge), books(payee), cases(order.out_trade_no)) == (before, "created", {}, [])


@pytest.mark.parametrize(
    "kind", ["wrong_amount", "wrong_currency", "wrong_payer", "other_merchant", "unknown_order", "unknown_event"]
)
def test_what_wechat_signed_but_is_not_our_order_is_thanked_and_moves_no_money(
    till: Till, door: Door, kind: str
) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    before = stored()
    assert till.forge(order, kind) == [200]
    assert (stored(), state_of(charge), books(payee)) == (before + 1, "created", {})


def test_a_notice_is_kept_once_with_what_came_of_it(till: Till, door: Door) -> None:
    _, order = till.ordered(till.treasury_payee())
    till.paid(order)
    before = stored()
    assert till.redeliver(order, copies=4) + till.redeliver(order, new_id=True) == [200] * 5
    assert stored() == before + 2
    with transaction() as session:
        kept = session.scalars(select(CallbackInbox.outcome).order_by(CallbackInbox.received_at.desc()).limit(2))
        assert list(kept) == ["already_paid", "paid"]


def test_the_program_cannot_say_otherwise_later(till: Till, door: Door, program: str) -> None:
    with psycopg.connect(program) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute("UPDATE callback_inbox SET outcome = 'paid'")


def test_a_rejection_is_counted_and_answered_as_wechat_wants_it(door: Door) -> None:
    counted = REJECTED.labels("malformed")._value.get()
    status, body = door.post(b"{}", {"Content-Type": "application/json"})
    assert (status, json.loads(body)) == (401, {"code": "FAIL", "message": "失败"})
    assert sum(each.value for each in next(iter(REJECTED.collect())).samples) > counted


def test_the_thanks_are_in_wechats_words(till: Till, door: Door) -> None:
    with till.app.test_client() as client:
        assert client.get("/wechat/notices/transactions").status_code == 405
    _, order = till.ordered(till.treasury_payee())
    till.paid(order)
    assert till.redeliver(order) == [200]


def test_a_body_of_more_than_64_kib_is_refused_unread(door: Door) -> None:
    assert door.post(b"x" * (64 * 1024 + 1), {"Content-Type": "application/json"})[0] == 413


def test_when_the_database_refuses_wechat_is_told_to_come_again(
    till: Till, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    payee = till.treasury_payee()
    charge, order = till.ordered(payee)
    till.paid(order)
    monkeypatch.setattr("payments.charges.actions.inbox._sealed", lambda _: None)
    assert till.redeliver(order)[0] >= 500
    assert (state_of(charge), books(payee)) == ("created", {})
    monkeypatch.undo()
    assert till.redeliver(order) == [200]
    assert state_of(charge) == "paid"
