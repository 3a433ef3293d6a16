"""Opening what came: account, signature, cipher, JSON - in that order, as the true gate would.

What the interface's description leaves open is chosen here, once for this side (docs/city-feed.md): PKCS#1 v1.5,
segments as long as the key, standard Base64, UTF-8, the signature over the Base64 text of the cipher.
"""

import base64
import binascii
import json
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256, HashAlgorithm

from simulators.city.answers import Rejection
from simulators.city.keys import KeyMaterial
from simulators.wire import Asked

HASHES: dict[str, type[HashAlgorithm]] = {"sha256": SHA256, "sha1": SHA1, "md5": MD5}
UNKNOWN_ACCOUNT, UNREADABLE, WRONG_SIGNATURE, NO_LETTER = 401, 402, 403, 400
Fields = dict[str, Any]


class Letters:
    """Reads messages that are meant for this city."""

    def __init__(self, material: KeyMaterial, sign_hash: str) -> None:
        self._material = material
        self._hash = HASHES[sign_hash]

    def opened(self, asked: Asked) -> Fields:
        """The fields of `data`; raises `Rejection`."""
        message = _message(asked)
        if message["accessID"] != self._material.access_id:
            raise Rejection(UNKNOWN_ACCOUNT, "accessID不存在")
        self._check_signature(message["cipher"], message["sign"])
        return self._deciphered(message["cipher"])

    def _check_signature(self, cipher: str, sign: str) -> None:
        try:
            key = self._material.platform_key.public_key()
            key.verify(base64.b64decode(sign, validate=True), cipher.encode(), PKCS1v15(), self._hash())
        except (InvalidSignature, binascii.Error):
            raise Rejection(WRONG_SIGNATURE, "签名验证失败") from None

    def _deciphered(self, cipher: str) -> Fields:
        key = self._material.city_key
        step = key.key_size // 8
        try:
            sealed = base64.b64decode(cipher, validate=True)
            # A last segment that is too short cannot be decrypted: ValueError.
            text = b"".join(key.decrypt(sealed[at : at + step], PKCS1v15()) for at in range(0, len(sealed), step))
            letter = json.loads(text.decode())
        except (ValueError, RecursionError):
            raise Rejection(UNREADABLE, "密文解密失败") from None
        fields = letter.get("data") if isinstance(letter, dict) else None
        if not isinstance(fields, dict) or set(letter) != {"data"}:
            raise Rejection(UNREADABLE, '明文须为{"data":{…}}')
        return fields


def _message(asked: Asked) -> dict[str, str]:
    """The three parts of a message, as a form or as JSON."""
    kind = asked.header("Content-Type").partition(";")[0].strip()
    try:
        text = asked.body.decode()
        parts = json.loads(text) if kind == "application/json" else dict(parse_qsl(text))
    except (ValueError, RecursionError):
        parts = None
    wanted = {"accessID", "cipher", "sign"}
    if not isinstance(parts, dict) or set(parts) != wanted or not all(isinstance(part, str) for part in parts.values()):
        raise Rejection(NO_LETTER, "须提交accessID、cipher、sign")
    return parts
