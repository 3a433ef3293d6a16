"""WeChat's daily bills (对账单): where the file lies, and how a part of it is opened."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA1

from payments.wechat.reading import Fields, Malformed, read_object

TAG_BYTES: Final = 16
KEY_BYTES: Final = 32
CHUNK_BYTES: Final = 256 * 1024
LONGEST_URL: Final = 2_048
LONGEST_KEY: Final = 1_024
"""What RSA of 4,096 bits wraps, in Base64, is shorter."""


class Unopenable(Exception):
    """A part was not encrypted for us, or is not what WeChat encrypted."""


@dataclass(frozen=True)
class BillPart:
    """One file of a bill: where it lies for five minutes, and the SHA-1 of its inflated text, in small letters.

    `encrypt_key` and `nonce` belong to the encrypted files of sub-merchants' fund flows.
    """

    download_url: str = field(repr=False)
    sha1: str
    encrypt_key: bytes = field(repr=False, default=b"")
    nonce: bytes = field(repr=False, default=b"")

    @property
    def is_encrypted(self) -> bool:
        return bool(self.encrypt_key)


def read_trade_bill(text: bytes) -> tuple[BillPart, ...]:
    """The answer about a trade bill (WeChat Pay v3: partner/4012760667). Raises `Malformed`."""
    fields = read_object(text)
    return (BillPart(_url(fields), _sha1(fields)),)


def read_flow_bill(text: bytes) -> tuple[BillPart, ...]:
    """The parts of a sub-merchant's fund-flow bill, in the order in which they follow each other.

    Raises `Malformed`, also when a part is missing.
    """
    fields = read_object(text)
    parts = {_number(each): _part(each) for each in fields.items("download_bill_list")}
    if not parts or sorted(parts) != list(range(1, fields.whole("download_bill_count") + 1)):
        raise Malformed("download_bill_list")
    return tuple(parts[number] for number in sorted(parts))


def decrypted(closed: BinaryIO, part: BillPart, key: RSAPrivateKey) -> Iterator[bytes]:
    """The content of an encrypted part, piece by piece; believe nothing before the last piece came.

    AEAD_AES_256_GCM under a key that is wrapped for the merchant (RSA-OAEP). Raises `Unopenable`.
    """
    size = closed.seek(0, 2) - TAG_BYTES
    closed.seek(max(size, 0))
    tag = closed.read()
    try:
        opening = Cipher(AES(_unwrapped(part, key)), GCM(part.nonce, tag)).decryptor()
        closed.seek(0)
        while size > 0:
            piece = closed.read(min(CHUNK_BYTES, size))
            size -= len(piece)
            yield opening.update(piece)
        yield opening.finalize()
    except (InvalidTag, ValueError):
        raise Unopenable from None


def _unwrapped(part: BillPart, key: RSAPrivateKey) -> bytes:
    secret = key.decrypt(part.encrypt_key, OAEP(MGF1(SHA1()), SHA1(), None))  # noqa: S303 - WeChat's choice
    if len(secret) != KEY_BYTES:
        raise Unopenable
    return secret


def _part(fields: Fields) -> BillPart:
    try:
        wrapped = base64.b64decode(fields.text("encrypt_key", LONGEST_KEY), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("encrypt_key") from None
    return BillPart(_url(fields), _sha1(fields), wrapped, fields.text("nonce").encode())


def _number(fields: Fields) -> int:
    return fields.whole("bill_sequence")


def _url(fields: Fields) -> str:
    url = fields.text("download_url", LONGEST_URL)
    if urlsplit(url).scheme not in {"https", "http"} or not urlsplit(url).hostname:
        raise Malformed("download_url")
    return url


def _sha1(fields: Fields) -> str:
    if fields.text("hash_type") != "SHA1":
        raise Malformed("hash_type")
    return fields.text("hash_value").lower()
