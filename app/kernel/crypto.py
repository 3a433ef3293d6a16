"""Personal data at rest: sealed fields and blind indexes behind one small provider.

A sealed field is AES-256-GCM with the place where it lies as associated data, so that a ciphertext
cannot be moved to another column or row. The key's version stands in front, for rotation.
"""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_cipher = lru_cache(maxsize=16)(AESGCM)
"""One for each key: making it costs more than a short text."""


class CannotUnseal(RuntimeError):
    """The ciphertext was altered, moved or sealed under a key that we do not hold."""


class CryptoProvider(Protocol):
    """What a software key ring, or later a certified crypto machine, must offer."""

    def seal(self, plaintext: bytes, where: str) -> bytes: ...

    def unseal(self, sealed: bytes, where: str) -> bytes: ...

    def blind_index(self, purpose: str, value: str) -> bytes: ...


@dataclass(frozen=True)
class SoftwareKeys:
    """Keys held in memory. The first of `field_keys` seals; all of them unseal."""

    field_keys: Mapping[str, bytes]
    index_key: bytes

    def seal(self, plaintext: bytes, where: str) -> bytes:
        version = next(iter(self.field_keys))
        nonce = os.urandom(12)
        body = _cipher(self.field_keys[version]).encrypt(nonce, plaintext, where.encode())
        return bytes([len(version)]) + version.encode() + nonce + body

    def unseal(self, sealed: bytes, where: str) -> bytes:
        size = sealed[0]
        version, nonce, body = (
            sealed[1 : 1 + size],
            sealed[1 + size : 13 + size],
            sealed[13 + size :],
        )
        key = self.field_keys.get(version.decode(errors="replace"))
        if key is None:
            raise CannotUnseal(where)
        try:
            return _cipher(key).decrypt(nonce, body, where.encode())
        except InvalidTag as wrong:
            raise CannotUnseal(where) from wrong

    def blind_index(self, purpose: str, value: str) -> bytes:
        column_key = hmac.digest(self.index_key, purpose.encode(), sha256)
        return hmac.digest(column_key, value.encode(), sha256)[:16]


_provider: CryptoProvider | None = None


def use_provider(provider: CryptoProvider) -> None:
    """Name the keys; the wiring does this once per process."""
    global _provider
    _provider = provider


def _keys() -> CryptoProvider:
    if _provider is None:
        raise RuntimeError("no keys are wired: call create_app() first")
    return _provider


def seal(plaintext: str, where: str) -> bytes:
    """Encrypt a text for one place, named like `motorist.openid`."""
    return seal_bytes(plaintext.encode(), where)


def unseal(sealed: bytes, where: str) -> str:
    """The text again; raises `CannotUnseal` when it was altered or lies elsewhere."""
    return unseal_bytes(sealed, where).decode()


def seal_bytes(plaintext: bytes, where: str) -> bytes:
    """Encrypt bytes for one place, as `seal` does a text."""
    return _keys().seal(plaintext, where)


def unseal_bytes(sealed: bytes, where: str) -> bytes:
    """The bytes again; raises `CannotUnseal` as `unseal` does."""
    return _keys().unseal(sealed, where)


def blind_index(purpose: str, value: str) -> bytes:
    """16 bytes by which equal values are found without being readable; one key per purpose."""
    return _keys().blind_index(purpose, value)
