"""What is signed, byte for byte."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from payments.wechat.signing import Signer, answer_message, is_signed, payment_message, request_message, sign
from tests.wechat import paper

TIMESTAMP = 1554208460
NONCE = "593BEC0C930BF1AFEB40B4A08C8FB242"


def _fingerprint(message: bytes) -> tuple[int, str]:
    return len(message), hashlib.sha256(message).hexdigest()


def test_a_chinese_plate_is_signed_percent_encoded_and_an_empty_body_is_an_empty_line() -> None:
    path = (
        "/v3/vehicle/parking/services/find?appid=wxcbda96de0b165486&openid=oUpF8uMuAJOM2pxb1Q"
        "&plate_color=BLUE&plate_number=%E6%B5%99A12345&sub_mchid=1900000109"
    )
    expected = (201, "4529ac09a51e8e8f2a7612d18ebc9af16d5ed97a118dcaab4a217105e15cbbea")
    assert _fingerprint(request_message("GET", path, TIMESTAMP, NONCE, b"")) == expected


def test_an_empty_answer_is_verified_as_three_lines() -> None:
    expected = (45, "daf021c5077b13414fc597564d935f2c6e5b1bf9c61e0dc2df4cd62a9aeb909e")
    assert _fingerprint(answer_message(str(TIMESTAMP), NONCE, b"")) == expected


def test_pay_sign_covers_app_time_nonce_and_prepay_id() -> None:
    message = payment_message("wx2421b1c4370ec43b", TIMESTAMP, NONCE, "prepay_id=wx201410272009395522657a690389285100")
    assert _fingerprint(message) == (110, "bf5c0eab11b7710ea376aaa5038ad079fb8175af60d6cbf676fa3bcc4d218bcb")


@given(st.binary())
def test_what_is_signed_verifies(message: bytes) -> None:
    assert is_signed(message, sign(message, paper.key("merchant")), paper.key("merchant").public_key())


@given(st.binary(min_size=1), st.data())
def test_one_changed_bit_of_the_message_no_longer_verifies(message: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(message) * 8 - 1))
    changed = bytearray(message)
    changed[at // 8] ^= 1 << at % 8
    assert not is_signed(bytes(changed), sign(message, paper.key("merchant")), paper.key("merchant").public_key())


@given(st.text())
def test_no_text_at_all_breaks_verification(signature: str) -> None:
    assert not is_signed(b"message", signature, paper.key("merchant").public_key())


def test_another_key_did_not_sign_it() -> None:
    signature = sign(b"message", paper.key("merchant"))
    assert not is_signed(b"message", signature, paper.key("platform").public_key())


def test_the_authorization_names_merchant_serial_time_and_nonce() -> None:
    signer = Signer("1900007291", "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", paper.key("merchant"))
    authorization = signer.authorization("POST", "/v3/pay", TIMESTAMP, NONCE, b"{}")
    scheme, _, pairs = authorization.partition(" ")
    named = dict(pair.split("=", 1) for pair in pairs.split(","))
    message = request_message("POST", "/v3/pay", TIMESTAMP, NONCE, b"{}")
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    assert is_signed(message, named.pop("signature").strip('"'), paper.key("merchant").public_key())
    assert named == {
        "mchid": '"1900007291"',
        "nonce_str": f'"{NONCE}"',
        "timestamp": f'"{TIMESTAMP}"',
        "serial_no": '"408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"',
    }
