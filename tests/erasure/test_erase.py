"""An erased account tells nobody whose it was; what is under way keeps it, and a suspension is not escaped."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from psycopg.errors import CheckViolation, IntegrityConstraintViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.adapters.identity import Identity
from app.domain.conduct.actions import appeal, forget_carried, sign_in
from app.domain.conduct.models import CarriedMeasure
from app.domain.conduct.rules import ReservationsSuspended
from app.domain.erasure.actions import erase
from app.domain.erasure.queries import (
    AccountHasAppeal,
    AccountHasCarInside,
    AccountHasReceipt,
    AccountHasRefund,
    AccountHasReservation,
    AccountOwes,
)
from app.domain.lots.models import Lot
from app.domain.messages.models import MessageConsent
from app.domain.motorists.actions import add_vehicle, refresh
from app.domain.motorists.actions.erase import ERASED
from app.domain.motorists.actions.sessions import SignedOut
from app.domain.motorists.models import Motorist, NumberPlate, Vehicle
from app.domain.motorists.queries import AccountErased, plate_characters, vehicles_of
from app.domain.receipts.models import ReceiptMail
from app.domain.receipts.rules import MAIL
from app.domain.reservations.actions import reserve
from app.domain.stays.models import Stay
from app.domain.stays.queries.rebuild import rebuilt
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction, violated
from app.kernel.refusals import Refusal
from app.kernel.spans import bounds
from payments.charges.models import Charge
from tests.conduct.scene import measures, missed_often, noted
from tests.erasure.scene import Person
from tests.finance.scene import promised
from tests.races import at_once
from tests.world import (
    Driver,
    drive,
    driver,
    gate,
    parked_stay,
    reservation_ready_to_cancel,
    some_plate,
    staff,
)

At = Callable[[datetime], None]
APP = "wx0000000000000000"
WORDS = "当晚道闸离线"
FORGET_PLATES: LiteralString = """
UPDATE plate SET erased_at = now(), value_enc = '', bidx = substr(sha256(bidx), 1, 16),
                 characters_bidx = substr(sha256(characters_bidx), 1, 16)
"""


def every_row(admin: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    names = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    query = sql.SQL("SELECT t::text FROM {} t")
    return [(name, row) for (name,) in names for (row,) in admin.execute(query.format(sql.Identifier(name))).fetchall()]


def test_nothing_in_any_table_tells_who_it_was(person: Person, admin: psycopg.Connection[Any]) -> None:
    found = {table for table, row in every_row(admin) for digest in person.digests() if digest in row}
    assert found == {"motorist", "plate"}
    erase(person.id)
    for table, row in every_row(admin):
        for told in (*person.words(), *person.digests()):
            assert told not in row, table
    with transaction() as session:
        gone = session.get_one(Motorist, person.id)
        assert (gone.openid_enc, gone.phone_enc, gone.erased_at is None) == (None, None, False)
        mail = session.scalars(select(ReceiptMail).filter_by(motorist_id=person.id)).one()
        assert (mail.state, mail.address) == ("given_up", None)
        [deed] = session.scalars(select(AuditEntry).filter_by(action="motorists.erase")).all()
        assert (deed.actor, deed.subject_id) == (f"motorist:{person.id}", person.id)


def test_what_the_law_keeps_stays_and_still_agrees(person: Person, lot: Lot) -> None:
    erase(person.id)
    with transaction() as session:
        kept = session.get_one(Stay, person.stay.id)
        paid = session.get_one(Charge, person.payment.charge_id)
        assert (kept.state, kept.motorist_id, paid.motorist_id, paid.amount_fen) == (
            "settled", person.id, person.id, person.payment.paid_fen,
        )  # fmt: skip
        assert kept.plate_id is not None
        assert plate_characters(session.get_one(NumberPlate, kept.plate_id)) == ERASED
    [whole] = list(rebuilt(staff("regulator"), lot.id))
    assert (whole.lived, whole.rebuilt, whole.different) == (1, 1, ())


def test_every_sign_in_ends_and_the_next_one_begins_anew(person: Person) -> None:
    grant = sign_in(APP, Identity(person.openid, None))
    erase(person.id)
    with pytest.raises(SignedOut):
        refresh(grant.refresh_token)
    with pytest.raises(AccountErased):
        erase(person.id)
    again = sign_in(APP, Identity(person.openid, None))
    assert again.motorist_key != grant.motorist_key
    with transaction() as session:
        anew = session.scalars(select(Motorist).filter_by(key=again.motorist_key)).one()
        assert (anew.id != person.id, vehicles_of(anew.id)) == (True, [])


def test_nothing_is_shown_by_wechat_any_more(person: Person) -> None:
    with transaction() as session:
        session.add(MessageConsent(motorist_id=person.id, template_id="T", given_at=clock.now()))
    erase(person.id)
    with transaction() as session:
        assert session.scalars(select(MessageConsent.ended_as).filter_by(motorist_id=person.id)).all() == ["void"]


def test_a_plate_that_another_account_has_stays_theirs(person: Person) -> None:
    other = driver(person.who.plate)
    erase(person.id)
    assert [each.plate for each in vehicles_of(other.id)] == [person.who.plate.characters]
    with transaction() as session:
        [mine] = session.scalars(select(Vehicle).filter_by(motorist_id=person.id)).all()
        assert plate_characters(session.get_one(NumberPlate, mine.plate_id)) == ERASED
    erase(other.id)
    with transaction() as session:
        kept = session.get_one(Stay, person.stay.id)
        assert plate_characters(session.get_one(NumberPlate, kept.plate_id or 0)) == ERASED


def test_a_car_whose_plate_was_erased_comes_and_goes_as_any_other(person: Person, lot: Lot) -> None:
    erase(person.id)
    drive(gate(lot), person.who.plate)
    with transaction() as session:
        newest = session.scalars(select(Stay).order_by(Stay.id.desc()).limit(1)).one()
        assert (newest.state, newest.plate_id != person.stay.plate_id) == ("parked", True)


def reserves(person: Person, lot: Lot, _: pytest.MonkeyPatch) -> None:
    reservation_ready_to_cancel(person.who, lot)


def parks(person: Person, lot: Lot, _: pytest.MonkeyPatch) -> None:
    parked_stay(person.who, gate(lot))


def asks_money_back(person: Person, lot: Lot, _: pytest.MonkeyPatch) -> None:
    promised(person.payment, 100, alone_up_to_fen=0)


def appeals(person: Person, lot: Lot, _: pytest.MonkeyPatch) -> None:
    appeal(person.id, missed_often(person.who, lot).key, WORDS)


@pytest.mark.parametrize(
    ("under_way", "refusal", "code"),
    [
        (reserves, AccountHasReservation, "account_has_reservation"),
        (parks, AccountHasCarInside, "account_has_car_inside"),
        (asks_money_back, AccountHasRefund, "account_has_refund"),
        (appeals, AccountHasAppeal, "account_has_appeal"),
    ],
)
def test_what_is_under_way_keeps_the_account(
    person: Person, lot: Lot, monkeypatch: pytest.MonkeyPatch, admin: psycopg.Connection[Any],
    under_way: Callable[[Person, Lot, pytest.MonkeyPatch], None], refusal: type[Refusal], code: str,
) -> None:  # fmt: skip
    under_way(person, lot, monkeypatch)
    with pytest.raises(refusal) as told:
        erase(person.id)
    assert (told.value.code, "注销" in told.value.message) == (code, True)
    assert person.digests()[0] in " ".join(row for table, row in every_row(admin) if table == "motorist")


def test_who_owes_keeps_the_account(person: Person, lot: Lot, evening: datetime, at: At) -> None:
    parked_stay(person.who, gate(lot))
    at(evening + timedelta(hours=3))
    drive(gate(lot, "out"), person.who.plate)
    with pytest.raises(AccountOwes):
        erase(person.id)


def test_an_invoice_or_a_mail_on_its_way_keeps_the_account(person: Person) -> None:
    with transaction() as session:
        mail = session.scalars(select(ReceiptMail).filter_by(motorist_id=person.id)).one()
        MAIL.move(mail, "send", "test", attempts=1)
    with pytest.raises(AccountHasReceipt):
        erase(person.id)


def test_a_suspension_is_met_again_until_it_ends(
    person: Person, lot: Lot, evening: datetime, at: At, admin: psycopg.Connection[Any]
) -> None:
    held = missed_often(person.who, lot)
    began_at, ends_at = bounds(held.valid)
    erase(person.id)
    assert all(person.digests()[0] not in row for _, row in every_row(admin))
    anew = returned(person)
    [again] = measures(anew)
    assert (again.kind, bounds(again.valid)) == (held.kind, (began_at, ends_at))
    with pytest.raises(ReservationsSuspended):
        reservation_ready_to_cancel(anew, lot)
    erase(anew.id)
    assert [each.kind for each in carried()] == [held.kind]
    at(ends_at)
    assert (forget_carried(), carried(), measures(returned(person))) == (1, [], [])


def test_incidents_that_nobody_looked_at_are_looked_at_first(person: Person, lot: Lot) -> None:
    noted(person.who, lot, 1, 2, 3)
    erase(person.id)
    assert [each.kind for each in measures(returned(person))] == ["cooling_off"]


def returned(person: Person) -> Driver:
    """The same person on a new account, with another car."""
    grant, plate = sign_in(APP, Identity(person.openid, None)), some_plate()
    with transaction() as session:
        motorist_id = session.scalars(select(Motorist.id).filter_by(key=grant.motorist_key)).one()
    vehicle = add_vehicle(motorist_id, plate.characters, plate.colour)
    return Driver(motorist_id, grant.motorist_key, vehicle.key, plate)


def carried() -> list[CarriedMeasure]:
    with transaction() as session:
        return list(session.scalars(select(CarriedMeasure)))


def test_who_reserves_while_the_account_is_erased_does_one_of_both(app: Flask, person: Person, lot: Lot) -> None:
    begins_at = clock.now() + timedelta(hours=1)

    def reserving() -> None:
        reserve(person.id, person.who.vehicle_key, lot.key, begins_at, begins_at + timedelta(hours=1))

    told = at_once(app, reserving, lambda: erase(person.id))
    with transaction() as session:
        is_gone = session.get_one(Motorist, person.id).erased_at is not None
    assert told in ([["AccountHasReservation", "done"]] if not is_gone else [["VehicleNotFound", "done"]])


def test_two_phones_erase_an_account_once(app: Flask, person: Person) -> None:
    assert at_once(app, *[lambda: erase(person.id)] * 3) == ["AccountErased", "AccountErased", "done"]


def test_who_adds_the_plate_while_its_account_is_erased_has_it(app: Flask, person: Person) -> None:
    other, plate = driver(), person.who.plate
    told = at_once(app, lambda: erase(person.id), lambda: add_vehicle(other.id, plate.characters, plate.colour))
    assert told == ["done", "done"]
    assert plate.characters in [each.plate for each in vehicles_of(other.id)]


def test_no_vehicle_is_added_with_a_plate_that_was_erased(person: Person, admin: psycopg.Connection[Any]) -> None:
    other = driver()
    erase(person.id)
    with pytest.raises(IntegrityConstraintViolation) as refusal, admin.transaction():
        admin.execute(
            "INSERT INTO vehicle (key, motorist_id, plate_id, added_at) "
            "SELECT gen_random_uuid(), %s, id, now() FROM plate WHERE erased_at IS NOT NULL",
            [other.id],
        )
    assert refusal.value.diag.constraint_name == "a_vehicle_has_a_known_plate"


def test_who_signs_in_while_the_account_is_erased_is_signed_in(app: Flask, person: Person) -> None:
    def signing_in() -> None:
        sign_in(APP, Identity(person.openid, None))

    assert at_once(app, lambda: erase(person.id), signing_in, signing_in) == ["done"] * 3


def test_a_plate_that_passed_a_gate_unread_is_kept(person: Person, admin: psycopg.Connection[Any]) -> None:
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("DELETE FROM passage_outcome WHERE stay_id = %s", [person.stay.id])
    erase(person.id)
    with transaction() as session:
        kept = session.get_one(NumberPlate, person.stay.plate_id or 0)
        assert (kept.erased_at, plate_characters(kept)) == (None, person.who.plate.characters)


def test_the_database_lets_an_erased_motorist_do_nothing(person: Person) -> None:
    erase(person.id)
    plate = some_plate()
    with pytest.raises(IntegrityError) as refusal:
        add_vehicle(person.id, plate.characters, plate.colour)
    assert violated(refusal.value) == "an_erased_motorist_does_nothing"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE motorist SET erased_at = NULL, openid_bidx = sha256('')", "a_motorist_is_erased_once"),
        ("UPDATE motorist SET phone_enc = '', phone_bidx = sha256('')", "a_motorist_is_erased_once"),
        ("UPDATE plate SET kind = kind", "plate_is_append_only"),
        ("UPDATE plate SET erased_at = NULL", "plate_is_append_only"),
        ("DELETE FROM plate", "plate_is_append_only"),
        ("UPDATE invoice_title SET name = 'x'", "a_title_is_only_emptied"),
    ],
)  # fmt: skip
def test_what_was_erased_stays_so(
    person: Person, admin: psycopg.Connection[Any], change: LiteralString, constraint: str
) -> None:
    erase(person.id)
    with pytest.raises(IntegrityConstraintViolation) as refusal, admin.transaction():
        admin.execute(change)
    assert refusal.value.diag.constraint_name == constraint


@pytest.mark.parametrize(
    ("change", "refusal", "constraint"),
    [
        ("UPDATE motorist SET erased_at = now()", CheckViolation, "whoever_is_erased_has_no_openid"),
        ("UPDATE motorist SET erased_at = now(), openid_bidx = NULL, openid_enc = NULL", CheckViolation,
         "whoever_is_erased_has_no_phone"),
        ("UPDATE motorist SET openid_bidx = substr(sha256(openid_bidx), 1, 16)", IntegrityConstraintViolation,
         "a_motorist_is_erased_once"),
        (FORGET_PLATES, IntegrityConstraintViolation, "a_plate_in_use_is_kept"),
        ("UPDATE vehicle SET plate_id = (SELECT max(id) FROM plate WHERE id <> plate_id)",
         IntegrityConstraintViolation, "a_vehicle_keeps_its_plate"),
    ],
)  # fmt: skip
def test_who_is_not_erased_stays_who_they_are(
    person: Person, admin: psycopg.Connection[Any], change: LiteralString, refusal: type[psycopg.Error], constraint: str
) -> None:
    driver()
    with pytest.raises(refusal) as told, admin.transaction():
        admin.execute(change)
    assert told.value.diag.constraint_name == constraint
