"""Leave first, pay later: on an approved basis of the lot, for cars for which an account answers."""

from datetime import datetime
from pathlib import Path

from flask import Flask

from app.domain.arrears.actions import end_deferral, record_deferral
from app.domain.arrears.queries import lets_pay_later, own_arrears
from app.domain.lots.models import Lot
from app.domain.stays.actions import open_payment
from app.kernel import clock
from app.kernel.spans import span
from tests.arrears.scene import DAY, HOUR, At, deferral
from tests.commands import refused, run, told
from tests.world import Driver, ask, drive, gate, open_lot, paid, paper, parked_stay, staff


def test_an_approved_basis_opens_the_exit_and_the_stay_stays_owed(
    who: Driver, lot: Lot, evening: datetime, at: At
) -> None:
    deferral(lot)
    stay = parked_stay(who, gate(lot))
    at(evening + HOUR / 2)
    said = ask(gate(lot, "out"), who.plate)
    assert (said.decision, said.reason, said.charge) == ("open", "pay_later", None)
    drive(gate(lot, "out"), who.plate)
    assert [each.amount_fen for each in own_arrears(who.id)] == [300]
    paid(open_payment(who.id, stay.key))
    assert not own_arrears(who.id)


def test_without_a_basis_that_holds_now_the_car_pays_first(who: Driver, lot: Lot, evening: datetime, at: At) -> None:
    during = span(clock.now(), clock.now() + DAY)
    record_deferral(staff("finance_maker"), lot.key, "示例", "示例", during, paper())
    ended = deferral(lot, days=2)
    end_deferral(staff("regulator"), ended.key)
    deferral(lot, days=1 / 48)
    deferral(open_lot())
    parked_stay(who, gate(lot))
    at(evening + HOUR)
    assert ask(gate(lot, "out"), who.plate).reason == "unpaid"


def test_a_car_for_which_no_account_answers_pays_first(who: Driver, lot: Lot, evening: datetime, at: At) -> None:
    deferral(lot)
    drive(gate(lot), who.plate)
    at(evening + HOUR)
    assert ask(gate(lot, "out"), who.plate).reason == "unpaid"


def test_a_basis_is_recorded_by_one_and_approved_by_another(app: Flask, tmp_path: Path, evening: datetime) -> None:
    lot, until = open_lot(kind="organ"), f"{evening + 30 * DAY:%Y-%m-%d} 00:00"
    maker, checker = staff("finance_maker"), staff("finance_checker")
    file = tmp_path / "approval.pdf"
    file.write_bytes(paper().content)
    words = ("arrears", "record-deferral", lot.key, "示例批复〔2026〕2号", "--reason", "示例", "--file", file)
    key = told(app, maker, *words, "--until", until)["key"]
    assert not lets_pay_later(lot.id, clock.now())
    assert refused(app, maker, "arrears", "approve-deferral", key) == "not_permitted"
    told(app, checker, "arrears", "approve-deferral", key)
    assert lets_pay_later(lot.id, clock.now())
    again = told(app, maker, *words, "--until", until)["key"]
    assert refused(app, checker, "arrears", "approve-deferral", again) == "pay_later_overlaps"
    assert refused(app, checker, "arrears", "approve-deferral", key) == "pay_later_decided"
    assert refused(app, maker, *words, "--until", "2026-01-01 00:00") == "pay_later_unreadable"
    told(app, checker, "arrears", "end-deferral", key)
    assert not lets_pay_later(lot.id, clock.now())
    assert refused(app, checker, "arrears", "end-deferral", key) == "pay_later_decided"
    seen = told(app, checker, "arrears", "deferrals", "--lot", lot.key)
    assert [(each["key"] == key, each["ended_at"] is not None) for each in seen] == [(False, False), (True, True)]
    assert run(app, checker, "arrears", "deferrals").exit_code == 0
