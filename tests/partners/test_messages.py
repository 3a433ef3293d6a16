"""Who may speak at the partners' door, and that nothing is said twice."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError

from app.domain.lots.models import Lot
from app.domain.partners import actions as partners
from app.domain.partners.actions.register import (
    OverlapTooLong,
    OwnerUnclear,
    PartnerHasTwoKeys,
    PartnerNameTaken,
    PartnerNotFound,
)
from app.domain.partners.models import Partner, PartnerKey, PartnerNonce, PartnerRefusal
from app.domain.staff.rules import NotPermitted
from app.domain.units.models import Unit
from app.kernel import clock, crypto
from app.kernel.db import transaction, violated
from app.kernel.spans import span
from tests.partners.stand import Hand, count, partner_of
from tests.world import staff

At = Callable[[datetime], None]
HOUR = timedelta(hours=1)


def rotated(hand: Hand, overlap: timedelta) -> Hand:
    made = partners.rotate_key(staff("administrator"), hand.partner.key, overlap)
    return Hand(hand.client, hand.partner, made.key_id, made.secret)


def status(hand: Hand) -> int:
    return hand.send("GET", "/clock").status_code


def test_who_signs_rightly_learns_the_time(hand: Hand, evening: datetime) -> None:
    told = datetime.fromisoformat(hand.ask("GET", "/clock")["server_time"])
    assert abs(told - evening) < timedelta(seconds=30)


@pytest.mark.parametrize(
    "change",
    [
        {"X-Signature": "0" * 64}, {"X-Signature": ""}, {"X-Signature": "é"}, {"X-Key-Id": "other"},
        {"X-Partner-Id": "00000000-0000-7000-8000-000000000000"}, {"X-Partner-Id": "x"},
        {"X-Content-SHA256": "0" * 64}, {"X-Nonce": "another-nonce-of-mine"}, {"X-Timestamp": "1781092900"},
    ],
)  # fmt: skip
def test_a_message_with_anything_wrong_is_refused_without_a_signature(hand: Hand, change: dict[str, str]) -> None:
    response = hand.send("GET", "/clock", **change)
    assert (response.status_code, response.get_json()["code"]) == (401, "bad_signature")
    assert "X-Signature" not in response.headers


@pytest.mark.parametrize("nonce", ["short", "n" * 65, "with blank in it..."])
def test_a_nonce_has_16_to_64_visible_characters(hand: Hand, nonce: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: nonce)
    assert hand.send("GET", "/clock").get_json()["code"] == "bad_signature"


def test_a_changed_body_or_query_breaks_the_signature(hand: Hand, lot: Lot) -> None:
    headers = hand.headers("POST", "/partner/v1/counts", b'{"counts":[]}')
    assert hand.repeat("POST", "/counts", b'{"counts":[1]}', headers).status_code == 401
    assert hand.repeat("GET", "/lots?after=x", b"", hand.headers("GET", "/partner/v1/lots", b"")).status_code == 401


def test_a_message_is_good_once(hand: Hand) -> None:
    headers = hand.headers("GET", "/partner/v1/clock", b"")
    assert hand.repeat("GET", "/clock", b"", headers).status_code == 200
    replayed = hand.repeat("GET", "/clock", b"", headers)
    assert (replayed.status_code, replayed.get_json()["code"]) == (401, "replayed")


def test_two_partners_may_use_the_same_nonce(hand: Hand, lot: Lot, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Hand(hand.client, partner_of(lot.unit_id))
    monkeypatch.setattr(secrets, "token_hex", lambda _: "the-same-nonce-for-both")
    assert (status(hand), status(other), status(hand)) == (200, 200, 401)


@pytest.mark.parametrize("skew", [-400, 400])
def test_a_wrong_clock_is_told_the_time_and_may_sign_anew(hand: Hand, skew: float) -> None:
    hand.skew = skew
    told = hand.ask("GET", "/clock", expect=401)
    assert told["code"] == "clock_skew"
    assert abs(told["details"]["server_time"] - clock.now().timestamp()) < 30


def test_a_nonce_is_kept_as_long_as_its_message_could_come_again(hand: Hand, evening: datetime, at: At) -> None:
    hand.ask("GET", "/clock")
    at(evening + timedelta(minutes=9))
    assert partners.forget_old_nonces() == 0
    at(evening + timedelta(minutes=11))
    assert partners.forget_old_nonces() == 1
    with transaction() as session:
        assert session.query(PartnerNonce).count() == 0


def test_both_keys_work_until_the_old_one_ends(hand: Hand, evening: datetime, at: At) -> None:
    new = rotated(hand, HOUR)
    assert (status(hand), status(new)) == (200, 200)
    at(clock.now() + HOUR + timedelta(seconds=5))
    assert (status(hand), status(new)) == (401, 200)


def test_a_key_that_leaked_ends_at_once(hand: Hand) -> None:
    new = rotated(hand, timedelta())
    assert (status(hand), status(new)) == (401, 200)


def test_a_third_key_waits_unless_both_others_end(hand: Hand) -> None:
    second = rotated(hand, HOUR)
    with pytest.raises(PartnerHasTwoKeys):
        rotated(hand, HOUR)
    third = rotated(hand, timedelta())
    assert (status(hand), status(second), status(third)) == (401, 401, 200)


def test_the_table_holds_two_valid_keys_at_most(hand: Hand) -> None:
    rotated(hand, HOUR)
    row = PartnerKey(partner_id=hand.partner.id, key_id="third", slot=1, secret_enc=b"x", valid=span(clock.now(), None))
    with pytest.raises(IntegrityError) as refusal, transaction() as session:
        session.add(row)
    assert violated(refusal.value) == "two_keys_of_a_partner_are_valid_at_most"


def test_a_secret_rests_sealed_and_under_its_own_partner_alone(hand: Hand, lot: Lot) -> None:
    other = partner_of(lot.unit_id)
    with transaction() as session:
        row = session.query(PartnerKey).filter_by(partner_id=hand.partner.id).one()
    assert hand.secret not in row.secret_enc
    assert hand.secret.hex().encode() not in row.secret_enc
    with pytest.raises(crypto.CannotUnseal):
        crypto.unseal(row.secret_enc, f"partner_key.secret_enc:{other.id}:{row.key_id}")


def test_a_revoked_partner_is_nobody_and_stays_so(hand: Hand, lot: Lot) -> None:
    by = staff("administrator")
    partners.revoke(by, hand.partner.key, "示例")
    assert hand.send("POST", "/counts", {"counts": [count(lot)]}).get_json()["code"] == "bad_signature"
    with pytest.raises(PartnerNotFound):
        partners.rotate_key(by, hand.partner.key, HOUR)
    with pytest.raises(IntegrityError) as refusal, transaction() as session:
        session.get_one(Partner, hand.partner.id).revoked_because = "其实没有"
    assert violated(refusal.value) == "partner_is_append_only"


def test_a_partner_speaks_for_one_unit_or_one_operator(lot: Lot) -> None:
    by = staff("administrator")
    with transaction() as session:
        unit = session.get_one(Unit, lot.unit_id).key
    partners.register(by, "示例系统", unit=unit)
    with pytest.raises(PartnerNameTaken):
        partners.register(by, "示例系统", unit=unit)
    with pytest.raises(OwnerUnclear):
        partners.register(by, "另一示例系统")
    with pytest.raises(OwnerUnclear):
        partners.register(by, "另一示例系统", unit=lot.key)
    with pytest.raises(OverlapTooLong):
        partners.rotate_key(by, lot.key, timedelta(days=31))


@pytest.mark.parametrize("role", ["unit", "regulator", "finance_maker"])
def test_only_administrators_hand_out_keys(lot: Lot, role: str) -> None:
    by = staff(role, unit_id=lot.unit_id) if role == "unit" else staff(role)
    with pytest.raises(NotPermitted):
        partners.register(by, "示例系统")


@pytest.mark.parametrize(
    ("body", "status_", "code"),
    [
        (b"{", 400, "invalid_json"), (b"[]", 400, "not_an_object"), (b"{}", 422, "invalid"),
        (b'{"counts":[],"more":1}', 422, "invalid"), (b'{"counts":"\\u0000"}', 422, "forbidden_character"),
    ],
)  # fmt: skip
def test_a_whole_message_that_makes_no_sense_is_refused_and_written_down(
    hand: Hand, body: bytes, status_: int, code: str
) -> None:
    response = hand.repeat("POST", "/counts", body, hand.headers("POST", "/partner/v1/counts", body))
    assert (response.status_code, response.get_json()["code"]) == (status_, code)
    with transaction() as session:
        assert [(row.kind, row.code) for row in session.query(PartnerRefusal)] == [("request", code)]


def test_a_partner_that_asks_too_often_is_slowed_down(app: Flask, client: FlaskClient, hand: Hand) -> None:
    answers = [hand.send("GET", "/clock").status_code for _ in range(101)]
    assert answers == [200] * 100 + [429]
