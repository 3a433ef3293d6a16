"""Persons and refunds: who may ask, who decides, what is earned of the rest, and what the motorist hears."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.domain.adjustments.actions import free_now
from app.domain.adjustments.rules import Where, Why
from app.domain.lots.models import Lot
from app.domain.messages.models import Message
from app.domain.policies.actions import lay_down
from app.domain.refunds import actions, queries
from app.domain.refunds.actions.ask import StayNotSettled
from app.domain.refunds.actions.decide import DecisionReasonMissing
from app.domain.staff.rules import Actor, NotPermitted
from app.domain.stays.actions import open_payment
from app.domain.stays.models import Stay
from app.domain.tasks.models import Task
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from payments.charges.models import Charge, Payment
from payments.charges.queries import charge, payments_of
from payments.ledger.queries import trial_balance
from payments.refunds.actions.decide import OwnRefund
from payments.refunds.models import Refund
from payments.refunds.queries import NoSuchPayment, refund
from tests.commands import refused, told
from tests.races import at_once
from tests.world import Driver, drive, driver, gate, open_lot, paid, parked_stay, staff

EVENT = Why("major_event", "示例活动", "因示例活动，本场免费。")
Move = Callable[[datetime], None]


def stayed(
    evening: datetime, at: Move, kind: str = "enterprise", lot: Lot | None = None
) -> tuple[Driver, Stay, Charge]:
    """A car that stood for an hour, paid 3 yuan and left."""
    lot, who = lot or open_lot(kind=kind), driver()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=59))
    owed = open_payment(who.id, stay.key)
    paid(owed)
    drive(gate(lot, "out"), who.plate)
    return who, stay, charge(owed)


def payment_of(paid_charge: Charge) -> Payment:
    return payments_of(paid_charge.id)[0]


def books(paid_charge: Charge) -> dict[str, int]:
    return {each.code: each.amount_fen for each in trial_balance(paid_charge.payee_id) if each.amount_fen}


def inbox(who: Driver) -> list[str]:
    with transaction() as session:
        own = select(Message.kind).filter_by(motorist_id=who.id).order_by(Message.id)
        return [kind for kind in session.scalars(own) if kind.startswith("refund_")]


def open_tasks() -> list[str]:
    with transaction() as session:
        return sorted(session.scalars(select(Task.kind).where(Task.closed_at.is_(None))))


def asked(by: Actor, of: Charge, fen: int = 100, reason: str = "charged_wrongly") -> Refund:
    return actions.ask(by, payment_of(of).key, fen, reason, "出口道闸离线，多计时长")


def test_a_small_refund_of_an_enterprises_money_needs_one_person(evening: datetime, at: Move) -> None:
    who, _, of = stayed(evening, at)
    assert books(of) == {"wx_receivable": 300, "revenue": -300}
    made = asked(staff("complaint_handler"), of)
    assert (made.state, books(of)["revenue"], books(of)["refund_payable"]) == ("approved", -200, -100)
    actions.tell_of(made.id)
    actions.tell_of(made.id)
    assert inbox(who) == ["refund_approved"]


def test_any_refund_of_the_treasurys_money_needs_two_persons(evening: datetime, at: Move) -> None:
    who, _, of = stayed(evening, at, kind="organ")
    maker, checker = staff("finance_maker"), staff("finance_checker")
    made = asked(maker, of, 1)
    actions.tell_of(made.id)
    assert (made.state, inbox(who), open_tasks()) == ("requested", [], ["refund_to_decide"])
    with pytest.raises(DecisionReasonMissing):
        actions.approve(checker, made.key, " ")
    actions.approve(checker, made.key, "已核对")
    actions.tell_of(made.id)
    assert (refund(made.key).state, inbox(who), open_tasks()) == ("approved", ["refund_approved"], [])


def test_above_the_citys_number_an_enterprises_refund_needs_two_as_well(evening: datetime, at: Move) -> None:
    _, _, of = stayed(evening, at)
    lay_down("refund_alone_fen", 99, evening, "test")
    assert asked(staff("finance_maker"), of).state == "requested"


def test_nobody_decides_on_what_they_asked_for_in_whatever_role(evening: datetime, at: Move) -> None:
    _, _, of = stayed(evening, at, kind="organ")
    maker = staff("finance_maker")
    both = Actor(maker.account_id, maker.name, (*maker.grants, *staff("finance_checker").grants))
    made = asked(both, of)
    for decide in (actions.approve, actions.reject):
        with pytest.raises(OwnRefund):
            decide(both, made.key, "同意")


def test_of_two_who_decide_at_once_one_does(app: Flask, evening: datetime, at: Move) -> None:
    who, _, of = stayed(evening, at, kind="organ")
    made, first, second = asked(staff("finance_maker"), of), staff("finance_checker"), staff("finance_checker")
    outcome = at_once(
        app, lambda: actions.approve(first, made.key, "同意"), lambda: actions.reject(second, made.key, "不同意")
    )
    assert outcome == ["WrongState", "done"]
    assert actions.tell_forgotten() == 1
    assert inbox(who) == [f"refund_{refund(made.key).state}"]
    assert actions.tell_forgotten() == 0


def test_strangers_to_a_place_and_other_roles_neither_ask_nor_see(evening: datetime, at: Move) -> None:
    _, stay, of = stayed(evening, at)
    elsewhere = staff("finance_maker", district_code="330108")
    with pytest.raises(NotFound):
        asked(elsewhere, of)
    with pytest.raises(NotFound):
        queries.payments(elsewhere, stay.key)
    with pytest.raises(NotPermitted):
        asked(staff("regulator"), of)
    made = asked(staff("finance_maker"), of)
    assert queries.refunds_within(elsewhere) == []
    assert [each.key for each in queries.refunds_within(staff("finance_maker"), state="approved")] == [made.key]


def test_while_a_stay_lasts_nothing_goes_back(evening: datetime, at: Move) -> None:
    lot, who = open_lot(), driver()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=10))
    owed = open_payment(who.id, stay.key)
    paid(owed)
    with pytest.raises(StayNotSettled):
        asked(staff("finance_maker"), charge(owed))


def test_what_is_not_of_a_stay_is_not_found(evening: datetime) -> None:
    with pytest.raises(NoSuchPayment):
        actions.ask(staff("finance_maker"), open_lot().key, 1, "overpaid", "多缴")


def test_when_all_that_was_too_much_goes_back_nothing_of_it_is_earned_and_nobody_is_asked_any_more(
    evening: datetime, at: Move
) -> None:
    lot, who = open_lot(), driver()
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=119))
    owed = open_payment(who.id, stay.key)
    paid(owed)
    from_now_on = Range(evening + timedelta(minutes=119), evening + timedelta(hours=4))
    free_now(staff("regulator"), Where.lots(lot.key), from_now_on, EVENT)
    drive(gate(lot, "out"), who.plate)
    of = charge(owed)
    assert (of.state, books(of), open_tasks()) == (
        "paid",
        {"wx_receivable": 600, "customer_prepaid": -600},
        ["stay_overpaid"],
    )
    asked(staff("finance_maker"), of, 100, "overpaid")
    assert charge(owed).state == "paid"
    asked(staff("finance_maker"), of, 500, "overpaid")
    assert books(of) == {"wx_receivable": 600, "refund_payable": -600}
    assert (charge(owed).state, open_tasks()) == ("fulfilled", [])


def test_commands_ask_decide_list_and_show(app: Flask, evening: datetime, at: Move) -> None:
    _, stay, _ = stayed(evening, at, kind="organ")
    maker, checker = staff("finance_maker"), staff("finance_checker")
    [payment] = told(app, maker, "refunds", "payments", stay.key)
    assert (payment["paid_fen"], payment["refundable_fen"], payment["surplus"]) == (300, 300, False)
    words = ("refunds", "ask", payment["key"], "--reason", "charged_wrongly", "--basis", "道闸离线")
    made = told(app, maker, *words, "--fen", 100)
    assert made["state"] == "requested"
    assert refused(app, maker, *words, "--fen", 201) == "refund_exceeds_payment"
    assert refused(app, maker, "refunds", "approve", made["key"], "--because", "同意") == "not_permitted"
    assert told(app, checker, "refunds", "approve", made["key"], "--because", "已核对")["state"] == "approved"
    assert refused(app, checker, "refunds", "reject", made["key"], "--because", "不同意") == "wrong_state"
    [row] = told(app, checker, "refunds", "list", "--state", "approved")
    assert (row["amount_fen"], row["reason_text"], row["basis"]) == (100, "计费有误", "道闸离线")
    assert refused(app, checker, "refunds", "stop", made["key"], "--because", "用户账户已注销") == "wrong_state"
    shown = told(app, checker, "refunds", "show", made["key"])
    assert [step["state"] for step in shown["steps"]] == ["requested", "approved"]
    assert shown["decided_because"] == "已核对"


def test_a_card_is_named_by_a_checker_in_a_file_and_only_for_what_wechat_could_not_give_back(
    app: Flask, evening: datetime, at: Move, tmp_path: Path
) -> None:
    _, _, of = stayed(evening, at)
    key, file = asked(staff("complaint_handler"), of).key, tmp_path / "card"
    words = ("refunds", "pay-to-card", key, "--bank-type", "ICBC_DEBIT", "--because", "原卡已注销", "--card-file", file)
    file.write_text("6222 0202 0011 2233 445\n示例持卡人\n")
    assert refused(app, staff("complaint_handler"), *words) == "not_permitted"
    assert refused(app, staff("finance_checker"), *words) == "wrong_state"
    file.write_text("6222\n")
    assert refused(app, staff("finance_checker"), *words) == "card_unfit"
