"""The choices that the interface's description leaves open, all in this one place (docs/city-feed.md).

To be confirmed with the city: padding PKCS#1 v1.5, segments of key bytes less 11, standard Base64, UTF-8, and the
signature with PKCS#1 v1.5 over the Base64 text of the cipher.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256, HashAlgorithm

PADDING_BYTES: Final = 11
HASHES: Final[Mapping[str, type[HashAlgorithm]]] = {"sha256": SHA256, "sha1": SHA1, "md5": MD5}
"""What the signature may be made with; older clients of this interface are known to use MD5."""


def sealed(fields: Mapping[str, Any], key: RSAPublicKey) -> str:
    """`{"data": fields}` as the `cipher` of a message, readable by the city alone."""
    text = json.dumps({"data": dict(fields)}, ensure_ascii=False, separators=(",", ":")).encode()
    step = key.key_size // 8 - PADDING_BYTES
    parts = [key.encrypt(text[at : at + step], PKCS1v15()) for at in range(0, len(text), step)]
    return base64.b64encode(b"".join(parts)).decode()


def signed(cipher: str, key: RSAPrivateKey, hash_name: str) -> str:
    """The `sign` of a message."""
    return base64.b64encode(key.sign(cipher.encode(), PKCS1v15(), HASHES[hash_name]())).decode()
