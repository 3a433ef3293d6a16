"""The three messages that are signed, and how (WeChat Pay v3: merchant/4012365336, 4012365339, 4013053420)."""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
SIGNATURE_HOLDS: Final = timedelta(minutes=5)
"""WeChat refuses a request whose signature names an earlier moment (WeChat Pay v3: merchant/4012365336)."""


def request_message(method: str, path_url: str, timestamp: int, nonce: str, body: bytes) -> bytes:
    """What a request's signature covers. `path_url` is percent-encoded, exactly as on the wire."""
    return _lines(method.encode(), path_url.encode(), str(timestamp).encode(), nonce.encode(), body)


def answer_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """What the signature of an answer or a notice covers; an empty body is an empty line."""
    return _lines(timestamp.encode(), nonce.encode(), body)


def payment_message(app_id: str, timestamp: int, nonce: str, package: str) -> bytes:
    """What `paySign` covers, for `wx.requestPayment`."""
    return _lines(app_id.encode(), str(timestamp).encode(), nonce.encode(), package.encode())


def sign(message: bytes, key: RSAPrivateKey) -> str:
    """RSA-SHA256 with PKCS#1 v1.5, Base64 in one line."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def is_signed(message: bytes, signature: str, key: RSAPublicKey) -> bool:
    """Whether `key`'s owner signed `message`; False for anything that is no signature at all."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Signer:
    """Signs with the merchant key under the serial of its certificate."""

    mchid: str
    serial: str
    key: RSAPrivateKey

    def authorization(self, method: str, path_url: str, timestamp: int, nonce: str, body: bytes) -> str:
        signature = sign(request_message(method, path_url, timestamp, nonce, body), self.key)
        return (
            f'{SCHEME} mchid="{self.mchid}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self.serial}"'
        )


def _lines(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)
