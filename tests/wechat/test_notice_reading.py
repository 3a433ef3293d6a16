"""A notice is believed only when everything about it is right."""

import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.wechat import Notice, NoticeRejected
from payments.wechat.notices import decrypt, read_notice
from tests.wechat import paper


def _read(headers: dict[str, str], body: bytes, now: datetime = paper.NOW) -> Notice:
    return read_notice(headers, body, paper.account(), now)


def _body(**changed: Any) -> bytes:
    return json.dumps(paper.envelope(paper.TRANSACTION) | changed).encode()


def _reason(headers: dict[str, str], body: bytes) -> str:
    with pytest.raises(NoticeRejected) as rejected:
        _read(headers, body)
    return rejected.value.reason


def test_a_true_notice_tells_who_paid_what_for_which_order() -> None:
    notice = _read(paper.signed(_body()), _body())
    transaction = notice.transaction()
    assert (notice.id, notice.event_type) == ("7f8fcdb2-573a-547a-901e-4c34f9761293", "TRANSACTION.SUCCESS")
    assert (notice.original_type, notice.serial) == ("transaction", paper.SERIAL)
    assert (transaction.out_trade_no, transaction.trade_state) == ("T20260301000001", "SUCCESS")
    assert (transaction.total_fen, transaction.payer_total_fen, transaction.currency) == (1250, 1200, "CNY")
    assert transaction.success_time == datetime.fromisoformat("2026-03-01T15:59:58+08:00")


def test_header_names_may_come_in_any_case() -> None:
    headers = {name.upper(): value for name, value in paper.signed(_body()).items()}
    assert _read(headers, _body()).transaction().total_fen == 1250


def test_a_platform_certificate_verifies_beside_the_public_key() -> None:
    headers = paper.signed(_body(), serial=paper.CERTIFICATE, by="certificate")
    assert _read(headers, _body()).serial == paper.CERTIFICATE


def test_a_missing_signature_type_means_rsa_and_another_type_is_rejected() -> None:
    headers = paper.signed(_body())
    del headers["Wechatpay-Signature-Type"]
    assert _read(headers, _body()).serial == paper.SERIAL
    headers["Wechatpay-Signature-Type"] = "WECHATPAY2-SM2-WITH-SM3"
    assert _reason(headers, _body()) == "unsupported_signature_type"


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Serial", "Signature"])
def test_each_header_must_be_there(name: str) -> None:
    headers = paper.signed(_body())
    del headers[f"Wechatpay-{name}"]
    assert _reason(headers, _body()) == "missing_header"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Timestamp", str(int(paper.NOW.timestamp()) + 1), "wrong_signature"),
        ("Timestamp", "tomorrow", "clock_skew"),
        ("Timestamp", "-5", "clock_skew"),
        ("Nonce", "5K8264ILTKCH16CQ2502SI8ZNMTM67VT", "wrong_signature"),
        ("Serial", paper.CERTIFICATE, "wrong_signature"),
        ("Serial", "PUB_KEY_ID_0000000000000000000000000000", "unknown_serial"),
        ("Serial", "not even hex", "unknown_serial"),
        ("Signature", "bm9uZQ==", "wrong_signature"),
        ("Signature", "不是签名", "wrong_signature"),
    ],
)
def test_each_header_is_covered(name: str, value: str, reason: str) -> None:
    assert _reason(paper.signed(_body()) | {f"Wechatpay-{name}": value}, _body()) == reason


def test_a_signature_probe_is_told_apart_and_rejected() -> None:
    headers = paper.signed(_body())
    headers["Wechatpay-Signature"] = "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"]
    assert _reason(headers, _body()) == "probe"


@pytest.mark.parametrize("seconds", [-300, 300, 301, -86400])
def test_a_notice_five_minutes_off_is_rejected_though_truly_signed(seconds: int) -> None:
    assert _reason(paper.signed(_body(), paper.NOW + timedelta(seconds=seconds)), _body()) == "clock_skew"


@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_notice_less_than_five_minutes_off_is_taken(seconds: int) -> None:
    assert _read(paper.signed(_body(), paper.NOW + timedelta(seconds=seconds)), _body()).serial == paper.SERIAL


@given(st.data())
def test_one_changed_bit_of_the_body_is_noticed(data: st.DataObject) -> None:
    body = bytearray(_body())
    at = data.draw(st.integers(0, len(body) * 8 - 1))
    body[at // 8] ^= 1 << at % 8
    assert _reason(paper.signed(_body()), bytes(body)) == "wrong_signature"


@pytest.mark.parametrize("field", ["ciphertext", "associated_data", "nonce"])
def test_a_resource_that_was_changed_before_signing_does_not_decrypt(field: str) -> None:
    resource = paper.envelope(paper.TRANSACTION)["resource"]
    other = paper.envelope({"trade_state": "SUCCESS"}, associated="refund")["resource"] | {"nonce": "another12345"}
    body = _body(resource=resource | {field: other[field]})
    assert _reason(paper.signed(body), body) == "undecryptable"


def test_a_nonce_of_impossible_length_does_not_decrypt() -> None:
    body = _body(resource=paper.envelope(paper.TRANSACTION)["resource"] | {"nonce": "x"})
    assert _reason(paper.signed(body), body) == "undecryptable"


def test_empty_and_absent_associated_data_are_the_same() -> None:
    envelope = paper.envelope(paper.TRANSACTION, associated="")
    del envelope["resource"]["associated_data"]
    body = json.dumps(envelope).encode()
    assert _read(paper.signed(body), body).transaction().total_fen == 1250


def test_the_former_apiv3_key_still_opens_notices_for_a_day() -> None:
    former = b"former key former key former key"
    body = json.dumps(paper.envelope(paper.TRANSACTION, apiv3_key=former)).encode()
    account = dataclasses.replace(paper.account(), apiv3_keys=(paper.APIV3_KEY, former))
    assert read_notice(paper.signed(body), body, account, paper.NOW).transaction().total_fen == 1250
    assert _reason(paper.signed(body), body) == "undecryptable"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": NaN}',
        _body(id=None),
        _body(id=5),
        _body(id="half a \ud800"),
        _body(id="no\0end"),
        _body(event_type=""),
        _body(create_time="2026-03-01T15:59:59"),
        _body(create_time="yesterday"),
        _body(resource="none"),
        _body(resource={}),
        _body(resource=paper.envelope({})["resource"] | {"ciphertext": "?"}),
    ],
)
def test_a_signed_envelope_that_is_not_as_documented_is_rejected(body: bytes) -> None:
    assert _reason(paper.signed(body), body) == "malformed"


def test_an_unsupported_cipher_is_rejected() -> None:
    body = _body(resource=paper.envelope({})["resource"] | {"algorithm": "AEAD_SM4_GCM"})
    assert _reason(paper.signed(body), body) == "unsupported_algorithm"


@pytest.mark.parametrize(
    "content",
    [
        b"not JSON",
        {},
        paper.TRANSACTION | {"amount": {"total": "1250"}},
        paper.TRANSACTION | {"amount": {"total": True}},
        paper.TRANSACTION | {"amount": {"total": 12.5}},
        paper.TRANSACTION | {"amount": {"total": -1}},
        paper.TRANSACTION | {"amount": []},
        paper.TRANSACTION | {"success_time": "2026-03-01 15:59:58"},
        paper.TRANSACTION | {"out_trade_no": None},
        paper.TRANSACTION | {"out_trade_no": "T2026\0"},
        paper.TRANSACTION | {"transaction_id": "4200\ud800"},
        paper.TRANSACTION | {"transaction_id": "4" * 5000},
        paper.TRANSACTION | {"amount": {"total": 2**53, "payer_total": 1, "currency": "CNY"}},
        paper.TRANSACTION | {"sub_mchid": 1900000109},
    ],
)
def test_a_transaction_that_is_not_as_documented_is_kept_but_not_read(content: object) -> None:
    body = json.dumps(paper.envelope(content)).encode()
    notice = _read(paper.signed(body), body)
    with pytest.raises(NoticeRejected, match="malformed"):
        notice.transaction()


def test_an_unknown_event_with_unknown_fields_is_brought_as_it_is() -> None:
    body = json.dumps(paper.envelope({"new": 1}) | {"event_type": "TRANSACTION.NEW", "extra": []}).encode()
    notice = _read(paper.signed(body), body)
    assert (notice.event_type, notice.plaintext) == ("TRANSACTION.NEW", b'{"new": 1}')


def test_a_new_trade_state_passes_through() -> None:
    body = json.dumps(paper.envelope(paper.TRANSACTION | {"trade_state": "THINKING"})).encode()
    assert _read(paper.signed(body), body).transaction().trade_state == "THINKING"


def test_a_published_cipher_vector_opens() -> None:
    """NIST's GCM test case 16: key, nonce, associated data, plaintext, and ciphertext followed by its tag."""
    secret = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plaintext = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    ciphertext = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
    )
    assert decrypt(ciphertext, nonce, associated, [secret]) == plaintext


def test_neither_keys_nor_persons_show_in_what_is_printed() -> None:
    notice = _read(paper.signed(_body()), _body())
    shown = repr(notice) + repr(paper.account())
    assert "oUpF8uMuAJOM2pxb1Q" not in shown
    assert paper.APIV3_KEY.decode() not in shown
