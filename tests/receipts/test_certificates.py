"""Under which certificate a lot's property is held, or that there is none, is what two persons of finance said last."""

from typing import Any, LiteralString

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, InsufficientPrivilege, IntegrityConstraintViolation, UniqueViolation

from app.domain.lots.models import Lot
from app.domain.lots.queries import payee_at
from app.domain.receipts.actions import accept_certificate, record_certificate, reject_certificate
from app.domain.receipts.actions.certificates import (
    CertificateDecided,
    CertificateUnfit,
    OwnCertificate,
)
from app.domain.receipts.queries import certificate_number
from app.domain.staff.rules import Actor
from app.kernel import clock
from app.kernel.refusals import NotFound
from payments.payees.queries import payee_by_id
from tests.commands import refused, told
from tests.ground import Addresses
from tests.races import at_once
from tests.world import open_lot, staff


@pytest.fixture
def lot(app: Flask) -> Lot:
    return open_lot()


@pytest.fixture
def maker(app: Flask) -> Actor:
    return staff("finance_maker")


@pytest.fixture
def checker(app: Flask) -> Actor:
    return staff("finance_checker")


def test_a_certificate_counts_when_another_person_has_accepted_it_and_not_before(
    lot: Lot, maker: Actor, checker: Actor
) -> None:
    recorded = record_certificate(maker, lot.key, " 杭房权证字第1号 ", "证书复印件")
    assert certificate_number(lot.id) is None
    accept_certificate(checker, recorded.key, "已核对原件")
    assert certificate_number(lot.id) == "杭房权证字第1号"
    with pytest.raises(CertificateDecided):
        reject_certificate(checker, recorded.key, "x")


def test_who_recorded_a_certificate_does_not_decide_on_it(lot: Lot, maker: Actor, checker: Actor) -> None:
    recorded = record_certificate(maker, lot.key, "无", "无证说明")
    with pytest.raises(OwnCertificate):
        accept_certificate(Actor(maker.account_id, maker.name, checker.grants), recorded.key, "x")


def test_a_new_certificate_counts_instead_of_the_old_one_and_a_rejected_one_never(
    lot: Lot, maker: Actor, checker: Actor
) -> None:
    for number in ("无", "浙（2026）杭州市不动产权第0000001号"):
        accept_certificate(checker, record_certificate(maker, lot.key, number, "证书复印件").key, "已核")
    reject_certificate(checker, record_certificate(maker, lot.key, "错号", "证书复印件").key, "与原件不符")
    assert certificate_number(lot.id) == "浙（2026）杭州市不动产权第0000001号"


def test_nobodys_silence_means_that_there_is_no_certificate(lot: Lot, maker: Actor) -> None:
    for number, because in ((" ", "无证说明"), ("无", " ")):
        with pytest.raises(CertificateUnfit):
            record_certificate(maker, lot.key, number, because)
    assert certificate_number(lot.id) is None


def test_of_two_who_record_at_once_one_waits(app: Flask, lot: Lot, maker: Actor) -> None:
    def record() -> None:
        record_certificate(maker, lot.key, "无", "无证说明")

    assert at_once(app, record, record) == ["CertificateWaits", "done"]


def test_a_lot_of_another_district_is_not_there(lot: Lot, maker: Actor, app: Flask) -> None:
    recorded = record_certificate(maker, lot.key, "无", "无证说明")
    with pytest.raises(NotFound):
        record_certificate(staff("finance_maker", district_code="330108"), lot.key, "无", "无证说明")
    with pytest.raises(NotFound):
        accept_certificate(staff("finance_checker", district_code="330108"), recorded.key, "已核")


def test_two_persons_say_at_their_terminals_what_a_lots_certificate_is(
    app: Flask, lot: Lot, maker: Actor, checker: Actor
) -> None:
    recorded = ("receipts", "record-certificate", str(lot.key), "--number", "无", "--because", "权属说明")
    assert refused(app, checker, *recorded) == "not_permitted"
    first = told(app, maker, *recorded)["key"]
    told(app, checker, "receipts", "reject-certificate", first, "--because", "请补依据")
    second = told(app, maker, *recorded)["key"]
    assert refused(app, maker, "receipts", "accept-certificate", second, "--because", "已核") == "not_permitted"
    assert told(app, checker, "receipts", "accept-certificate", second, "--because", "已核")["number"] == "无"
    listed = told(app, staff("regulator"), "receipts", "certificates", str(lot.key))
    assert [(each["key"], each["state"]) for each in listed] == [(second, "accepted"), (first, "rejected")]


def test_a_payees_lots_of_whose_certificate_nothing_was_accepted_are_listed(
    app: Flask, lot: Lot, maker: Actor, checker: Actor
) -> None:
    receives = payee_by_id(payee_at(lot.id, clock.now()))

    def is_listed() -> bool:
        found = told(app, checker, "receipts", "uncertified", receives.key)
        return str(lot.key) in [each["key"] for each in found]

    assert is_listed()
    recorded = record_certificate(maker, lot.key, "无", "无证说明")
    assert is_listed()
    accept_certificate(checker, recorded.key, "已核")
    assert not is_listed()


RECORDED: LiteralString = """INSERT INTO lot_certificate (key, lot_id, number, because, made_by, made_at, state)
    VALUES (gen_random_uuid(), %(lot)s, %(number)s, '说明', 'staff:1', now(), 'waiting')"""
ACCEPTED: LiteralString = """UPDATE lot_certificate
    SET state = 'accepted', decided_by = 'staff:1', decided_at = now(), decided_because = 'x' WHERE lot_id = %(lot)s"""


@pytest.mark.parametrize(
    ("deed", "number", "refusal"),
    [
        (RECORDED, " ", CheckViolation),
        (RECORDED, "无", UniqueViolation),
        (ACCEPTED, "", CheckViolation),
        ("UPDATE lot_certificate SET number = '1' WHERE lot_id = %(lot)s", "", InsufficientPrivilege),
    ],
)
def test_hand_written_sql_records_no_certificate_without_number_twice_or_alone(
    lot: Lot, servers: Addresses, deed: LiteralString, number: str, refusal: type[psycopg.Error]
) -> None:
    with psycopg.connect(servers.app.replace("+psycopg", "", 1)) as connection:
        connection.execute(RECORDED, {"lot": lot.id, "number": "无"})
        with pytest.raises(refusal):
            connection.execute(deed, {"lot": lot.id, "number": number})
        connection.rollback()


@pytest.mark.parametrize("deed", ["UPDATE lot_certificate SET state = 'rejected'", "DELETE FROM lot_certificate"])
def test_what_was_decided_of_a_certificate_nobody_changes(
    lot: Lot, maker: Actor, checker: Actor, admin: psycopg.Connection[Any], deed: LiteralString
) -> None:
    accept_certificate(checker, record_certificate(maker, lot.key, "无", "无证说明").key, "已核")
    with pytest.raises(IntegrityConstraintViolation), admin.transaction():
        admin.execute(deed + " WHERE lot_id = %s", [lot.id])
